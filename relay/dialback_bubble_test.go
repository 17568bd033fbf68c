package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

func TestANodeDialsBackWhoeverAsks(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		open, walled := w.add(option{slots: 1}), w.add(option{slots: 1, walled: true})
		w.within(10*time.Second, "all are attached", w.attached)
		source, id := w.root.place.Addrs[0], w.root.ID()
		for _, test := range []struct {
			name     string
			who      *inhabitant
			port     uint16
			tcp, udp wire.Answer
		}{
			{"open", open, worldPort, wire.Answered, wire.Answered},
			{"TCP is let in by nobody", walled, worldPort, wire.Nothing, wire.Answered},
			{"nobody listens there", open, worldPort + 1, wire.Nothing, wire.Nothing},
		} {
			got, err := test.who.node.AskDialBack(t.Context(), id, source, test.port)
			want := wire.Dialled{Addr: netip.AddrPortFrom(test.who.place.Addrs[0].Addr(), test.port), TCP: test.tcp, UDP: test.udp}
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, want)
			}
		}

		if _, err := open.node.AskDialBack(t.Context(), stream.ChannelID{1}, source, worldPort); !errors.Is(err, tree.ReasonChannel) {
			t.Errorf("about another channel: %v", err)
		}
		if _, err := open.node.AskDialBack(t.Context(), id, open.place.Addrs[0], worldPort); !errors.Is(err, tree.ReasonSelf) {
			t.Errorf("the node itself: %v", err)
		}
		busy := 0
		for range 2 * trialBurst {
			if _, err := open.node.AskDialBack(t.Context(), id, source, worldPort); errors.Is(err, tree.ReasonBusy) {
				busy++
			} else if err != nil {
				t.Error(err)
			}
		}
		if busy < trialBurst {
			t.Errorf("%d of %d are turned away", busy, 2*trialBurst)
		}
	})
}

// Whoever asks while others are asked already waits no longer than it can, and is told the same.
func TestNobodyWaitsForAnotherThatAsks(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		walled := w.add(option{slots: 1, walled: true})
		w.within(10*time.Second, "all are attached", w.attached)
		began := time.Now()
		var all sync.WaitGroup
		var told [2][]DialBack
		for i := range told {
			all.Go(func() {
				var err error
				if told[i], err = walled.DialBacks(t.Context()); err != nil || len(told[i]) != 1 || told[i][0].TCP != wire.Nothing {
					t.Errorf("%+v, %v", told[i], err)
				}
			})
		}
		synctest.Wait() // one asks, and nobody gets through
		ctx, cancel := context.WithTimeout(t.Context(), dialBackTime/10)
		defer cancel()
		if _, err := walled.DialBacks(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > dialBackTime/5 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		all.Wait()
		if took := time.Since(began); &told[0][0] != &told[1][0] || took > dialBackWait {
			t.Errorf("they are asked twice, in %v", took)
		}
	})
}

// One of those who are asked cannot be reached itself: what the other says comes in time all the same.
func TestWhoCannotBeAskedHoldsNobodyUp(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		w.add(option{slots: 1})
		w.add(option{slots: 1, walled: true})
		w.within(10*time.Second, "all are attached", w.attached)
		ctx, cancel := context.WithTimeout(t.Context(), handshakeTime+dialBackTime)
		defer cancel()
		told, err := w.root.DialBacks(ctx)
		if err != nil || len(told) != 2 || (told[0].Err == nil) == (told[1].Err == nil) {
			t.Errorf("%+v, %v", told, err)
		}
	})
}

// Those who have others asked and do not wait for the answer have them asked once.
func TestWhoDoesNotWaitHasNobodyAskedAgain(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		walled := w.add(option{slots: 1, walled: true})
		w.within(10*time.Second, "all are attached", w.attached)
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), dialBackTime/10)
			if told, err := walled.DialBacks(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v, %v", told, err)
			}
			cancel()
		}
		began := time.Now()
		told, err := walled.DialBacks(t.Context())
		if took := time.Since(began); err != nil || len(told) != 1 || told[0].TCP != wire.Nothing || took > dialBackTime*7/10 {
			t.Errorf("%+v, %v after %v", told, err, took)
		}
	})
}

