package pcpin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

const (
	lines200 = "HTTP/1.0 200 OK\r\nServer: x\r\nContent-Type: application/x-peercast-pcp\r\n\r\n"
	lines503 = "HTTP/1.0 503 Service Unavailable\r\nServer: x\r\nContent-Type: application/x-peercast-pcp\r\n\r\n"
)

// Bytes of atoms, by hand where it matters what they are.
var (
	theirs = append([]byte{0xab}, make([]byte, 15)...) // a session
	oleh   = "oleh\x02\x00\x00\x80" + "sid\x00\x10\x00\x00\x00" + string(theirs) + "ver\x00\x04\x00\x00\x00\xc2\x04\x00\x00"
	quit   = "quit\x04\x00\x00\x00\xeb\x03\x00\x00" // 1003
	id     = "id\x00\x00\x10\x00\x00\x00" + string(channel[:])
)

// len4 is a length, or a number of children.
func len4(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

const kids = 1 << 31

func atomOf(name string, data string) string {
	return (name + "\x00\x00\x00\x00")[:4] + len4(uint32(len(data))) + data
}

func parentOf(name string, children ...string) string {
	return (name + "\x00\x00\x00\x00")[:4] + len4(kids|uint32(len(children))) + strings.Join(children, "")
}

// pkt is a chan with a packet.
func pkt(typ string, pos uint32, cont byte, data string) string {
	children := []string{atomOf("type", typ), atomOf("pos", len4(pos))}
	if cont != 0 {
		children = append(children, atomOf("cont", string([]byte{cont})))
	}
	return parentOf("chan", id, parentOf("pkt", append(children, atomOf("data", data))...))
}

// hostAtom names a host.
func hostAtom(at string, more ...string) string {
	a := netip.MustParseAddrPort(at)
	ip := a.Addr().AsSlice()
	slices.Reverse(ip)
	return parentOf("host", append([]string{
		atomOf("cid", string(channel[:])), atomOf("ip", string(ip)), atomOf("port", string(binary.LittleEndian.AppendUint16(nil, a.Port()))), atomOf("flg1", "\x12"),
	}, more...)...)
}

// long fills a host atom up to what real ones have.
var long = atomOf("pad", strings.Repeat("x", 150))

func many(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

func victim(i int) string { return fmt.Sprintf("198.51.100.%d:%d", i%250+1, 5000+i%10_000) }

// tagOf is one whole picture or sound.
func tagOf(ts uint32, first byte, n int) string {
	body := bytes.Repeat([]byte{7}, n)
	body[0], body[1] = first, 1
	typ := flv.Video
	if first>>4 == 10 {
		typ = flv.Audio
	}
	return string(flv.NewTag(typ, ts, body))
}

// liar serves whatever it has to say to who asks.
type liar struct {
	says  string
	every string             // what it says again and again behind it
	each  func(n int) string // or this
	pause time.Duration      // between two of these
	close bool               // it hangs up when all is said
}

func (l liar) serve(ctx context.Context, conn net.Conn, asked io.Writer) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	r := bufio.NewReader(io.TeeReader(conn, asked))
	for { // the request
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			break
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(io.Discard, r) })
	defer reading.Wait()
	defer conn.Close()
	if _, err := io.WriteString(conn, l.says); err != nil {
		return
	}
	if l.close {
		time.Sleep(100 * time.Millisecond) // so that what is said meanwhile is no error
		return
	}
	for n := 0; l.every != "" || l.each != nil; n++ {
		say := l.every
		if l.each != nil {
			say = l.each(n)
		}
		if _, err := io.WriteString(conn, say); err != nil {
			return
		}
		select {
		case <-time.After(l.pause):
		case <-ctx.Done():
			return
		}
	}
	<-ctx.Done()
}

// liar starts one at an address.
func (w *world) liar(at netip.AddrPort, l liar) *bytes.Buffer {
	ln, err := w.net.Host(at.Addr()).Listen(at.Port())
	if err != nil {
		w.t.Fatal(err)
	}
	asked := &bytes.Buffer{}
	context.AfterFunc(w.ctx, func() { ln.Close() })
	go func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go l.serve(w.ctx, conn, asked)
		}
	}()
	return asked
}

