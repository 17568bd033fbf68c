package rtspout

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/ingest/mpegts"
	"relay/playback"
	"relay/relay/stream"
)

// clip is what ffmpeg makes by those arguments, 2 s of 25 pictures of 640x360 a second.
func clip(t testing.TB, args string) []flv.Tag {
	t.Helper()
	b, err := os.ReadFile(ingesttest.ClipOf(t, "640x360", "clip.ts", args))
	if err != nil {
		t.Fatal(err)
	}
	f, ok := mpegts.Sniff(b[:mpegts.SniffLen])
	if !ok {
		t.Fatal("no MPEG-TS")
	}
	return ingesttest.ReadAll(t, mpegts.NewReader(bytes.NewReader(b), f, 0, func(what convert.Trouble, which string) { t.Error(what, which) }), io.EOF)
}

// source is a channel and the server that plays it.
type source struct {
	t       testing.TB
	ring    *stream.Ring
	writer  *stream.Writer
	channel *playback.Channel
	server  *Server
	addr    string
	header  flv.Header
	begun   bool // there is a place to start
}

func start(t testing.TB, change ...func(*playback.Config)) *source {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s := &source{t: t, ring: stream.NewRing(stream.Limits{})}
	now := time.Now()
	s.writer = stream.NewWriter(s.ring, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	s.channel = playback.NewChannel(stream.IDOf(key), s.ring, nil)
	cfg := playback.Config{Channels: func() []*playback.Channel { return []*playback.Channel{s.channel} }}
	for _, c := range change {
		c(&cfg)
	}
	s.server = New(Config{Players: playback.NewServer(cfg)})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.server.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return s
}

// url is the channel's address.
func (s *source) url() string { return "rtsp://" + s.addr + "/" + s.channel.ID().Short() }

// write writes tags; configurations go into the header, too. Sound alone can be started at its first frame only, so
// that who wants all of it gets it, whenever it comes.
func (s *source) write(tags ...flv.Tag) {
	s.t.Helper()
	for _, tag := range tags {
		kind := flv.Classify(tag)
		flags := stream.TagFlags(0)
		if kind.Config || tag.Type() == flv.Script {
			s.header.Add(tag, kind)
			if err := s.writer.SetHeader(s.header.Payload()); err != nil {
				s.t.Fatal(err)
			}
		} else if !flv.Describe(s.header.Payload()).HasVideo {
			if flags = stream.EndsChunk; !s.begun {
				flags |= stream.StartHere
				s.begun = true
			}
		} else if tag.Type() == flv.Video {
			flags = stream.EndsChunk
			if kind.Key {
				flags |= stream.StartHere
			}
		}
		if err := s.writer.WriteTag(tag, flags); err != nil {
			s.t.Fatal(err)
		}
	}
}

// watched waits for viewers.
func (s *source) watched(n int) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); s.channel.Viewers() != n; {
		if time.Now().After(end) {
			s.t.Fatalf("%d viewers, want %d", s.channel.Viewers(), n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// ffmpeg plays an address until its end, and returns how many frames it decodes of pictures and of sound.
func ffmpeg(t testing.TB, ctx context.Context, how, url string) (pictures, sounds int, err error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning", "-rtsp_transport", how, "-i", url, "-copyts", "-fps_mode", "passthrough", "-f", "framecrc", "-")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	if said.Len() > 0 {
		err = fmt.Errorf("%v: %s", err, said.String())
	}
	typ := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if rest, ok := strings.CutPrefix(line, "#media_type "); ok {
			n, what, _ := strings.Cut(strings.TrimSpace(rest), ": ")
			typ[n] = what
		} else if n, _, ok := strings.Cut(line, ","); ok && line[0] != '#' {
			switch typ[n] {
			case "video":
				pictures++
			case "audio":
				sounds++
			}
		}
	}
	return pictures, sounds, err
}
