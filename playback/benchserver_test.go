//go:build linux

package playback

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/relay/stream"
)

// benchEnv makes the test binary the server that [BenchmarkViewers] measures.
const benchEnv = "RELAY_BENCH_SERVER"

// The stream of the benchmark: 3 Mb/s, 30 frames a second, a key frame every 2 s,
// AAC of 128 kb/s. Sizes are in bytes.
const (
	benchFrame      = time.Second / 30
	benchGroup      = 60
	benchKeySize    = 100_000
	benchFrameSize  = 10_400
	benchSoundSize  = 372
	benchSoundEvery = 1024 * time.Second / 44100
	// benchRing is full before the first viewer comes, so that no viewer is
	// charged for its growth.
	benchRing = 2 << 20
)

// usage is what the server says of itself.
type usage struct {
	// Before and After are its CPU time, user and system, before and after the
	// collection that RSS needs.
	Before, After time.Duration
	RSS           int64 // bytes, after a collection
}

// benchServer is the parent's end of the server process. For each line that it is
// sent the server answers with its usage.
type benchServer struct {
	b    testing.TB
	addr string
	in   *bufio.Scanner
	out  *os.File
}

func startBenchServer(b testing.TB) *benchServer {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchServer$")
	cmd.Env = append(os.Environ(), benchEnv+"=1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	r.Close()
	b.Cleanup(func() {
		w.Close() // ends the server
		cmd.Wait()
	})
	s := &benchServer{b: b, in: bufio.NewScanner(stdout), out: w}
	s.addr = s.line()
	return s
}

func (s *benchServer) line() string {
	s.b.Helper()
	if !s.in.Scan() {
		s.b.Fatal("the server is gone: ", s.in.Err())
	}
	return s.in.Text()
}

func (s *benchServer) usage() usage {
	s.b.Helper()
	fmt.Fprintln(s.out)
	var u usage
	if err := json.Unmarshal([]byte(s.line()), &u); err != nil {
		s.b.Fatal(err)
	}
	return u
}

// TestBenchServer is the server process when it is told so, and else checks that the
// process serves a viewer and tells its usage, which BenchmarkViewers rests on.
func TestBenchServer(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		s := startBenchServer(t)
		viewer, _ := ask(t, s.addr, get("/"+newSource(t, stream.Limits{}).id.Short()+".flv"))
		readN(t, viewer.Body, benchKeySize)
		if u := s.usage(); u.Before <= 0 || u.After < u.Before || u.RSS <= 0 {
			t.Errorf("usage %+v", u)
		}
		return
	}
	s := newSource(t, stream.Limits{Bytes: benchRing})
	s.header(avcRecord(testSPS, testPPS)) // what a container is made for has to be real
	p := pacer{source: s, start: time.Now()}
	for s.ring.Stats().Bytes < 2*benchRing {
		p.frameAndSound()
	}
	p.start = time.Now().Add(-p.media())

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go p.run(ctx) // ends with ctx
	done := make(chan error, 1)
	go func() {
		done <- NewServer(Config{Channels: list(NewChannel(s.id, s.ring, nil))}).Run(ctx, ln)
	}()
	fmt.Println(ln.Addr())
	for ask := bufio.NewScanner(os.Stdin); ask.Scan(); {
		json.NewEncoder(os.Stdout).Encode(ownUsage(t))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// pacer writes the stream of the benchmark in its own time.
type pacer struct {
	*source
	start  time.Time // of the media
	frames int
	sounds int
}

// media is how much has been written.
func (p *pacer) media() time.Duration { return time.Duration(p.frames) * benchFrame }

func (p *pacer) frameAndSound() {
	ts := uint32(p.media().Milliseconds())
	if p.frames%benchGroup == 0 {
		p.keyframe(ts, benchKeySize)
	} else {
		p.frame(ts, benchFrameSize)
	}
	p.frames++
	for ; time.Duration(p.sounds)*benchSoundEvery < p.media(); p.sounds++ {
		p.audio(ts, benchSoundSize, 0)
	}
	p.tags, p.keys = p.tags[:0], p.keys[:0]
}

func (p *pacer) run(ctx context.Context) {
	tick := time.NewTicker(benchFrame)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for p.media() < time.Since(p.start) {
			p.frameAndSound()
		}
	}
}

func ownUsage(t *testing.T) usage {
	t.Helper()
	u := usage{Before: ownCPU(t)}
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	u.RSS = pages * int64(os.Getpagesize())
	u.After = ownCPU(t)
	return u
}

func ownCPU(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