func TestATipThatLies(t *testing.T) {
	start := pkt("head", 0, 0, string(head))
	next := uint32(len(head))
	picture := tagOf(0, 0x17, 3000)
	counts := func(c map[refusal.Reason]uint64) map[refusal.Reason]uint64 { return c }
	one := func(why refusal.Reason) map[refusal.Reason]uint64 { return counts(map[refusal.Reason]uint64{why: 1}) }
	good := lines200 + oleh + start
	for _, c := range []struct {
		name string
		liar
		want    error
		within  time.Duration // 0 for at once
		refused map[refusal.Reason]uint64
		tags    int // at least; that many come, and no error
	}{
		// Lines of HTTP.
		{name: "nothing", want: ErrLate, within: handshakeTime},
		{name: "a byte a second", liar: liar{says: "HTTP/1.0 200 OK\r\nX:", every: "x", pause: time.Second}, want: ErrLate, within: handshakeTime},
		{name: "lines without an end", liar: liar{says: "HTTP/1.0 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000)}, want: ErrNotPeerCast, refused: one(pcp.LongHead)},
		{name: "a line of 1 MiB", liar: liar{says: "HTTP/1.0 200 OK\r\nX: " + strings.Repeat("y", 1<<20)}, want: ErrNotPeerCast, refused: one(pcp.LongHead)},
		{name: "another protocol", liar: liar{says: "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, want: ErrNotPeerCast, refused: one(pcp.NotHTTP)},
		{name: "a page", liar: liar{says: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"}, want: ErrNotPeerCast},
		{name: "a way to somewhere else", liar: liar{says: "HTTP/1.0 302 Found\r\nLocation: http://198.51.100.1:5000/\r\n\r\n"}, want: ErrRefused},
		{name: "not there", liar: liar{says: "HTTP/1.0 404 Not Found\r\n\r\n"}, want: ErrNotThere},
		{name: "a status of two digits", liar: liar{says: "HTTP/1.0 20 OK\r\n\r\n"}, want: ErrNotPeerCast, refused: one(pcp.NotHTTP)},
		{name: "a status below 100", liar: liar{says: "HTTP/1.0 099 OK\r\n\r\n"}, want: ErrNotPeerCast, refused: one(pcp.NotHTTP)},
		{name: "hangs up", liar: liar{close: true}, want: ErrEnded},

		// Atoms before the stream.
		{name: "an oleh of 2 GiB", liar: liar{says: lines200 + "oleh\xff\xff\xff\x7f"}, want: ErrNotPeerCast, refused: one(pcp.Long)},
		{name: "an oleh of 2^31-1 children", liar: liar{says: lines200 + "oleh\xff\xff\xff\xff"}, want: ErrNotPeerCast, refused: one(pcp.Kids)},
		{name: "65 children", liar: liar{says: lines200 + "oleh\x41\x00\x00\x80"}, want: ErrNotPeerCast, refused: one(pcp.Kids)},
		{name: "depth 5", liar: liar{says: lines200 + many(5, func(int) string { return "bcst\x01\x00\x00\x80" })}, want: ErrNotPeerCast, refused: one(pcp.Deep)},
		{name: "an unknown atom", liar: liar{says: lines200 + atomOf("evil", "x")}, want: ErrNotPeerCast, refused: one(pcp.Unknown)},
		{name: "a session of 15 bytes", liar: liar{says: lines200 + parentOf("oleh", atomOf("sid", string(theirs[:15])))}, want: ErrNotPeerCast, refused: one(pcp.Size)},
		{name: "no session", liar: liar{says: lines200 + parentOf("oleh", atomOf("ver", len4(1218)))}, want: ErrNotPeerCast, refused: one(pcp.Missing)},
		{name: "our own session", liar: liar{says: lines200 + parentOf("oleh", atomOf("sid", string([]byte{1, 1, 14: 0, 15: 0})))}, want: ErrSelf},
		{name: "a version too old", liar: liar{says: lines200 + parentOf("oleh", atomOf("sid", string(theirs)), atomOf("ver", len4(1199)))}, want: ErrOld},
		{name: "a quit of 5 bytes", liar: liar{says: lines200 + atomOf("quit", "12345")}, want: ErrNotPeerCast, refused: one(pcp.Size)},
		{name: "ok without an oleh", liar: liar{says: lines200, every: atomOf("ok", len4(1))}, want: ErrNotPeerCast},
		{name: "half an atom", liar: liar{says: lines200 + "oleh\x02", close: true}, want: io.ErrUnexpectedEOF},
		{name: "an oleh byte by byte", liar: liar{says: lines200 + "oleh\x02\x00\x00\x80sid\x00\x10\x00\x00\x00", every: "x", pause: 2 * time.Second}, want: ErrLate, within: handshakeTime},

		// The stream.
		{name: "nothing behind the oleh", liar: liar{says: lines200 + oleh}, want: ErrSilent, within: silence},
		{name: "an unknown atom in a chan", liar: liar{says: lines200 + oleh + parentOf("chan", id, atomOf("evil", "x"))}, want: ErrNotPeerCast, refused: one(pcp.Unknown)},
		{name: "a position of 2 bytes", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("pkt", atomOf("type", "head"), atomOf("pos", "\x00\x00"), atomOf("data", "FLV")))}, want: ErrNotPeerCast, refused: one(pcp.Size)},
		{name: "a head of 1 GiB", liar: liar{says: lines200 + oleh + "chan\x02\x00\x00\x80" + id + "pkt\x00\x03\x00\x00\x80" + atomOf("type", "head") + atomOf("pos", len4(0)) + "data\x00\x00\x00\x40"}, want: ErrNotPeerCast, refused: one(pcp.Long)},
		{name: "a head that is said to be data until its length has come", liar: liar{says: lines200 + oleh + "chan\x02\x00\x00\x80" + id + "pkt\x00\x03\x00\x00\x80" + atomOf("pos", len4(0)) + "data\x00\x00\x01\x00"}, want: ErrNotPeerCast, refused: one(pcp.Long)},
		{name: "data of 20,481 bytes", liar: liar{says: good + pkt("data", next, 0, strings.Repeat("x", 20_481))}, want: ErrNotPeerCast, refused: one(pcp.Long)},
		{name: "two data in a packet", liar: liar{says: good + parentOf("chan", id, parentOf("pkt", atomOf("type", "data"), atomOf("pos", len4(next)), atomOf("data", "x"), atomOf("data", "y")))}, want: ErrNotPeerCast, refused: one(pcp.Kids)},
		{name: "a name of 16 KiB", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("name", strings.Repeat("x", 16<<10))))}, want: ErrNotPeerCast, refused: one(pcp.Long)},
		{name: "a head that is no FLV", liar: liar{says: lines200 + oleh + pkt("head", 0, 0, "OggS"+strings.Repeat("x", 1000))}, want: &TypeError{"Ogg"}},
		{name: "a head of Matroska that goes on as something else", liar: liar{says: lines200 + oleh + pkt("head", 0, 0, "\x1a\x45\xdf\xa3"+strings.Repeat("x", 1000)) + pkt("data", 0, 0, strings.Repeat("x", 1000))}, want: ErrSilent, within: silence},
		{name: "a head of nothing", liar: liar{says: lines200 + oleh + pkt("head", 0, 0, "")}, want: &TypeError{"nothing at all"}},
		{name: "a type that is not brought in", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("type", "MK\x1bV\x00"))) + pkt("head", 0, 0, "OggS")}, want: &TypeError{"MK\ufffdV"}},
		{name: "sound without a head", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("type", "OGM\x00"))) + pkt("data", 0, 0, "\xff\xfb\x90\x00")}, want: &TypeError{"OGM"}},
		{name: "MP3 with the head of something else", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("type", "MP3\x00"))) + pkt("head", 0, 0, "OggS"+strings.Repeat("x", 1000))}, want: &TypeError{"MP3"}},
		{name: "another channel's packets", liar: liar{says: lines200 + oleh, every: strings.ReplaceAll(start+pkt("data", next, 0, picture), string(channel[:]), strings.Repeat("z", 16)), pause: time.Second}, want: ErrSilent, within: silence},
		{name: "data and no head", liar: liar{says: lines200 + oleh, every: pkt("data", 0, 0, picture), pause: time.Second}, want: ErrSilent, within: silence},
		{name: "a head again and again", liar: liar{says: good, every: start, pause: 100 * time.Millisecond}, want: ErrSilent, within: silence},
		{name: "empty data again and again", liar: liar{says: good, every: pkt("data", next, 0, ""), pause: 100 * time.Millisecond}, want: ErrSilent, within: silence},
		{name: "words again and again", liar: liar{says: good, every: parentOf("chan", id, parentOf("info", atomOf("name", "x\x00"))), pause: 100 * time.Millisecond}, want: ErrSilent, within: silence},
		{name: "off the air", liar: liar{says: good + atomOf("quit", len4(1008))}, want: ErrOffAir},
		{name: "a tag of 16 MiB, and of nothing else", liar: liar{says: good + pkt("data", next, 0, "\x09\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x17"), every: pkt("data", next, 1, "x"), pause: time.Second}, want: ErrSilent, within: silence},
		{name: "a stream that never begins a tag", liar: liar{says: good, each: func(n int) string { return pkt("data", next+uint32(n)*20, 0, strings.Repeat("x", 20)) }, pause: 500 * time.Millisecond}, want: ErrSilent, within: tagless},

		// What is not as it should be, and comes through none the less.
		{name: "a packet again and again", liar: liar{says: good + pkt("data", next, 0, picture), every: pkt("data", next, 0, picture), pause: time.Second}, tags: 1},
		{name: "texts that are too long", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("name", strings.Repeat("x", 9000)), atomOf("type", "flv\x00"))) + start + pkt("data", next, 0, picture)}, tags: 1},
		{name: "what nobody knows in a packet", liar: liar{says: good + parentOf("chan", id, parentOf("pkt", atomOf("what", "x"), atomOf("type", "data"), atomOf("pos", len4(next)), atomOf("data", picture)))}, tags: 1},
		{name: "a channel of Matroska", liar: liar{says: lines200 + oleh + parentOf("chan", id, parentOf("info", atomOf("type", "MKV\x00"))) +
			pkt("head", 0, 0, "\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\x16\x54\xae\x6b\x90\xae\x8e\xd7\x81\x02\x83\x81\x02\x86\x86A_OPUS") +
			pkt("data", 31, 0, "\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x88\x82\x00\x00\x80\xfcabc") + pkt("data", 49, 1, "\xa3\x88\x82\x00\x14\x80\xfcabc")}, tags: 2},
		{name: "packets of another kind", liar: liar{says: good + pkt("meta", next, 0, picture) + pkt("data", next, 0, picture)}, tags: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				w.liar(at(10), c.liar)
				began := time.Now()
				w.pull(at(10))
				if c.tags > 0 {
					time.Sleep(2 * time.Second)
					if n := len(w.frames()); n != c.tags {
						t.Errorf("%d tags, want %d", n, c.tags)
					}
					return
				}
				err := <-w.run
				w.end = nil
				took := time.Since(began)
				var typ *TypeError
				if want, ok := c.want.(*TypeError); ok {
					if !errors.As(err, &typ) || *typ != *want {
						t.Errorf("%v, want %v", err, want)
					}
				} else if !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if took < c.within || took > c.within+time.Second {
					t.Errorf("it took %v, not %v", took, c.within)
				}
				if got := w.refused.All(); !maps.Equal(got, c.refused) {
					t.Errorf("refused %v, want %v", got, c.refused)
				}
			})
		})
	}
}