// No parent tries a source. It asks somebody to dial back, and learns of one family what holds there.
func TestASourceLearnsWhetherOthersGetThrough(t *testing.T) {
	for name, want := range map[string]tree.Reach{"open": tree.Open, "its port is closed later": tree.Closed} {
		t.Run(name, func(t *testing.T) {
			inside(t, 3, &world{far: true, public: true, quiet: true}, func(t *testing.T, w *world) {
				w.add(option{slots: 1})
				w.within(10*time.Second, "all are attached", w.attached)
				if ts := w.root.Trials(); len(ts) != 0 {
					t.Fatalf("it knows at once: %+v", ts)
				}
				if want == tree.Closed {
					w.walls.Store(w.root.place.Addrs[0].String(), true)
				}
				time.Sleep(2*familyFirst + dialBackWait)
				ts := w.root.Trials()
				if len(ts) != 1 || ts[0].Reach != want || ts[0].Addr != w.root.place.Addrs[0] {
					t.Fatalf("it knows %+v, want %v at %v", ts, want, w.root.place.Addrs[0])
				}
				asked := ts[0].At
				time.Sleep(familyFresh - time.Minute)
				if ts := w.root.Trials(); ts[0].At != asked {
					t.Errorf("it asks again after %v", ts[0].At.Sub(asked))
				}
				w.walls.Delete(w.root.place.Addrs[0].String())
				time.Sleep(3 * familyRetry)
				if ts := w.root.Trials(); ts[0].Reach != tree.Open {
					t.Errorf("half an hour later it knows %+v", ts)
				}
			})
		})
	}
}

func TestAnAnswerAboutTheOtherFamilyIsNotBelieved(t *testing.T) {
	var p peers
	there := netip.MustParseAddrPort("11.22.33.44:7144")
	p.dialledBack(ipv6, wire.Dialled{Addr: there, TCP: wire.Answered})
	p.dialledBack(ipv4, wire.Dialled{Addr: there, TCP: wire.NotAsked})
	if p.triedOver(ipv4) != (Trial{}) || p.triedOver(ipv6) != (Trial{}) {
		t.Errorf("%+v", p.trials)
	}
	p.probed(wire.Probed{Addr: there})
	p.dialledBack(ipv6, wire.Dialled{Addr: netip.MustParseAddrPort("[2001:db8::1]:7144"), TCP: wire.Answered})
	if p.tried().Reach != tree.Closed || p.triedOver(ipv4).Reach != tree.Closed || p.triedOver(ipv6).Reach != tree.Open {
		t.Errorf("%+v, a parent's: %+v", p.trials, p.trial)
	}
}

// One of those that are asked has a line that loses packets, or lies.
func TestOneThatGetsThroughShowsThatOthersDo(t *testing.T) {
	there, asked := netip.MustParseAddrPort("11.22.33.44:7144"), netip.MustParseAddrPort("11.22.33.1:7144")
	found := func(a wire.Answer) DialBack { return DialBack{At: asked, Dialled: wire.Dialled{Addr: there, TCP: a}} }
	near := found(wire.Answered)
	near.Near = true
	for _, c := range []struct {
		asked []DialBack
		want  tree.Reach
	}{
		{[]DialBack{found(wire.Answered), found(wire.Nothing)}, tree.Open},
		{[]DialBack{found(wire.Nothing), found(wire.Answered)}, tree.Open},
		{[]DialBack{found(wire.Nothing), near}, tree.Closed},
		{[]DialBack{found(wire.NotAsked), near}, tree.Untried},
	} {
		var p peers
		if p.dialledBackAll(c.asked); p.triedOver(ipv4).Reach != c.want {
			t.Errorf("%+v: %v", c.asked, p.triedOver(ipv4).Reach)
		}
	}
}

