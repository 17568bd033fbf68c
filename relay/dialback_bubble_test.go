package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
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
