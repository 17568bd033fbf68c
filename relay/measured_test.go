//go:build linux

package relay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
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

// measuredEnv makes the test binary the process that [BenchmarkChildren] measures: an invite, of the
// channel that its node relays, or measuredLoop.
const (
	measuredEnv  = "RELAY_BENCH_NODE"
	measuredLoop = "loop"
	// measuredSlots is how many children its node takes.
	measuredSlots = 256
)

// usage is what the measured process says of itself.
type usage struct {
	// Before and After are its CPU time, user and system, before and after the collection that RSS
	// needs.
	Before, After time.Duration
	RSS           int64 // bytes, after a collection
}

// measured is the benchmark's end of the measured process, which answers each line with its usage.
type measured struct {
	b    testing.TB
	addr string // where it listens
	in   *bufio.Scanner
	out  *os.File
}

func startMeasured(b testing.TB, what string) *measured {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMeasuredProcess$")
	cmd.Env = append(os.Environ(), measuredEnv+"="+what)
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
		w.Close() // ends the process
		_ = cmd.Wait()
	})
	m := &measured{b: b, in: bufio.NewScanner(stdout), out: w}
	m.addr = m.line()
	return m
}

func (m *measured) line() string {
	m.b.Helper()
	if !m.in.Scan() {
		m.b.Fatal("the measured process is gone: ", m.in.Err())
	}
	return m.in.Text()
}

func (m *measured) usage() usage {
	m.b.Helper()
	fmt.Fprintln(m.out)
	var u usage
	if err := json.Unmarshal([]byte(m.line()), &u); err != nil {
		m.b.Fatal(err)
	}
	return u
}

// TestMeasuredProcess is the measured process when it is told so, and else checks what
// BenchmarkChildren rests on: that children are served, and the usage told.
func TestMeasuredProcess(t *testing.T) {
	switch what := os.Getenv(measuredEnv); what {
	case "":
		source, w := newSource(t, 1)
		m := startMeasured(t, source.invite().String())
		c := newBrood(t, source.ID(), m.addr)
		c.add(t)
		for c.read.Load() < 2*stream.MaxChunk {
			if err := w.WriteTag(make([]byte, stream.MaxPayload), stream.StartHere|stream.EndsChunk); err != nil {
				t.Fatal(err)
			}
		}
		if u := m.usage(); u.Before <= 0 || u.After < u.Before || u.RSS <= 0 {
			t.Errorf("usage %+v", u)
		}
	case measuredLoop:
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- serveLoop(ln) }()
		answer(t, ln.Addr())
		ln.Close()
		<-ended
	default:
		inv, err := ParseInvite(what)
		if err != nil {
			t.Fatal(err)
		}
		s := newViewer(t, measuredSlots, inv.Channel, netip.MustParseAddrPort(inv.Hosts[0].String()))
		eventually(t, "the node is in the tree", func() bool { return s.info(t).Attached })
		answer(t, s.addr)
	}
}

// answer says where the process listens, and its usage for each line that comes.
func answer(t *testing.T, addr fmt.Stringer) {
	fmt.Println(addr)
	for ask := bufio.NewScanner(os.Stdin); ask.Scan(); {
		if err := json.NewEncoder(os.Stdout).Encode(ownUsage(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// serveLoop is the bare loop, the least that a node has to do: it reads frames from whoever connects
// first, and writes each to all others, one system call for each, in one goroutine. It keeps nothing,
// so one that takes nothing stops all.
func serveLoop(ln net.Listener) error {
	feed, err := ln.Accept()
	if err != nil {
		return err
	}
	children := make(chan net.Conn)
	go func() { // ends with the listener
		defer close(children)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			children <- conn
		}
	}()
	var all []net.Conn
	in, frame := bufio.NewReaderSize(feed, 4*stream.MaxChunk), make([]byte, stream.MaxChunk)
	for {
		select {
		case conn, ok := <-children:
			if !ok {
				return nil
			}
			all = append(all, conn)
		default:
		}
		prelude := frame[:stream.PreludeLen]
		if _, err := io.ReadFull(in, prelude); err != nil {
			return err
		}
		_, n := stream.Prelude(prelude)
		if n > stream.MaxChunk-stream.PreludeLen {
			return errors.New("the frame is no chunk")
		}
		frame := frame[:stream.PreludeLen+n]
		if _, err := io.ReadFull(in, frame[stream.PreludeLen:]); err != nil {
			return err
		}
		for _, conn := range all {
			if _, err := conn.Write(frame); err != nil {
				return err
			}
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

func ownCPU(t testing.TB) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