// A node at the same address that is another's must not pass for the one that asks.
func TestAnotherNodeAtTheAddressIsNoAnswer(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		there := w.add(option{slots: 1})
		w.within(10*time.Second, "all are attached", w.attached)
		asker, err := New(Config{Key: w.key(), Slots: -1, Dial: there.dial})
		if err != nil {
			t.Fatal(err)
		}
		got, err := asker.AskDialBack(t.Context(), w.root.ID(), w.root.place.Addrs[0], worldPort)
		if err != nil || got.TCP != wire.Nothing {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Packets that look nearly like an answer are none, and none of them ends the wait.
func TestOnlyTheAnswerToItsOwnNonceIsAnEcho(t *testing.T) {
	for _, right := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			here, there := net.Pipe()
			n := &Node{cfg: Config{Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }}}
			ctx, cancel := context.WithTimeout(t.Context(), dialBackTime)
			defer cancel()
			go func() { // ends with the connection
				defer there.Close()
				b := make([]byte, 100)
				k, err := there.Read(b)
				if err != nil || k != len(echoAsk)+echoNonce {
					t.Errorf("asked with %q, %v", b[:k], err)
				}
				nonce := string(b[len(echoAsk):k])
				for _, s := range []string{"", echoSay, echoSay + "12345678", echoSay + nonce + "9", echoAsk + nonce, strings.Repeat("x", 60)} {
					_, _ = there.Write([]byte(s))
				}
				if right {
					_, _ = there.Write([]byte(echoSay + nonce))
				}
				_, _ = io.Copy(io.Discard, there)
			}()
			if got := n.echoed(ctx, netip.MustParseAddrPort("10.0.9.9:7144")); got != right {
				t.Errorf("answered: %v, want %v", got, right)
			}
		})
	}
}

// TestForgedAnswersOfADialBackAreNotTold has the node that is asked answer about something else.
func TestForgedAnswersOfADialBackAreNotTold(t *testing.T) {
	f := newFake(t)
	asker, err := New(Config{Key: newKey(t), Slots: -1})
	if err != nil {
		t.Fatal(err)
	}
	const port = 0x1be8
	for name, c := range map[string]struct {
		answer []byte
		want   error // nil for one that is believed
	}{
		"as asked":                   {[]byte{0x29, 0, 0, 9, 4, 203, 0, 113, 7, 0x1b, 0xe8, 2, 1}, nil},
		"of another port":            {[]byte{0x29, 0, 0, 9, 4, 203, 0, 113, 7, 0, 22, 2, 2}, errOtherDialled},
		"of another kind":            {append(append([]byte{0x29, 0, 0, 21, 6, 0x20, 1}, make([]byte, 14)...), 0x1b, 0xe8, 2, 2), errOtherDialled},
		"of no address":              {[]byte{0x29, 0, 0, 9, 4, 0, 0, 0, 0, 0x1b, 0xe8, 2, 2}, wire.ErrFrame},
		"that is no answer":          {[]byte{0x29, 0, 0, 9, 4, 203, 0, 113, 7, 0x1b, 0xe8, 2, 9}, wire.ErrFrame},
		"that ends too soon":         {[]byte{0x29, 0, 0, 8, 4, 203, 0, 113, 7, 0x1b, 0xe8, 2}, wire.ErrFrame},
		"to what a child would hear": {[]byte{0x20, 0, 0, 8, 4, 203, 0, 113, 7, 0x1b, 0xe8, 1}, wire.ErrNotDue},
		"of 16 MiB":                  {[]byte{0x29, 0xff, 0xff, 0xff}, wire.ErrFrame},
	} {
		done := make(chan struct{})
		go func() { // ends with its answer
			defer close(done)
			conn, err := f.ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			tc := tls.Server(conn, f.ident.tlsConfig(alpn))
			if _, err := wire.NewReader(tc, wire.Stranger).Next(); err != nil {
				t.Error(err)
			}
			if _, err := tc.Write(c.answer); err != nil {
				t.Error(err)
			}
		}()
		got, err := asker.AskDialBack(t.Context(), f.id, f.addr, port)
		<-done
		if !errors.Is(err, c.want) || (err == nil) != got.Addr.IsValid() {
			t.Errorf("an answer %s: %+v, %v", name, got, err)
		}
	}
}
