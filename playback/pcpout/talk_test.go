package pcpout_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/playback/api"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
	"relay/relay/relaytest"
)

// talk is a network in a bubble, with the server of a source at one host and models at others.
type talk struct {
	*source
	ctx  context.Context
	net  *relaytest.Network
	us   netip.Addr
	tape pcptest.Tape // of what is dialled
}

const ourPort = 7144

var (
	ourAddr  = netip.MustParseAddr("203.0.113.1")
	ourAddr6 = netip.MustParseAddr("2001:db8::1")
)

// inTalk runs a test in such a network, with a channel of one group. The port is open unless shut says otherwise.
func inTalk(t *testing.T, us netip.Addr, shut bool, f func(w *talk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := relaytest.New(10 * time.Millisecond)
		host := n.Host(us)
		w := &talk{ctx: ctx, net: n, us: us}
		w.source = newSource(t, func(c *pcpout.Config) {
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := host.Dial(ctx, network, addr)
				if err == nil {
					conn = w.tape.Of(conn)
				}
				return conn, err
			}
		})
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		all.Go(func() { w.server.Run(ctx) })
		if !shut {
			ln, err := host.Listen(ourPort)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() { _ = w.server.Serve(ctx, ln) })
		}
		w.group()
		f(w)
	})
}

// peer is a model at a host of its own, whose dials are taped.
func (w *talk) peer(kind pcptest.Kind, addr string, session byte, port uint16) *pcptest.Peer {
	w.t.Helper()
	h := w.net.Host(netip.MustParseAddr(addr))
	p := pcptest.New(kind, session, netip.AddrPort{}, 1)
	p.Log = w.t.Logf
	p.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := h.Dial(ctx, network, addr)
		if err == nil {
			conn = w.tape.Of(conn)
		}
		return conn, err
	}
	if port != 0 {
		ln, err := h.Listen(port)
		if err != nil {
			w.t.Fatal(err)
		}
		p.At, p.Ping = netip.AddrPortFrom(netip.MustParseAddr(addr), port), true
		go p.Serve(w.ctx, ln) // ends with ctx
	}
	return p
}

func (w *talk) here() netip.AddrPort { return netip.AddrPortFrom(w.us, ourPort) }

// pulls has a model pull a channel for some seconds.
func (w *talk) pulls(p *pcptest.Peer, ch pcptest.ID, meanwhile func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	var pull sync.WaitGroup
	pull.Go(func() { p.Pull(ctx, ch, w.here().String()) })
	time.Sleep(500 * time.Millisecond)
	meanwhile()
	cancel()
	pull.Wait()
}

func (w *talk) say(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// onAir has the source send a picture each second.
func (w *talk) onAir(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		w.frame(10)
		w.say(func() { w.facts.Came = time.Now() })
	}
}

