//go:build e2e

package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/handshake"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay/stream"
)

// playURL is where a source plays its channel over RTMP.
func (s *source) playURL() string {
	name := s.url[strings.LastIndexByte(s.url, '/')+1:]
	return "rtmp://" + s.rtmpAddr() + "/live/" + strings.TrimSuffix(name, ".flv")
}

// watchRTMP starts a watcher that plays over RTMP as well, and returns that address.
func (w *world) watchRTMP(link string) (*watcher, string) {
	w.t.Helper()
	v := w.watch(link, "--rtmp", loopback)
	return v, v.find(w.t, &v.err, `(?m)^RTMP +(rtmp://127\.0\.0\.1:\d+/live/\S+)\n`)
}

// playRTMP is play over RTMP. It fetches the stream as relay source does, and keeps the tags.
func playRTMP(t *testing.T, name, address string) *viewer {
	t.Helper()
	u, err := url.Parse(address + "?start=gop") // the stream as it was sent
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{name: name, stopped: make(chan struct{})}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring := stream.NewRing(stream.Limits{})
	input := ingest.NewInput(stream.NewWriter(ring, key, stream.Epoch{Ms: 1}, time.Now()), func(ft flv.Tag) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.tags = append(v.tags, tagOf(ft))
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with ctx
		defer close(v.stopped)
		defer ring.Close()
		err := (&ingest.RTMPPull{URL: u, Open: input.Open}).Run(ctx)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.err = err
	}()
	v.leave = func() {
		cancel()
		<-v.stopped
	}
	t.Cleanup(v.leave)
	return v
}

// addressesOf is where a node says that its only channel is played.
func addressesOf(t *testing.T, address string) api.URLs {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + u.Host + "/api/v1/channels")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var all api.Channels
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil || len(all.Channels) != 1 {
		t.Fatalf("%d channels, %v", len(all.Channels), err)
	}
	return all.Channels[0].URLs
}

