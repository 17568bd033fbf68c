//go:build !lean

package srt

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"relay/relay/refusal"
)

const testKey = "a stream key"

// recorder is a sink that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	got    bytes.Buffer
	closed bool
	more   chan struct{} // gets something when there is more
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1)} }

func (r *recorder) Take(b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got.Write(b)
	r.wake()
	return nil
}

func (r *recorder) Heard(time.Time) {}

func (r *recorder) Flush() {}

func (r *recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake()
}

func (r *recorder) wake() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// until waits until what was got suits.
func (r *recorder) until(t *testing.T, what string, ok func(got []byte, closed bool) bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		done := ok(r.got.Bytes(), r.closed)
		n := r.got.Len()
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-r.more:
		case <-late:
			t.Fatalf("%s: not after 20 s, with %d bytes", what, n)
		}
	}
}

// running is a server in a test.
type running struct {
	*Server
	addr string
	why  chan error // of callers that were not taken
}

func start(t *testing.T, s *Server) *running {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{s, pc.LocalAddr().String(), make(chan error, 100)}
	s.Socket, s.Key, s.Refusals = pc, testKey, &refusal.Counts{}
	s.Refused = func(why error) { r.why <- why }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func takes(r *recorder) func(context.Context) (Sink, error) {
	return func(context.Context) (Sink, error) { return r, nil }
}

// ffmpeg starts ffmpeg, which is killed at the test's end.
func ffmpeg(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("there is no ffmpeg")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-hide_banner", "-loglevel", "error", "-nostdin"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("ffmpeg: %s", out.Bytes())
		}
	})
	return cmd
}

// sends are ffmpeg's arguments for a stream of 2 Mb/s.
func sends(to string) []string {
	return []string{"-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-b:v", "2M", "-c:a", "aac", "-f", "mpegts", to}
}

func TestAnEncoderSends(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"AES-128": "&pbkeylen=16", "AES-256": "&pbkeylen=32", "with a stream ID": "&streamid=publish:x&latency=200000", "changing keys": "&kmrefreshrate=200&kmpreannounce=90"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			s := start(t, &Server{Publish: takes(r)})
			cmd := ffmpeg(t, sends("srt://"+s.addr+"?mode=caller&pkt_size=1316&passphrase="+url.QueryEscape(testKey)+query)...)
			r.until(t, "150 KB", func(got []byte, _ bool) bool { return len(got) > 150<<10 })
			cmd.Process.Signal(os.Interrupt) // it says goodbye
			r.until(t, "the end", func(_ []byte, closed bool) bool { return closed })
			whole(t, r.got.Bytes())
		})
	}
}

// whole fails unless b is MPEG-TS without a gap in any of its streams.
func whole(t *testing.T, b []byte) {
	t.Helper()
	if lost := gaps(b); lost != 0 {
		t.Errorf("%d gaps in %d packets", lost, len(b)/188)
	}
}

// gaps counts the gaps in the continuity counters of MPEG-TS (ISO/IEC 13818-1, 2.4.3.3).
func gaps(b []byte) (n int) {
	next := map[uint16]byte{}
	for ; len(b) >= 188; b = b[188:] {
		if b[0] != 0x47 {
			return -1
		}
		pid, has, count := (uint16(b[1])<<8|uint16(b[2]))&0x1fff, b[3]&0x10 != 0, b[3]&15
		if want, ok := next[pid]; ok && has && count != want {
			n++
		}
		if has {
			next[pid] = (count + 1) & 15
		}
	}
	return n
}

func TestWhoIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target Target
		server Server
		want   error
		code   Code
	}{
		"a wrong passphrase": {Target{Passphrase: "another key"}, Server{Publish: takes(newRecorder())}, ErrDenied, codeBadSecret},
		"no passphrase":      {Target{}, Server{Publish: takes(newRecorder())}, ErrPlain, codeUnsecure},
		"a second encoder":   {Target{Passphrase: testKey}, Server{Publish: func(context.Context) (Sink, error) { return nil, ErrBusy }}, ErrBusy, codeConflict},
		"no players":         {Target{StreamID: "read:x"}, Server{Publish: takes(newRecorder())}, errMode, codeBadMode},
		"both ways":          {Target{StreamID: "#!::m=bidirectional"}, Server{Publish: takes(newRecorder())}, errMode, codeBadMode},
		"no such stream":     {Target{StreamID: "read:x"}, Server{Play: func(net.Addr, string) (Viewing, error) { return nil, ErrNoStream }}, ErrNoStream, codeNotFound},
		"a player with a key": {Target{StreamID: "read:x", Passphrase: testKey}, Server{Play: func(net.Addr, string) (Viewing, error) {
			return nil, errors.New("not asked")
		}}, ErrSecret, codeUnsecure},
		"too old a player": {Target{StreamID: "read:x", Latency: 9 * time.Second}, Server{Play: func(net.Addr, string) (Viewing, error) {
			return nil, errors.New("not asked")
		}}, errLatency, codeUnacceptable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, &c.server)
			c.target.Addr, c.target.KeyLen = s.addr, 16
			err := c.target.Fetch(t.Context(), func([]byte) error { return nil })
			if code, ok := errors.AsType[*CodeError](err); !ok || code.Code != c.code {
				t.Errorf("it is told %v, want code %d", err, c.code)
			}
			if why := <-s.why; !errors.Is(why, c.want) {
				t.Errorf("refused because of %v, want %v", why, c.want)
			}
			_, of := refused(c.want)
			if n := s.Refusals.All()[of]; n != 1 {
				t.Errorf("counted %d times as %s", n, of)
			}
		})
	}
}

func TestFFmpegIsToldAWrongPassphrase(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Publish: takes(newRecorder())})
	cmd := exec.Command("ffmpeg", append([]string{"-hide_banner", "-loglevel", "verbose", "-nostdin"}, sends("srt://"+s.addr+"?passphrase=another+key")...)...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("it sends")
	}
	if why := <-s.why; why != ErrDenied {
		t.Error(why)
	}
	if !bytes.Contains(out, []byte("Incorrect passphrase")) {
		t.Errorf("ffmpeg says %s", out)
	}
}

// plays has what it gives to a player.
type plays struct {
	give func(ctx context.Context, conn net.Conn) error
}

func (p plays) Play(ctx context.Context, conn net.Conn, _ []byte, _ func() []byte) error {
	return p.give(ctx, conn)
}
func (plays) Leave() {}

func TestAPlayerGetsAll(t *testing.T) {
	t.Parallel()
	media := make([]byte, 2000*188)
	for i := range media {
		if media[i] = byte(i * 7); i%188 == 0 {
			media[i] = 0x47
		}
	}
	s := start(t, &Server{Play: func(_ net.Addr, name string) (Viewing, error) {
		if name != "live" {
			t.Errorf("%q is wanted", name)
		}
		return plays{func(ctx context.Context, conn net.Conn) error {
			for b := media; len(b) > 0; {
				n := min(len(b), 5000) // not in whole packets
				if _, err := conn.Write(b[:n]); err != nil {
					return err
				}
				b = b[n:]
			}
			<-ctx.Done()
			return nil
		}}, nil
	}})
	var got []byte
	errAll := errors.New("all is there")
	target := Target{Addr: s.addr, StreamID: "#!::m=request,r=live", Latency: MinLatency}
	err := target.Fetch(t.Context(), func(b []byte) error {
		if len(b) > Payload || len(b)%188 != 0 {
			t.Errorf("a payload of %d bytes", len(b))
		}
		if got = append(got, b...); len(got) >= len(media) {
			return errAll
		}
		return nil
	})
	if !errors.Is(err, errAll) || !bytes.Equal(got, media) {
		t.Errorf("%d of %d bytes: %v", len(got), len(media), err)
	}
}