// dialled takes down what is dialled.
func (w *world) dialled() func() []string {
	var mu sync.Mutex
	var all []string
	w.hooked = func(addr string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, addr)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestATipThatNamesVictims(t *testing.T) {
	same := func(n int, f func(i int) string) string { return lines503 + oleh + many(n, f) + quit }
	all := func(list ...string) string {
		return same(len(list), func(i int) string { return hostAtom(list[i], long) })
	}
	for _, c := range []struct {
		name    string
		tip     string
		says    string
		dials   int // of hosts that are named, at least in the first round
		refused map[refusal.Reason]uint64
	}{
		{name: "one", tip: "203.0.113.10:7144", says: all("198.51.100.1:5000"), dials: 1},
		{name: "eight", tip: "203.0.113.10:7144", says: same(8, func(i int) string { return hostAtom(victim(i), long) }), dials: 8},
		{
			name: "in networks of their own", tip: "203.0.113.10:7144",
			says:    all("10.0.0.1:7144", "192.168.1.1:8080", "172.16.0.1:7144", "100.64.0.1:7144", "127.0.0.1:7145", "[fc00::1]:7144", "[fe80::1]:7144", "[::1]:7145"),
			refused: map[refusal.Reason]uint64{PlaceInside: 8},
		},
		{
			name: "where nobody is", tip: "203.0.113.10:7144",
			says:    all("169.254.169.254:8000", "100.100.100.200:8000", "240.0.0.1:7144", "0.1.2.3:7144", "[fd00:ec2::254]:8000", "255.255.255.255:7144"),
			refused: map[refusal.Reason]uint64{PlaceNowhere: 6},
		},
		{
			name: "for many, and for none", tip: "203.0.113.10:7144", says: all("224.0.0.1:7144", "[ff02::1]:7144", "0.0.0.0:7144", "[::]:7144", "198.51.100.1:0"),
			refused: map[refusal.Reason]uint64{PlaceShut: 5},
		},
		{
			name: "as IPv6 what is IPv4", tip: "203.0.113.10:7144", says: all("[::ffff:10.0.0.1]:7144", "[::ffff:127.0.0.1]:7145"),
			refused: map[refusal.Reason]uint64{PlaceInside: 2},
		},
		{
			name: "ports of services", tip: "203.0.113.10:7144", says: all("198.51.100.1:25", "198.51.100.1:22", "198.51.100.1:80", "198.51.100.1:1023", "198.51.100.1:1024"), dials: 1,
			refused: map[refusal.Reason]uint64{PlacePort: 4},
		},
		{
			name: "a million", tip: "203.0.113.10:7144", says: lines503 + oleh + strings.Repeat(hostAtom("198.51.100.1:5000", long), 10_000), dials: 1,
			refused: map[refusal.Reason]uint64{PlaceMany: 56},
		},
		{
			name: "a million others", tip: "203.0.113.10:7144", says: lines503 + oleh + many(1_000_000/100, func(i int) string { return hostAtom(victim(i), long) }), dials: 8,
			refused: map[refusal.Reason]uint64{PlaceMany: 56},
		},
		{name: "itself", tip: "203.0.113.10:7144", says: all("203.0.113.10:7144"), refused: map[refusal.Reason]uint64{PlaceSelf: 1}},
		{
			name: "us", tip: "203.0.113.10:7144", says: same(1, func(int) string {
				return hostAtom("198.51.100.1:5000", atomOf("id", string([]byte{1, 1, 15: 0})), long)
			}),
			refused: map[refusal.Reason]uint64{PlaceSelf: 1},
		},
		{name: "those of another channel", tip: "203.0.113.10:7144", says: same(1, func(int) string {
			return hostAtom("198.51.100.1:5000", atomOf("cid", strings.Repeat("z", 16)), long)
		}), refused: map[refusal.Reason]uint64{PlaceShut: 1}},
		{name: "who cannot be dialled, or has nothing", tip: "203.0.113.10:7144", says: same(2, func(i int) string {
			return hostAtom("198.51.100.1:5000", atomOf("flg1", string("\x1a\x02"[i])), long)
		}), refused: map[refusal.Reason]uint64{PlaceShut: 2}},
		{
			name: "with fewer bytes than a request has", tip: "203.0.113.10:7144", says: same(8, func(i int) string { return hostAtom(victim(i)) }), dials: 4,
			refused: map[refusal.Reason]uint64{PlaceUnpaid: 1},
		},
		{name: "an address of 5 bytes", tip: "203.0.113.10:7144", says: lines503 + oleh + parentOf("host", atomOf("ip", "12345")) + quit, refused: map[refusal.Reason]uint64{pcp.Size: 1}},
		{name: "a port of 4 bytes", tip: "203.0.113.10:7144", says: lines503 + oleh + parentOf("host", atomOf("port", "1234")) + quit, refused: map[refusal.Reason]uint64{pcp.Size: 1}},
		{
			name: "in the network that it is in itself", tip: "10.0.0.9:7144", says: all("10.0.0.1:7144", "192.168.0.1:7144", "127.0.0.1:7145"), dials: 1,
			refused: map[refusal.Reason]uint64{PlaceInside: 2},
		},
		{name: "pushes", tip: "203.0.113.10:7144", says: lines503 + oleh + parentOf("bcst", atomOf("grp", "\x04"), parentOf("push", atomOf("ip", "\x01\x64\x33\xc6"), atomOf("port", "\x88\x13"), atomOf("cid", string(channel[:])))) + parentOf("push", atomOf("ip", "\x01\x64\x33\xc6"), atomOf("port", "\x88\x13")) + quit},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				tip := netip.MustParseAddrPort(c.tip)
				w.liar(tip, liar{says: c.says})
				asked := w.liar(netip.MustParseAddrPort("198.51.100.1:5000"), liar{})
				dials := w.dialled()
				w.pull(tip)
				err := <-w.run
				w.end = nil
				if err == nil {
					t.Error("no error")
				}
				if got := dials(); len(got) != 1+c.dials || got[0] != c.tip {
					t.Errorf("dialled %v, want %d besides the tip", got, c.dials)
				}
				if got := w.refused.All(); !maps.Equal(got, c.refused) {
					t.Errorf("refused %v, want %v", got, c.refused)
				}
				if asked.Len() > len(c.says) {
					t.Errorf("a victim gets %d bytes for %d", asked.Len(), len(c.says))
				}
			})
		})
	}
}

