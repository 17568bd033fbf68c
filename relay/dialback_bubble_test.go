package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
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
			{"open", open, worldPort, wire.Through, wire.Through},
			{"TCP is let in by nobody", walled, worldPort, wire.Nothing, wire.Through},
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

func TestOnlyTheAnswerToItsOwnNonceIsAnEcho(t *testing.T) {
	inside(t, 1, &world{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		n, nobody := w.root.node, netip.MustParseAddrPort("10.0.9.9:7144")
		came := make(chan bool, 1)
		go func() { came <- n.echoed(ctx, nobody) }()
		synctest.Wait()
		for _, b := range []string{echoSay, echoSay + "\x00\x00\x00\x00\x00\x00\x00\x00", echoSay + "123456789", "relay/1 echo ???12345678"} {
			n.packet(time.Now(), []byte(b), net.UDPAddrFromAddrPort(nobody))
		}
		if <-came {
			t.Error("a guess passes for an answer")
		}
		if len(n.echoes.wait) != 0 {
			t.Errorf("%d are waited for", len(n.echoes.wait))
		}
	})
}