// TestPlayersWatchOverRTMP plays with ffmpeg and with our own RTMP client, at a source's
// encoder port and at a watcher two links away.
func TestPlayersWatchOverRTMP(t *testing.T) {
	waiting.Take(t)
	const players = 50
	w := newWorld(t)
	src := w.source()
	first := w.watch(src.link)
	node, nodeURL := w.watchRTMP(src.link)
	enc := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	play(t, "the first", src.url).gets(t, 100)

	whole := []*viewer{playRTMP(t, "at the source", src.playURL()), playRTMP(t, "at a watcher", nodeURL)}
	for i := range players - 1 {
		whole = append(whole, playRTMP(t, fmt.Sprintf("player %d", i+2), nodeURL))
	}
	allGet(t, whole, 50)
	if n := status(t, node.url).ViewerCount; n != players {
		t.Errorf("the node shows %d viewers, want %d", n, players)
	}

	for at, want := range map[string]string{src.url: src.playURL(), node.url: nodeURL, first.url: ""} {
		if got := addressesOf(t, at).RTMP; got != want {
			t.Errorf("the node at %s says that it plays at %q, want %q", at, got, want)
		}
	}

	short := strings.Replace(nodeURL, "/live/", "/", 1)
	decoders := make(map[string]*process)
	for _, address := range []string{src.playURL(), nodeURL, short, nodeURL + "?start=key", nodeURL + "?start=gop", short + "?start=gop"} {
		decoders[address] = start(t, "ffmpeg", "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-i", address,
			"-map", "0:v", "-frames:v", "30", "-f", "framecrc", "-", "-map", "0:a", "-frames:a", "40", "-f", "framecrc", "-")
	}
	for address, p := range decoders {
		n := 0
		for line := range strings.Lines(p.faultless(t)) {
			if !strings.HasPrefix(line, "#") {
				n++
			}
		}
		if n != 70 {
			t.Errorf("ffmpeg decodes %d frames of %s, want 30 and 40", n, address)
		}
	}
	got := faultless(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", nodeURL)
	if strings.TrimSpace(got) != "h264,640,360\naac" {
		t.Errorf("ffprobe sees %q", got)
	}

	enc.interrupt(t)
	want := allOf(t, src)
	for _, v := range whole {
		v.reaches(t, want)
		v.open(t)
		complete(t, v.name, v.got(), want)
		v.leave()
	}
	eventually(t, "the node has no viewer left", func() error {
		if n := status(t, node.url).ViewerCount; n > 0 {
			return fmt.Errorf("it shows %d", n)
		}
		return nil
	})
	if c := status(t, first.url).Chunks; c.Lost > 0 {
		t.Errorf("another watcher lost %d chunks", c.Lost)
	}
}

// TestEnhancedCodecsPassOverRTMP sends HEVC in the form of enhanced RTMP.
func TestEnhancedCodecsPassOverRTMP(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source()
	client, _ := published(t, src)
	h265 := hevcTrack(t)
	if err := (&gortmplib.Writer{Conn: client, Tracks: []*gortmplib.Track{h265}}).Initialize(); err != nil {
		t.Fatal(err)
	}
	v := playRTMP(t, "player", src.playURL())
	raw := rawWriter(client)
	const late = 5 * time.Hour // where timestamps no longer fit 24 bits
	for i := range frames {
		if err := sendRaw(raw, flv.Video, late+at(i), coded(i, 1, "hvc1\x00\x00\x50", 90_000)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the source has taken in all", func() error {
		if n := count(logged(t, src.tagLog), flv.Video); n <= frames {
			return fmt.Errorf("%d of %d", n, frames)
		}
		return nil
	})
	want := logged(t, src.tagLog)
	v.reaches(t, want)
	complete(t, v.name, v.got(), want)
}

// TestWhatCannotBePlayedOverRTMPIsRefusedInWords asks for channels that do not exist, and sends
// an encoder to a node that accepts none.
func TestWhatCannotBePlayedOverRTMPIsRefusedInWords(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source()
	_, nodeURL := w.watchRTMP(src.link)
	addr := strings.Split(nodeURL, "/")[2]
	name := nodeURL[strings.LastIndexByte(nodeURL, '/')+1:]
	for _, c := range []struct{ path, says string }{
		{"live/nobodyhome", "There is no such channel here"},
		{"live/" + name[:3], "There is no such channel here"},
		{"live/" + streamKey, "There is no such channel here"},
		{"nobodyhome", "There is no such channel here"},
		{"other/" + name, "it ends in /live/CHANNEL"},
		{"live/" + name + "?start=tomorrow", "There is no such start: it is one of squash, gop and key"},
	} {
		for _, at := range []string{addr, src.rtmpAddr()} {
			p := run(t, "ffmpeg", "ffmpeg", "-v", "error", "-nostdin", "-i", "rtmp://"+at+"/"+c.path, "-f", "null", "-")
			if p.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(p.err.String(), c.says) {
				t.Errorf("ffmpeg plays %s at %s and says: %s", c.path, at, p.err.tail())
			}
		}
	}
	enc := encode(t, "rtmp://"+addr+"/live/"+streamKey, 2, picture360, tone, h264, aac)
	if code := enc.wait(t); code == 0 || !strings.Contains(enc.err.String(), "This address plays a channel and takes no stream") {
		t.Errorf("ffmpeg publishes to a watcher: %d, %s", code, enc.err.tail())
	}
}

// askRTMP asks to play over a connection with a small receive buffer, and reads no
// more.
func askRTMP(t *testing.T, address string) net.Conn {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, _, err := handshake.DoClient(conn, false, false); err != nil {
		t.Fatal(err)
	}
	count := bytecounter.NewWriter(conn)
	raw := rawmessage.NewWriter(count, count, false)
	for _, cmd := range []amf0.Data{
		{"connect", 1.0, amf0.Object{{Key: "app", Value: "live"}}},
		{"createStream", 2.0, nil},
		{"play", 3.0, nil, strings.TrimPrefix(u.Path, "/live/")},
	} {
		body, err := cmd.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Write(&rawmessage.Message{ChunkStreamID: 3, Type: 20, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// TestARTMPPlayerThatIsStuckIsCut lets a player read nothing of a stream with a high bit rate.
func TestARTMPPlayerThatIsStuckIsCut(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source()
	stop := flood(t, src)
	good := playRTMP(t, "the one that reads", src.playURL())
	good.gets(t, 10)
	stuck := askRTMP(t, src.playURL())
	eventually(t, "the stuck player is listed", func() error {
		_, err := viewerAt(src.url, stuck)
		return err
	})
	eventually(t, "the stuck player was cut", func() error {
		v, err := viewerAt(src.url, stuck)
		if errors.Is(err, errNotThere) {
			return nil
		}
		return errors.Join(fmt.Errorf("the node shows %+v", v), err)
	})
	stop()
	want := allOf(t, src)
	good.reaches(t, want)
	good.open(t)
	complete(t, good.name, good.got(), want)
	src.find(t, &src.err, `(the viewer took nothing for 10 s)`)
}