// TestConversations is what is said byte by byte where peers pull and try ports, besides what comes of it.
func TestConversations(t *testing.T) {
	for _, c := range []struct {
		name string
		us   netip.Addr
		run  func(w *talk, kind pcptest.Kind)
	}{
		{"tried", ourAddr, func(w *talk, kind pcptest.Kind) {
			if p := w.peer(kind, "203.0.113.10", 0xd1, 0); !p.Test(w.ctx, w.here(), pcptest.ID(ours)) {
				w.t.Error("our port does not answer")
			}
		}},
		{"tries", ourAddr, func(w *talk, kind pcptest.Kind) {
			p := w.peer(kind, "203.0.113.10", 0xd1, 7145)
			w.pulls(p, w.channel(), func() {})
			if o := p.Olehs(); len(o) != 1 || o[0].Kids[len(o[0].Kids)-1].Data[0] != 7145&0xff {
				w.t.Errorf("its port does not answer: %v", o)
			}
		}},
		{"changes", ourAddr, func(w *talk, kind pcptest.Kind) {
			p := w.peer(kind, "203.0.113.10", 0xd1, 0)
			w.pulls(p, w.channel(), func() {
				w.say(func() { w.texts.Comment = "a break" })
				time.Sleep(2 * time.Second)
				w.frame(10)
				time.Sleep(2 * time.Second)
				w.header("two", "Another title")
				w.key1(1000)
				time.Sleep(2 * time.Second)
				w.frame(10)
				time.Sleep(2 * time.Second)
				w.say(func() { w.facts = api.Facts{Closed: true} })
				time.Sleep(1100 * time.Millisecond)
			})
			if told := p.Channel(w.channel()).Told(); told.Name != "Another title" || told.Title != "Another title" || told.Comment != "a break" {
				w.t.Errorf("told %+v", told)
			}
		}},
		{"absent", ourAddr, func(w *talk, kind pcptest.Kind) {
			w.pulls(w.peer(kind, "203.0.113.10", 0xd1, 0), pcptest.ID{9}, func() {})
		}},
		{"self", ourAddr, func(w *talk, kind pcptest.Kind) {
			p := w.peer(kind, "203.0.113.10", 0xd1, 0)
			p.Session = pcptest.ID(ours)
			w.pulls(p, w.channel(), func() {})
		}},
		{"over6", ourAddr6, func(w *talk, kind pcptest.Kind) {
			p := w.peer(kind, "2001:db8::10", 0xd1, 7145)
			if !p.Test(w.ctx, w.here(), pcptest.ID(ours)) {
				w.t.Error("our port does not answer")
			}
			w.pulls(p, w.channel(), func() {})
			if o := p.Olehs(); len(o) != 1 || o[0].Kids[len(o[0].Kids)-1].Data[0] != 7145&0xff {
				w.t.Errorf("its port does not answer: %v", o)
			}
		}},
	} {
		for _, kind := range kinds {
			t.Run(c.name+"-"+kind.String(), func(t *testing.T) {
				inTalk(t, c.us, false, func(w *talk) {
					c.run(w, kind)
					golden(t, c.name+"-"+kind.String(), w.tape.Text(pcptest.How{Packets: 1, Masked: []string{"bitr", "uppt"}}))
				})
			})
		}
	}
}

// TestAnnouncementsAreWhatListsRead has a model of a list take an announcer: one that is reached, and one that is not. The list
// wants entries less often than they are sent of themselves, and one at once.
func TestAnnouncementsAreWhatListsRead(t *testing.T) {
	for _, c := range []struct {
		name string
		shut bool
		port uint16 // that the list finds
		flag byte
	}{
		{"announce", false, ourPort, pcp.Tracker | pcp.Receiving | pcp.RelayFree},
		{"announce-shut", true, 0, pcp.Tracker | pcp.Receiving | pcp.RelayFree | pcp.Firewalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			inTalk(t, ourAddr, c.shut, func(w *talk) {
				const list = "203.0.113.77"
				y := pcptest.NewYP(0x99, 60)
				h := w.net.Host(netip.MustParseAddr(list))
				y.Peer.Dial, y.Peer.Log = h.Dial, t.Logf
				ln, err := h.Listen(7146)
				if err != nil {
					t.Fatal(err)
				}
				go y.Serve(w.ctx, ln) // ends with ctx
				type told struct {
					port uint16
					err  error
				}
				var said []told
				ctx, cancel := context.WithCancel(w.ctx)
				var announcing sync.WaitGroup
				announcing.Go(func() {
					w.server.Announce(ctx, pcpout.Announcement{List: list + ":7146", Channel: w.id, Port: ourPort, Told: func(port uint16, err error) { said = append(said, told{port, err}) }})
				})
				began := time.Now()
				w.onAir(100 * time.Second) // entries at 0 and at 30 s, which was due before the list has answered, and 60 s after that
				y.Update()
				w.onAir(10 * time.Second)
				cancel()
				announcing.Wait()
				time.Sleep(time.Second) // the last word travels
				var at []time.Duration
				for _, a := range y.Heard() {
					at = append(at, a.At.Sub(began).Truncate(10*time.Second))
					host, _ := a.Said.Find("host")
					if flags, _ := host.Find("flg1"); flags.Data[0] != c.flag {
						t.Errorf("the entry has flags %#x, want %#x", flags.Data[0], c.flag)
					}
				}
				if want := []time.Duration{0, 30 * time.Second, 90 * time.Second, 100 * time.Second}; !slices.Equal(at, want) {
					t.Errorf("entries came after %v", at)
				}
				if len(said) != 1 || said[0] != (told{c.port, nil}) {
					t.Errorf("it is said: %v", said)
				}
				golden(t, c.name, w.tape.Text(pcptest.How{Masked: []string{"bitr", "newp"}}))
			})
		})
	}
}