func TestHostsThatSendUsRound(t *testing.T) {
	inBubble(t, func(w *world) {
		for i, next := range map[byte]byte{10: 11, 11: 12, 12: 10} {
			w.liar(at(i), liar{says: lines503 + oleh + hostAtom(at(next).String(), long) + quit})
		}
		dials := w.dialled()
		w.pull(at(10))
		err := <-w.run
		w.end = nil
		if !errors.Is(err, ErrFullAll) || len(dials()) != 3 {
			t.Errorf("%v, dialled %v", err, dials())
		}
	})
}

func TestHostsWithoutAnEnd(t *testing.T) {
	inBubble(t, func(w *world) {
		for i := byte(10); i < 60; i++ {
			w.liar(at(i), liar{says: lines503 + oleh + hostAtom(at(i+1).String(), long) + quit})
		}
		dials := w.dialled()
		w.pull(at(10))
		err := <-w.run
		w.end = nil
		if !errors.Is(err, ErrFullAll) || len(dials()) != maxVisits {
			t.Errorf("%v, dialled %d", err, len(dials()))
		}
	})
}

// Who has given the stream for a moment cannot have victims dialled for ever either.
func TestVictimsAreNotDialledAgainAndAgain(t *testing.T) {
	inBubble(t, func(w *world) {
		stream := pkt("head", 0, 0, string(head)) + pkt("data", uint32(len(head)), 0, tagOf(0, 0x17, 3000))
		w.liar(at(10), liar{says: lines200 + oleh + stream + many(100, func(i int) string { return hostAtom(victim(i), long) }), close: true})
		dials := w.dialled()
		w.pull(at(10))
		time.Sleep(time.Hour)
		by := map[string]int{}
		for _, a := range dials() {
			by[a]++
		}
		tip := by[at(10).String()]
		delete(by, at(10).String())
		total := 0
		for a, n := range by {
			total += n
			if n > 12 {
				t.Errorf("%s was dialled %d times", a, n)
			}
		}
		if tip < 60 || tip > 200 || total > vainBurst+61 {
			t.Errorf("the tip was dialled %d times, others %d times", tip, total)
		}
	})
}

func TestWhatAHostLiesOfMemoryIsNotTaken(t *testing.T) {
	inBubble(t, func(w *world) {
		// A tag of 10 MiB of which a part comes, again and again.
		tag := "\x09\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17" + strings.Repeat("x", 10_000)
		says := lines200 + oleh + pkt("head", 0, 0, string(head))
		pos := uint32(len(head))
		for range 200 {
			says += pkt("data", pos, 0, tag)
			pos += 1 << 20
		}
		w.liar(at(10), liar{says: says})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		w.pull(at(10))
		<-w.run
		w.end = nil
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4*uint64(len(says))+1<<20 {
			t.Errorf("%d bytes were allocated for %d", n, len(says))
		}
	})
}
