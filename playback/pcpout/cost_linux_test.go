package pcpout_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// costEnv makes the test binary the server that [BenchmarkCost] measures.
const costEnv = "RELAY_PCP_COST"

// The stream: 3 Mb/s of 30 pictures a second, a keyframe every 2 s, and 43 sounds a second.
const (
	costKey, costFrame, costSound = 100_000, 10_400, 372
	costPeers                     = 200
	costWindow                    = 6 * time.Second
)

// BenchmarkCost compares what peers cost that have the channel over PCP with players that have it as FLV: CPU time of
// a server of its own for each GB that is read.
func BenchmarkCost(b *testing.B) {
	for _, form := range []string{"flv", "pcp", "flv", "pcp"} {
		b.Run(form, func(b *testing.B) {
			for b.Loop() {
				costOf(b, form)
			}
			b.ReportMetric(0, "ns/op") // the window's length says nothing
		})
	}
}

func costOf(b *testing.B, form string) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCostServer$")
	cmd.Env = append(os.Environ(), costEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { in.Close(); cmd.Wait() }()
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	addr, ch, _ := strings.Cut(strings.TrimSpace(line), " ")
	usage := func() (d time.Duration) {
		fmt.Fprintln(in)
		line, err := said.ReadString('\n')
		if err == nil {
			d, err = time.ParseDuration(strings.TrimSpace(line))
		}
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	began := usage()
	time.Sleep(costWindow / 2)
	idle := usage() - began
	var read atomic.Int64
	var conns []net.Conn
	var readers sync.WaitGroup
	for range costPeers {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
		ask := []byte("GET /stream/" + ch + ".flv HTTP/1.0\r\n\r\n")
		if form == "pcp" {
			id, err := pcp.ParseID(ch)
			if err != nil {
				b.Fatal(err)
			}
			ask = pcp.Request{Channel: id, Over: pcp.Over4}.Append(nil, addr)
			ask = pcp.Helo{Agent: "PeerCast", Version: 1218, Session: pcp.NewID()}.Append(ask)
		}
		if _, err := conn.Write(ask); err != nil {
			b.Fatal(err)
		}
		readers.Go(func() { // ends with conn
			buf := make([]byte, 64<<10)
			for {
				n, err := conn.Read(buf)
				if read.Add(int64(n)); err != nil {
					return
				}
			}
		})
	}
	time.Sleep(2 * time.Second) // until all have come
	before, bytes := usage(), read.Load()
	time.Sleep(costWindow)
	cost, n := usage()-before-2*idle, read.Load()-bytes
	for _, c := range conns {
		c.Close()
	}
	readers.Wait()
	b.ReportMetric(cost.Seconds()/(float64(n)/1e9), "cpu-s/GB")
	b.ReportMetric(float64(n)*8/1e6/costWindow.Seconds()/costPeers, "Mb/s-each")
}

// TestCostServer is the server of [BenchmarkCost], when it is told so.
func TestCostServer(t *testing.T) {
	if os.Getenv(costEnv) == "" {
		t.Skip("it serves BenchmarkCost")
	}
	s := start(t, func(c *pcpout.Config) { c.Most = 2 * costPeers })
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(stopped)
		body := make([]byte, costKey)
		copy(body, []byte{0x27, 1, 0, 0, 0})
		began := time.Now()
		for i, sounds := 0, 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / 30))):
			}
			ms := uint32(i * 1000 / 30)
			n, f := costFrame, stream.EndsChunk
			if body[0] = 0x27; i%60 == 0 {
				n, f, body[0] = costKey, stream.StartHere|stream.EndsChunk, 0x17
			}
			write(t, s, flv.NewTag(flv.Video, ms, body[:n]), f)
			for ; sounds*1024*30 < i*44100; sounds++ {
				body[0] = 0xaf
				write(t, s, flv.NewTag(flv.Audio, ms, body[:costSound]), stream.EndsChunk)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	fmt.Println(s.addr, pcp.ChannelID(s.id))
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := in.ReadString('\n'); err == io.EOF {
			return
		}
		fmt.Println(cpuTime(t))
	}
}

func write(t *testing.T, s *source, tag flv.Tag, f stream.TagFlags) {
	if err := s.writer.WriteTag(tag, f); err != nil {
		t.Error(err)
	}
}

// cpuTime is what this process has used, in user and system mode.
func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
