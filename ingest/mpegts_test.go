package ingest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/playback/remux"
)

// transport returns the demo's clip as MPEG-TS, and its frames. What is made here is what comes out
// of a channel as .ts.
func transport(t *testing.T) (ts []byte, frames []flv.Tag) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "cli", "demo", "demo.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := remux.NewTS()
	var all []flv.Tag
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, tag); framesOf(tag) {
			frames = append(frames, tag)
		}
	}
	out, err := to.Convert(flv.BatchOf(all...))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range out {
		ts = append(ts, b...)
	}
	return ts, frames
}

func framesOf(t flv.Tag) bool {
	c, ok := flv.Decode(t)
	return ok && !c.Config
}

// arrived are the frames that a channel has taken.
func (c *channel) arrived() (frames []flv.Tag) {
	for len(c.accepted) > 0 {
		if tag := <-c.accepted; framesOf(tag) {
			frames = append(frames, tag)
		}
	}
	return frames
}

// same checks that frames are those that were sent, as far from each other in time as they were.
func same(t *testing.T, got, want []flv.Tag) {
	t.Helper()
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		of := func(tags []flv.Tag) []flv.Tag {
			return slices.DeleteFunc(slices.Clone(tags), func(t flv.Tag) bool { return t.Type() != typ })
		}
		g, w := of(got), of(want)
		if len(g) != len(w) {
			t.Errorf("%d frames of type %d, want %d", len(g), typ, len(w))
			continue
		}
		for i := range g {
			a, _ := flv.Decode(g[i])
			b, _ := flv.Decode(w[i])
			// All are counted from the first picture, sound and pictures alike.
			late := int32(g[i].Timestamp()-of(got)[0].Timestamp()) - int32(w[i].Timestamp()-of(want)[0].Timestamp())
			if !bytes.Equal(a.Data, b.Data) || a.Offset != b.Offset || late < -1 || late > 1 {
				t.Fatalf("frame %d of type %d: %d bytes, %d ms late; want %d bytes", i, typ, len(a.Data), late, len(b.Data))
			}
		}
	}
}

