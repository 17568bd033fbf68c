//go:build linux

package playback

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// benchWindow is how long each number of viewers plays.
	benchWindow = 5 * time.Second
	// benchIdle is how long the server is measured without a viewer.
	benchIdle = 2 * time.Second
	// benchArrivals is how many viewers ask at the same time.
	benchArrivals = 16
	// benchFiles is how many file descriptors a process needs besides its viewers'.
	benchFiles = 64
)

// BenchmarkViewers streams to N players over loopback. The server is a process of
// its own, so that its CPU time and memory are not those of the players. Both are
// given over what it needs without any viewer.
func BenchmarkViewers(b *testing.B) {
	for _, c := range []struct {
		suffix string
		n      int
	}{{".flv", 1}, {".flv", 50}, {".flv", 200}, {".flv", 1000}, {".mp4", 50}, {".mp4", 200}, {".ts", 50}, {".ts", 200}} {
		b.Run(c.suffix[1:]+"/"+strconv.Itoa(c.n), func(b *testing.B) {
			needFiles(b, c.n)
			for b.Loop() {
				measure(b, c.suffix, c.n)
			}
			b.ReportMetric(0, "ns/op") // the window's length says nothing
		})
	}
}

func needFiles(b *testing.B, n int) {
	b.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		b.Fatal(err)
	}
	if l.Max < uint64(n+benchFiles) { // Go raises the soft limit itself
		b.Skipf("%d open files are allowed, %d are needed", l.Max, n+benchFiles)
	}
}

func measure(b *testing.B, suffix string, n int) {
	server := startBenchServer(b)
	name := newSource(b, stream.Limits{}).id.Short() + suffix
	first := crowd{addr: server.addr, name: name} // pays for what all viewers share
	first.add()
	time.Sleep(benchIdle)
	if _, err := first.leave(); err != nil {
		b.Fatal(err)
	}
	began := server.usage()
	time.Sleep(benchIdle)
	idle := server.usage()

	start := time.Now()
	c := crowd{addr: server.addr, name: name}
	for range n {
		c.add()
	}
	time.Sleep(benchWindow)
	played, read := time.Since(start), c.read.Load()
	busy := server.usage()
	firstKeys, err := c.leave()
	if err != nil {
		b.Fatal(err)
	}

	source := time.Duration(float64(idle.Before-began.After) * played.Seconds() / benchIdle.Seconds())
	b.ReportMetric((busy.Before-idle.After-source).Seconds()/(float64(read)/1e9), "cpu-s/GB")
	b.ReportMetric(float64(busy.RSS-idle.RSS)/1024/float64(n), "KB/viewer")
	b.ReportMetric(firstKeys[n*99/100].Seconds()*1000, "ms-to-first-key-p99")
	b.ReportMetric(float64(read)*8/1e6/played.Seconds()/float64(n), "Mb/s-each")
}

// crowd is a number of players that read and discard.
type crowd struct {
	addr string       // of the server
	name string       // of the channel, with the format's suffix
	read atomic.Int64 // bytes, of all

	arriving chan struct{} // bounds how many ask at the same time
	players  sync.WaitGroup

	mu        sync.Mutex
	conns     []net.Conn
	firstKeys []time.Duration // from the connect to the whole first key frame
	err       error           // the first that happened
}

// add starts a player, once few enough are on their way to their first key frame.
func (c *crowd) add() {
	if c.arriving == nil {
		c.arriving = make(chan struct{}, benchArrivals)
	}
	c.arriving <- struct{}{}
	c.players.Go(func() {
		conn, err := c.arrive()
		<-c.arriving
		if err == nil {
			io.Copy(c, conn) // until leave closes conn
		}
	})
}

func (c *crowd) arrive() (net.Conn, error) {
	start := time.Now()
	conn, err := net.Dial("tcp", c.addr)
	if err == nil {
		err = c.readFirstKey(conn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.err = cmp.Or(c.err, err)
		return nil, err
	}
	c.conns = append(c.conns, conn)
	c.firstKeys = append(c.firstKeys, time.Since(start))
	return conn, nil
}

// readFirstKey asks for the only channel and reads up to the end of the first
// video tag that is no configuration, or where that is hard to see as many bytes.
func (c *crowd) readFirstKey(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /"+c.name+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return err
	}
	r := bufio.NewReader(io.TeeReader(conn, c))
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	if !strings.HasSuffix(c.name, ".flv") {
		_, err := r.Discard(benchKeySize)
		return err
	}
	if _, err := r.Discard(flv.FileHeaderLen); err != nil {
		return err
	}
	for {
		head, err := r.Peek(flv.TagHeaderLen)
		if err != nil {
			return err
		}
		n := flv.TagHeaderLen + flv.BodyLen(head) + flv.TagTrailerLen
		tag := make(flv.Tag, n)
		if _, err := io.ReadFull(r, tag); err != nil {
			return err
		}
		if flv.Classify(tag).Key {
			return nil
		}
	}
}

// Write counts what players read.
func (c *crowd) Write(b []byte) (int, error) {
	c.read.Add(int64(len(b)))
	return len(b), nil
}

// leave ends all players. It returns how long each waited for its first key frame,
// in ascending order.
func (c *crowd) leave() ([]time.Duration, error) {
	c.mu.Lock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.mu.Unlock()
	c.players.Wait()
	slices.Sort(c.firstKeys)
	return c.firstKeys, c.err
}
