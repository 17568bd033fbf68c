package abuse

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/ingest"
	"relay/ingest/flv"
	"relay/playback/remux"
	"relay/relay/stream"
)

// What strangers send to a port at which MPEG-TS comes in neither ends that nor gets into what an honest sender sends: what
// arrives is his, up to its end, and nothing else.
func TestStrangersPacketsAreNotTakenForTheSenders(t *testing.T) {
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.LocalAddr().(*net.UDPAddr).AddrPort()
	free.Close()
	var mu sync.Mutex
	var taken []flv.Tag
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(taken)
	}
	now := time.Now()
	w := stream.NewWriter(stream.NewRing(stream.Limits{}), ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), stream.NextEpoch(stream.Epoch{}, now, 1), now)
	in := ingest.NewInput(w, func(tag flv.Tag) {
		mu.Lock()
		defer mu.Unlock()
		if c, ok := flv.Decode(tag); ok && !c.Config {
			taken = append(taken, flv.Tag(bytes.Clone(c.Data)))
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { // ends with ctx
		ended <- (&ingest.UDP{Addr: ingest.UDPAddr{AddrPort: addr}, Name: "udp://test", Open: in.Open}).Run(ctx)
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	sender, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	ts, frames := demoTS(t)
	send := func(from, to int) { // at a sender's pace: of more at once a socket drops some
		for p := ts[from:to]; len(p) > 0; p = p[min(len(p), 7*188):] {
			_, _ = sender.Write(p[:min(len(p), 7*188)])
			time.Sleep(time.Millisecond)
		}
	}
	half := len(ts) / 188 / 2 * 188
	for until := time.Now().Add(patience); count() == 0; { // until it listens
		if time.Now().After(until) {
			t.Fatal("nothing arrives")
		}
		send(0, half)
	}
	a := &attack{target: Target{MPEGTS: addr}}
	inputs := inputsOf(stream.ChannelID{}, hostile.MPEGTS)
	if len(inputs) < 25 {
		t.Fatalf("%d inputs", len(inputs))
	}
	for i, input := range inputs {
		at := half + i*(len(ts)-half)/len(inputs)/188*188
		to := half + (i+1)*(len(ts)-half)/len(inputs)/188*188
		other, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(a.target.address(hostile.MPEGTS)))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = other.Write(input.Bytes)
		other.Close()
		send(at, to)
		select {
		case err := <-ended:
			t.Fatalf("%s: it ends with %v", input.Name, err)
		default:
		}
	}
	known := make(map[string]int)
	for i, f := range frames {
		known[string(f)] = i
	}
	for until := time.Now().Add(patience); ; send(len(ts)-(len(ts)/188/10*188), len(ts)) { // again, if a busy machine has dropped the end
		mu.Lock()
		last, n := -1, 0
		for _, tag := range taken {
			if at, ok := known[string(tag)]; !ok {
				mu.Unlock()
				t.Fatal("something arrives that nobody honest has sent")
			} else {
				last = max(last, at)
				n++
			}
		}
		mu.Unlock()
		if last > len(frames)-10 && n > len(frames)/2 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d frames arrive, the last of them the %dth of %d", n, last, len(frames))
		}
	}
}

// demoTS is the demo's clip as MPEG-TS, and the data of its frames.
func demoTS(t *testing.T) (ts []byte, frames [][]byte) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "demo", "demo.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []flv.Tag
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tag)
		if c, ok := flv.Decode(tag); ok && !c.Config {
			frames = append(frames, bytes.Clone(c.Data))
		}
	}
	out, err := remux.NewTS().Convert(flv.BatchOf(all...))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range out {
		ts = append(ts, b...)
	}
	return ts, frames
}
