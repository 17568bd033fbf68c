package abuse

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/relay"
	"relay/relay/stream"
)

// victimNode runs a source for one input.
func victimNode(t *testing.T) (*relay.Node, Target) {
	t.Helper()
	listener, packet := listen(t)
	_, key, _ := ed25519.GenerateKey(nil) // never fails
	_, own, _ := ed25519.GenerateKey(nil)
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	n, err := relay.New(relay.Config{Key: key, Listener: listener, Packet: packet, Addrs: []netip.AddrPort{at}})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := n.Source(own, stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = n.Run(ctx) }) // both end with ctx
	wg.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return n, Target{Channel: c.ID(), Links: at}
}

// listen takes one port for connections and packets.
func listen(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, p
		}
		l.Close()
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

// refusals is how much a node has refused, for whatever reason.
func refusals(n *relay.Node) (all uint64) {
	for _, of := range n.Refused() {
		for _, k := range of {
			all += k
		}
	}
	return all
}

// triesApart is how many inputs are under way at a time, where each has a node of its own: most wait for
// a time of the node's.
const triesApart = 96

// TestEveryRefusalIsCounted tries each input at a node of its own, so that none counts for another.
func TestEveryRefusalIsCounted(t *testing.T) {
	for _, table := range hostile.Tables(stream.ChannelID{}, "") {
		if p := table.Port; p != hostile.TLS && p != hostile.Link && p != hostile.Stream && p != hostile.Gossip {
			continue
		}
		t.Run(string(table.Port), func(t *testing.T) {
			slots := make(chan struct{}, triesApart)
			var wg sync.WaitGroup
			defer wg.Wait()
			for i := range table.Inputs {
				slots <- struct{}{}
				wg.Go(func() { // ends within patience
					defer func() { <-slots }()
					n, target := victimNode(t)
					in, ping := inputsOf(target.Channel, table.Port)[i], hostile.Input{Bytes: hostile.Ping(target.Channel)}
					a := &attack{target: target}
					gossips := table.Port == hostile.Stream || table.Port == hostile.Gossip
					for gossips && len(tryPacket(ping, target.Links, nil).answer) == 0 && t.Context().Err() == nil { // it does not yet
					}
					before := refusals(n)
					o := a.try(t.Context(), table.Port, in, i)
					unheard := func() bool { return o.err != nil || in.Want == hostile.Answered && len(o.answer) == 0 }
					for again := time.Now().Add(patience); unheard() && time.Now().Before(again); {
						before = refusals(n) // the handshake, or the answer, took too long on a busy machine
						o = a.try(t.Context(), table.Port, in, i)
					}
					if w := o.wrong(); w != "" {
						t.Errorf("%s %s", in.Name, w)
					}
					if in.Want != hostile.Refused && in.Want != hostile.Dropped {
						return
					}
					for until := time.Now().Add(patience); refusals(n) == before; time.Sleep(10 * time.Millisecond) {
						if time.Now().After(until) {
							t.Errorf("%s: is not counted", in.Name)
							return
						}
					}
				})
			}
		})
	}
}

func inputsOf(ch stream.ChannelID, p hostile.Port) []hostile.Input {
	for _, table := range hostile.Tables(ch, "") {
		if table.Port == p {
			return table.Inputs
		}
	}
	return nil
}
