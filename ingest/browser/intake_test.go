package browser

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"relay/ingest/flv"
)

// node is an intake behind a server, both in one process, without a network. What it took is read after the
// bubble's other goroutines are at rest.
type node struct {
	t      *testing.T
	intake *Intake
	line   *line
	tags   []flv.Tag
	refuse error
	fails  error // what Write gives from now on
	closed int
}

func (n *node) Write(t flv.Tag) error {
	n.tags = append(n.tags, slices.Clone(t))
	return n.fails
}
func (n *node) Close() { n.closed++ }

// newNode returns a node that answers until the test ends.
func newNode(t *testing.T) *node {
	n := &node{t: t, line: &line{make(chan net.Conn), make(chan struct{})}}
	n.intake = NewIntake(func(context.Context) (Sink, error) {
		if n.refuse != nil {
			return nil, n.refuse
		}
		return n, nil
	}, nil)
	srv := &http.Server{Handler: n.intake}
	go srv.Serve(n.line)
	t.Cleanup(func() { srv.Close() })
	return n
}

// line is a listener for what is sent over it, until it is closed.
type line struct {
	calls chan net.Conn
	ended chan struct{}
}

func (l *line) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *line) Addr() net.Addr { return &net.TCPAddr{} }

func (l *line) Close() error {
	close(l.ended)
	return nil
}

const origin = "http://relay.test"

// dial opens the page's side, with an Origin header if there is one.
func (n *node) dial(origin string) (*websocket.Conn, *http.Response, error) {
	head := http.Header{}
	if origin != "" {
		head.Set("Origin", origin)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		n.line.calls <- b
		return a, nil
	}}}
	return websocket.Dial(n.t.Context(), "ws://relay.test/api/v1/broadcast", &websocket.DialOptions{HTTPClient: client, HTTPHeader: head, Subprotocols: []string{subprotocol}})
}

// begin opens the page's side and says hello.
func (n *node) begin(hello string) *websocket.Conn {
	n.t.Helper()
	c, _, err := n.dial(origin)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.CloseNow() })
	n.send(c, websocket.MessageText, strings.ReplaceAll(hello, "TOKEN", n.intake.Token()))
	return c
}

func (n *node) send(c *websocket.Conn, typ websocket.MessageType, message string) {
	n.t.Helper()
	if err := c.Write(n.t.Context(), typ, []byte(message)); err != nil {
		n.t.Log(err) // the node may have closed it: how, the test looks at
	}
}

// ending reads until the node ends the call, and returns how, with what it said before.
func (n *node) ending(c *websocket.Conn) (said []string, code websocket.StatusCode, why string) {
	n.t.Helper()
	for {
		_, b, err := c.Read(n.t.Context())
		if ce, ok := errors.AsType[websocket.CloseError](err); ok {
			return said, ce.Code, ce.Reason
		}
		if err != nil {
			return said, websocket.CloseStatus(err), err.Error()
		}
		said = append(said, string(b))
	}
}

func rec(k kind, us int64, data string) string {
	return string(binary.BigEndian.AppendUint64([]byte{byte(k)}, uint64(us))) + data
}

const (
	both  = `{"token":"TOKEN","video":{"codec":"avc1.64001f","width":1280,"height":720,"rate":30},"audio":{"codec":"opus","rate":48000,"channels":2}}`
	voice = `{"token":"TOKEN","audio":{"codec":"mp4a.40.2","rate":44100,"channels":1}}`
)

func TestWhatAPageSendsBecomesTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		c := n.begin(both)
		go n.ending(c) // a pipe holds nothing: what the node says has to be read
		for _, r := range []string{
			rec(sound, 4_990_000, "before its configuration"),
			rec(pictureConfig, 5_000_000, "\x01avcC"), rec(picture, 5_000_000, "before a key picture"), rec(keyPicture, 5_000_000, "K"),
			rec(soundConfig, 4_980_000, "OpusHead"), rec(sound, 4_980_000, "S"), rec(picture, 5_033_333, "P"), rec(sound, 5_000_000, "T"),
			rec(pictureConfig, 6_000_000, "\x01other"), rec(keyPicture, 6_000_000, "L"), rec(sound, -9_000_000, "U"), rec(sound, 6_000_000, ""),
		} {
			n.send(c, websocket.MessageBinary, r)
		}
		c.Close(websocket.StatusNormalClosure, "")
		synctest.Wait()
		var got []string
		for _, tag := range n.tags {
			if tag.Type() == flv.Script {
				m, ok := flv.ParseMetadata(tag.Body())
				got = append(got, fmt.Sprintln(ok, m.VideoCodec, m.AudioCodec, m.Width, m.Height, m.FrameRate, m.SampleRate, m.Channels))
				continue
			}
			got = append(got, fmt.Sprintf("%d %d %q", tag.Type(), tag.Timestamp(), tag.Body()))
		}
		want := []string{
			"true h264 opus 1280 720 30 48000 2\n",
			`9 1000 "\x17\x00\x00\x00\x00\x01avcC"`, `9 1000 "\x17\x01\x00\x00\x00K"`,
			`8 980 "\x90OpusOpusHead"`, `8 980 "\x91OpusS"`, `9 1033 "'\x01\x00\x00\x00P"`, `8 1000 "\x91OpusT"`,
			`9 2000 "\x17\x00\x00\x00\x00\x01other"`, `9 2000 "\x17\x01\x00\x00\x00L"`, `8 0 "\x91OpusU"`, `8 2000 "\x91Opus"`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if n.closed != 1 {
			t.Errorf("the sink was closed %d times", n.closed)
		}
	})
}