func TestMPEGTSComesInByEveryWay(t *testing.T) {
	ts, want := transport(t)
	path := filepath.Join(t.TempDir(), "in.ts")
	if err := os.WriteFile(path, ts, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // a file has its own pace
		c := newChannel(t)
		start := time.Now()
		if err := (&File{Path: path, Open: c.Open}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		length := time.Duration(want[len(want)-1].Timestamp()) * time.Millisecond
		if d := time.Since(start); d < length-time.Second || d > length+time.Second {
			t.Errorf("%v of media took %v", length, d)
		}
		same(t, c.arrived(), want)
	})
	c := newChannel(t)
	if err := (&Pipe{From: bytes.NewReader(ts), Open: c.Open}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i := c.Status().Info; i.VideoCodec != "h264" || i.AudioCodec != "aac" || i.Width == 0 {
		t.Errorf("%+v", i)
	}
	if st := c.Status(); len(st.Dropped) > 0 {
		t.Errorf("dropped %v", st.Dropped)
	}

	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(ts)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer srv.Close()
	c = newChannel(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&HTTPPull{URL: ingesttest.ParseURL(t, srv.URL+"?program=1"), Open: c.Open}).Run(ctx) }()
	for n := 0; n < len(want)-1; { // the last picture ends where another begins
		if framesOf(<-c.accepted) {
			n++
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A file that is repeated goes on in time, and says once what is wrong with it.
func TestMPEGTSIsRepeated(t *testing.T) {
	ts, want := transport(t)
	core, said := observer.New(zap.WarnLevel)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		done := make(chan error)
		go func() {
			done <- (&File{Path: "a.ts", From: bytes.NewReader(ts), Loop: true, Open: c.Open, Log: zap.New(core)}).Run(ctx)
		}()
		last, n := uint32(0), 0
		for n < 2*len(want) {
			if tag := <-c.accepted; framesOf(tag) {
				if n++; tag.Timestamp()+interleaved < last {
					t.Fatalf("frame %d goes back from %d to %d", n, last, tag.Timestamp())
				}
				last = tag.Timestamp()
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if said.Len() > 0 {
		t.Errorf("%v", said.All())
	}
}

// interleaved is how far apart sound and pictures of one moment come in the clip, in milliseconds.
const interleaved = 500

func TestMPEGTSOverUDP(t *testing.T) {
	ts, want := transport(t)
	c := newChannel(t)
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.LocalAddr().(*net.UDPAddr).AddrPort()
	free.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&UDP{Addr: UDPAddr{AddrPort: addr}, Name: "udp://x", Open: c.Open}).Run(ctx) }()
	from, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	got := 0
	// Again until it listens, and no more at once than a socket holds: one seen before the next is sent.
	for b := ts[:min(len(ts), 60*7*188)]; got == 0 && t.Context().Err() == nil; {
		for p := b; len(p) > 0; p = p[min(len(p), 7*188):] {
			_, _ = from.Write(p[:min(len(p), 7*188)])
		}
		select {
		case tag := <-c.accepted:
			if framesOf(tag) {
				got++
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got == 0 || len(want) == 0 {
		t.Error("nothing came")
	}
}

// udpTest is what comes to a port, by a clock of its own.
type udpTest struct {
	*channel
	in   *datagrams
	now  time.Time
	said *observer.ObservedLogs
}

func newUDPTest(t *testing.T) *udpTest {
	core, said := observer.New(zap.WarnLevel)
	c := newChannel(t)
	u := &udpTest{channel: c, said: said, now: time.Now()}
	u.in = newDatagrams(&UDP{Name: "udp://:1234", Open: c.Open, Log: zap.New(core)})
	u.in.began = u.now
	return u
}

func (u *udpTest) send(t *testing.T, from string, b []byte, head string) {
	t.Helper()
	for len(b) > 0 {
		n := min(len(b), 7*188)
		if err := u.in.take(u.now, udpSender{AddrPort: netip.MustParseAddrPort(from)}, slices.Concat([]byte(head), b[:n])); err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
}

func (u *udpTest) warnings() (all string) {
	for _, e := range u.said.TakeAll() {
		all += e.Message + "; "
	}
	return all
}

func TestOneSenderAtATime(t *testing.T) {
	ts, _ := transport(t)
	synctest.Test(t, func(t *testing.T) {
		u := newUDPTest(t)
		half := len(ts) / 188 / 2 * 188
		u.send(t, "192.0.2.1:5", ts[:half], "")
		n := len(u.arrived())
		u.send(t, "192.0.2.2:5", ts, "") // another one
		if got := len(u.arrived()); n == 0 || got != 0 || u.warnings() != "another sends to the same port; " || u.Status().Sessions != 1 {
			t.Errorf("%d frames, and %d of another, %+v", n, got, u.Status())
		}
		u.now = u.now.Add(takeoverAfter)
		u.send(t, "192.0.2.2:5", ts, "") // the first has been silent
		if got := len(u.arrived()); got <= n || u.warnings() != "" || u.Status().Sessions != 2 {
			t.Errorf("%d frames of the second, %+v", got, u.Status())
		}
		u.in.close()
	})
}

func TestSilenceOverUDP(t *testing.T) {
	ts, _ := transport(t)
	synctest.Test(t, func(t *testing.T) {
		u := newUDPTest(t)
		u.in.silent(u.now.Add(9 * time.Second))
		if w := u.warnings(); w != "" {
			t.Error(w)
		}
		u.in.silent(u.now.Add(10 * time.Second))
		u.in.silent(u.now.Add(20 * time.Second))
		if w := u.warnings(); w != "nothing is sent there; " {
			t.Error(w)
		}
		u.now = u.now.Add(21 * time.Second)
		u.send(t, "192.0.2.1:5", ts, "")
		if u.in.silent(u.now.Add(9 * time.Second)); !u.Status().Live {
			t.Error("it is not live")
		}
		u.in.silent(u.now.Add(10 * time.Second))
		if w := u.warnings(); u.Status().Live || w != "nothing is sent there; " {
			t.Errorf("%+v, %s", u.Status(), w)
		}
	})
}

func TestDatagrams(t *testing.T) {
	ts, _ := transport(t)
	rtp := "\x80\x21\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"
	plain := newUDPTest(t)
	plain.send(t, "192.0.2.1:5", ts, "")
	want := len(plain.arrived())
	for name, head := range map[string]string{
		"RTP":                  rtp,
		"RTP with two sources": "\x82" + rtp[1:] + "12345678",
		"RTP with an addition": "\x90" + rtp[1:] + "\xbe\xde\x00\x01abcd",
	} {
		u := newUDPTest(t)
		u.send(t, "192.0.2.1:5", ts, head)
		if got := len(u.arrived()); got != want || want == 0 {
			t.Errorf("%s: %d frames, want %d", name, got, want)
		}
	}
	for name, b := range map[string]string{
		"nothing": "", "text": "hello", "half a packet": string(ts[:100]), "RTP alone": rtp, "RTP of something else": rtp + strings.Repeat("x", 400),
		"an addition beyond": "\x90" + rtp[1:] + "\xbe\xde\xff\xff" + strings.Repeat("\x47", 400), "sources beyond": "\x8f" + rtp[1:] + strings.Repeat("\x47", 20),
	} {
		u := newUDPTest(t)
		for range 3 {
			if err := u.in.take(u.now, udpSender{}, []byte(b)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if w := u.warnings(); w != "what is sent there is of no use; " || u.Status().Sessions != 0 {
			t.Errorf("%s: %s", name, w)
		}
	}
}

func TestAddressesOfUDP(t *testing.T) {
	for in, want := range map[string]string{
		"udp://239.1.1.1:1234":      "239.1.1.1:1234 0",
		"udp://@239.1.1.1:1234":     "239.1.1.1:1234 0",
		"udp://:1234":               "[::]:1234 0",
		"udp://@:1234?program=3":    "[::]:1234 3",
		"udp://[ff15::1]:1234":      "[ff15::1]:1234 0",
		"udp://127.0.0.1:1234/":     "127.0.0.1:1234 0",
		"udp://239.1.1.1":           ErrUDPAddr.Error(),
		"udp://239.1.1.1:0":         ErrUDPAddr.Error(),
		"udp://239.1.1.1:1234/x":    ErrUDPAddr.Error(),
		"udp://name:1234":           ErrUDPAddr.Error(),
		"udp://:1234?program=0":     ErrUDPProgram.Error(),
		"udp://:1234?program=70000": ErrUDPProgram.Error(),
	} {
		a, err := ParseUDP(ingesttest.ParseURL(t, in))
		got := a.String() + " " + string(rune('0'+a.Program))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
