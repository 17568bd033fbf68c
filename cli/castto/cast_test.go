package castto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback"
	"relay/playback/cast"
	"relay/playback/playtest"
)

const patience = time.Minute

// output is what was said, and tells when that has a text in it.
type output struct {
	mu   sync.Mutex
	all  bytes.Buffer
	want string
	has  context.CancelFunc
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(b)
	if o.want != "" && strings.Contains(o.all.String(), o.want) {
		o.has()
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// castTo runs the command until it has said want.
func castTo(t *testing.T, want string, args ...string) (said string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done, has := context.WithCancel(ctx)
	defer has()
	o := &output{want: want, has: has}
	app := &cli.App{Writer: io.Discard, ErrWriter: io.Discard, Commands: []*cli.Command{Command(term.New(io.Discard, o))}, ExitErrHandler: func(*cli.Context, error) {}}
	err = app.RunContext(done, append([]string{"relay", "cast", "--config", t.TempDir()}, args...))
	if ctx.Err() != nil {
		t.Errorf("it does not end: %s", o)
	}
	return o.String(), err
}

// watch fetches what a page of origin needs, each with the header that lets it, and decodes it.
func watch(ctx context.Context, master, origin string) error {
	get := func(u string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return "", err
		}
		req.Header.Set("Origin", origin)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err == nil && (resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Origin") != origin) {
			err = fmt.Errorf("%s: %s %v", u, resp.Status, resp.Header)
		}
		return string(b), err
	}
	text, err := get(master)
	if err != nil || !strings.Contains(text, `CODECS="avc1.`) {
		return fmt.Errorf("%w %s", err, text)
	}
	base, err := url.Parse(master)
	if err != nil {
		return err
	}
	list, _ := base.Parse("index.m3u8")
	if text, err = get(list.String()); err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		name, is := strings.CutPrefix(strings.TrimSpace(line), "#EXT-X-MAP:URI=")
		if name = strings.Trim(name, `"`); !is && (name == "" || name[0] == '#') {
			continue
		}
		of, _ := base.Parse(name)
		if _, err := get(of.String()); err != nil {
			return err
		}
	}
	frames, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-headers", "Origin: "+origin+"\r\n", "-i", master, "-t", "1", "-f", "framecrc", "-").Output()
	if pictures, sound := strings.Count(string(frames), "\n0, "), strings.Count(string(frames), "\n1, "); err != nil || pictures < 20 || sound < 20 {
		return fmt.Errorf("%d pictures and %d sounds: %v", pictures, sound, err)
	}
	return nil
}

// start starts a device and has the command look for it alone.
func start(t *testing.T, c *playtest.Chromecast) {
	t.Helper()
	c.Start(t)
	ifs, _ := net.Interfaces()
	before := finder
	t.Cleanup(func() { finder = before })
	for _, i := range ifs {
		if i.Flags&net.FlagLoopback != 0 {
			finder.For, finder.Port, finder.Interfaces = time.Second, c.MDNS, []string{i.Name}
		}
	}
}

func TestAChromecastPlaysAChannel(t *testing.T) {
	at, _ := playtest.Live(t, "../demo/demo.flv", "Finals", playback.Config{Readers: playback.Origins{cast.Origin}})
	var why error
	var once sync.Once
	c := &playtest.Chromecast{Name: "Living room", Play: func(url string) string {
		if once.Do(func() { why = watch(t.Context(), url, cast.Origin) }); why != nil {
			return "LOAD_FAILED"
		}
		return ""
	}}
	start(t, c)
	said, err := castTo(t, "Living room plays.", "--http", at.String())
	if err != nil || !strings.Contains(said, "Living room has stopped playing.") || c.Busy() || why != nil {
		t.Errorf("%v, %v, busy %v: %s", err, why, c.Busy(), said)
	}
	if got := c.Said(); !slices.Equal(slices.DeleteFunc(got, func(s string) bool { return s == "PING" || s == "CLOSE" }), []string{"CONNECT", "LAUNCH", "PONG", "CONNECT", "LOAD", "STOP"}) {
		t.Errorf("the device heard %v", got)
	}
	for name, want := range map[string]string{"bedroom": `called "bedroom"; there are "Living room"`, "liv": ""} {
		_, err := castTo(t, "plays.", "--http", at.String(), name)
		if f, ok := errors.AsType[*fault.Error](err); want == "" && err != nil || want != "" && (!ok || !strings.Contains(f.Error(), want) || f.Hint == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatCannotBeCastIsSaid(t *testing.T) {
	plain, _ := playtest.Live(t, "../demo/demo.flv", "Finals", playback.Config{})
	open, _ := playtest.Live(t, "../demo/demo.flv", "Finals", playback.Config{Readers: playback.Origins{cast.Origin}})
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut := deaf.Addr().String()
	deaf.Close()
	failing := &playtest.Chromecast{Name: "TV", Play: func(string) string { return "LOAD_FAILED" }}
	start(t, failing)
	for _, c := range []struct {
		http, device, want, hint string
		code                     int
	}{
		{plain.String(), "tv", "lets no Chromecast have its channels", "--tv", fault.ExitRefused},
		{shut, "tv", "no relay answers", "relay source", fault.ExitNobody},
		{open.String(), shut, "does not answer", "switched on", fault.ExitNobody},
		{open.String(), failing.Addr.String(), "cannot play the stream", "H.264", fault.ExitRuntime},
	} {
		said, err := castTo(t, "", "--http", c.http, c.device)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || !strings.Contains(f.Error(), c.want) || !strings.Contains(f.Hint, c.hint) || f.Code != c.code {
			t.Errorf("%s: %v, %s", c.want, err, said)
		}
	}
	if failing.Busy() {
		t.Error("the device is not left clean")
	}
	finder.Interfaces = []string{"none of that name"}
	if _, err := castTo(t, "", "--http", open.String()); !fault.Nobody(err) {
		t.Errorf("without devices: %v", err)
	}
}