// A page is told that it is live with the first picture or sound that counts, and not before.
func TestAPageIsToldThatItIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		c := n.begin(voice)
		n.send(c, websocket.MessageBinary, rec(soundConfig, 0, "\x12\x10"))
		synctest.Wait()
		if len(n.tags) != 2 || string(n.tags[1].Body()) != "\xaf\x00\x12\x10" {
			t.Errorf("%q", n.tags)
		}
		n.send(c, websocket.MessageBinary, rec(sound, 0, "S"))
		if _, b, err := c.Read(t.Context()); err != nil || string(b) != `{"state":"live"}` {
			t.Errorf("%q, %v", b, err)
		}
		n.fails = errors.New("another one has taken over")
		n.send(c, websocket.MessageBinary, rec(sound, 21_000, "S"))
		if said, code, why := n.ending(c); len(said) > 0 || code != codeEnded || why != "ended" {
			t.Errorf("%q, %d %s", said, code, why)
		}
	})
}

// call is a page's call over WebRTC.
type call struct {
	to    Sink
	ended chan error
}

func (c *call) Answer() string { return "v=0 answer" }

func (c *call) Run(ctx context.Context, live func()) error {
	c.to.Write(flv.NewTag(flv.Video, 0, []byte("P")))
	live()
	select {
	case err := <-c.ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

const offers = `{"token":"TOKEN","offer":"v=0 offer"}`

// A page that cannot encode is answered, told that it is live, and has the place of who sends until it leaves, or the call
// ends.
func TestAPageThatCannotEncodeHasACall(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(n *node, c *websocket.Conn, made *call)
		code websocket.StatusCode
	}{
		"it leaves":                  {func(n *node, c *websocket.Conn, made *call) { c.Close(websocket.StatusNormalClosure, "") }, -1},
		"another one has taken over": {func(n *node, c *websocket.Conn, made *call) { made.ended <- errors.New("another one") }, codeEnded},
		"nothing comes any more":     {func(n *node, c *websocket.Conn, made *call) { made.ended <- nil }, codeEnded},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t)
			made := &call{ended: make(chan error, 1)}
			n.intake.Film = func(offer string, to Sink) (Call, error) {
				if offer != "v=0 offer" {
					t.Errorf("%s: offered %q", name, offer)
				}
				made.to = to
				return made, nil
			}
			conn := n.begin(offers)
			for _, want := range []string{`{"answer":"v=0 answer"}`, `{"state":"live"}`} {
				if _, b, err := conn.Read(t.Context()); err != nil || string(b) != want {
					t.Errorf("%s: it says %q, %v; want %s", name, b, err, want)
				}
			}
			time.Sleep(2 * silence) // a page with a call has nothing to say
			synctest.Wait()
			if n.closed != 0 || len(n.tags) != 1 {
				t.Errorf("%s: closed %d times, %d tags", name, n.closed, len(n.tags))
			}
			c.end(n, conn, made)
			if _, code, _ := n.ending(conn); c.code > 0 && code != c.code {
				t.Errorf("%s: it ends with %d", name, code)
			}
			synctest.Wait()
			if n.closed != 1 {
				t.Errorf("%s: closed %d times at the end", name, n.closed)
			}
		})
	}
}

func TestAnOfferThatIsNotTakenIsAnsweredInAWord(t *testing.T) {
	for why, want := range map[error]websocket.StatusCode{
		nil: codeMalformed, ErrMalformed: codeMalformed, ErrUnfit: codeUnfit, errors.New("no port is free"): codeEnded, // nil for a node without WebRTC
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t)
			if why != nil {
				n.intake.Film = func(string, Sink) (Call, error) { return nil, why }
			}
			if n.intake.WebRTC() != (why != nil) {
				t.Error("it says otherwise")
			}
			if said, code, _ := n.ending(n.begin(offers)); code != want || len(said) > 0 {
				t.Errorf("%v: %q, %d", why, said, code)
			}
			synctest.Wait()
			if why != nil && n.closed != 1 {
				t.Errorf("%v: the sink was closed %d times", why, n.closed)
			}
		})
	}
}

func TestWhoIsNoPageOfThisNodeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		for _, origin := range []string{"", "null", "http://evil.test", "http://relay.test.evil.test", "http://relay.test:81", "http://evil.test#relay.test"} {
			c, resp, err := n.dial(origin)
			if err == nil {
				c.CloseNow()
				t.Errorf("a page of %q is let in", origin)
			} else if resp == nil || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%q: %v, %v", origin, resp, err)
			}
		}
		for _, token := range []string{"", "x", n.intake.Token()[1:], n.intake.Token() + "x", strings.ToLower(n.intake.Token())} {
			if _, code, why := n.ending(n.begin(strings.ReplaceAll(voice, "TOKEN", token))); code != codeDenied || why != "denied" {
				t.Errorf("token %q: %d %s", token, code, why)
			}
		}
		n.refuse = ErrBusy
		if _, code, why := n.ending(n.begin(voice)); code != codeBusy || why != "busy" {
			t.Errorf("busy: %d %s", code, why)
		}
		if len(n.tags) > 0 {
			t.Errorf("tags came of it: %q", n.tags)
		}
		if NewIntake(nil, nil).Token() == n.intake.Token() {
			t.Error("two runs have one token")
		}
	})
}

// Each ends the call, with a word, and nothing of it reaches the stream. Others are answered as before.
func TestWhatIsMalformedEndsTheCall(t *testing.T) {
	long := strings.Repeat("x", maxRecord+1)
	for name, send := range map[string][]string{
		"no JSON":               {"{"},
		"another JSON":          {"[]"},
		"no track":              {`{"token":"TOKEN"}`},
		"a codec of pictures":   {`{"token":"TOKEN","video":{"codec":"vp8"}}`},
		"sound as a picture":    {`{"token":"TOKEN","video":{"codec":"opus"}}`},
		"a picture as sound":    {`{"token":"TOKEN","audio":{"codec":"avc1.64001f"}}`},
		"a short codec":         {`{"token":"TOKEN","audio":{"codec":"o"}}`},
		"a number as a codec":   {`{"token":"TOKEN","audio":{"codec":1}}`},
		"a long hello":          {`{"token":"` + strings.Repeat("x", maxHello) + `"}`},
		"a binary hello":        {"", rec(sound, 0, "S")},
		"an empty record":       {voice, ""},
		"a short record":        {voice, rec(sound, 0, "")[:recordHead-1]},
		"kind 0":                {voice, rec(0, 0, "S")},
		"kind 6":                {voice, rec(6, 0, "S")},
		"a track not announced": {voice, rec(pictureConfig, 0, "\x01")},
		"text among records":    {voice, "text"},
		"a record too long":     {voice, long},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t)
			c, _, err := n.dial(origin)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if send[0] != "" {
				n.send(c, websocket.MessageText, strings.ReplaceAll(send[0], "TOKEN", n.intake.Token()))
			}
			go func() { // while the answer is read: a pipe holds nothing
				for _, m := range send[1:] {
					typ := websocket.MessageBinary
					if m == "text" {
						typ = websocket.MessageText
					}
					c.Write(t.Context(), typ, []byte(m))
				}
			}()
			said, code, why := n.ending(c)
			if code != codeMalformed && code != websocket.StatusMessageTooBig || len(said) > 0 {
				t.Errorf("%s: %q, %d %s", name, said, code, why)
			}
			synctest.Wait()
			if len(n.tags) > 1 || n.closed != len(n.tags) {
				t.Errorf("%s: %d tags, closed %d times", name, len(n.tags), n.closed)
			}
		})
	}
}

// A page that says nothing holds nothing for long, at any point.
func TestAPageThatIsSilentIsLeft(t *testing.T) {
	for name, hello := range map[string]string{"before it says hello": "", "when it is live": voice} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t)
			began := time.Now()
			c, _, err := n.dial(origin)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			want := helloWait
			if hello != "" {
				n.send(c, websocket.MessageText, strings.ReplaceAll(hello, "TOKEN", n.intake.Token()))
				want = silence
			}
			if _, _, err := c.Read(t.Context()); err == nil {
				t.Errorf("%s: it says something", name)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s: left after %v", name, took)
			}
			synctest.Wait()
			if hello != "" && n.closed != 1 {
				t.Errorf("%s: the sink was closed %d times", name, n.closed)
			}
		})
	}
}

func TestARequestThatIsNoWebSocketIsToldSo(t *testing.T) {
	n := NewIntake(nil, nil)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Origin", "http://example.com")
	n.ServeHTTP(w, r)
	if w.Code != http.StatusUpgradeRequired {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(rec(pictureConfig, 0, "\x01")), []byte(rec(keyPicture, 1, "K")))
	f.Add([]byte(rec(sound, -1<<63, "")), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		all, _, err := newTracks(Hello{Video: &Video{Codec: "avc1"}, Audio: &Audio{Codec: "opus"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range [][]byte{a, b, a} {
			r, err := parseRecord(m)
			if err != nil {
				continue
			}
			tag, err := all.tag(r)
			if err != nil || tag != nil && len(tag) > len(m)+flv.TagHeaderLen+flv.TagTrailerLen+8 {
				t.Fatalf("%q: %d bytes, %v", m, len(tag), err)
			}
		}
	})
}
