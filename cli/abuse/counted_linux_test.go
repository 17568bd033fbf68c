package abuse

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/relay/discovery"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// toldTo is where queries go on this machine: to all of loopback, since responders leave alone what is sent to one.
var toldTo = netip.MustParseAddr("127.255.255.255")

// responder answers on loopback for a node with these channels, and returns where and what it has refused.
func responder(t *testing.T, channels []discovery.Channel) (netip.AddrPort, *refusal.Counts) {
	t.Helper()
	free, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(free.LocalAddr().(*net.UDPAddr).Port)
	free.Close()
	c := &refusal.Counts{}
	r := discovery.Responder{
		Link: netip.MustParseAddrPort("127.0.0.1:7144"), Port: port, Interfaces: []string{"lo"}, Refused: c,
		Channels: func() []discovery.Channel { return channels },
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { // ends with ctx
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return netip.AddrPortFrom(toldTo, port), c
}

// all is how many refusals there were, for whatever reason.
func all(c *refusal.Counts) (n uint64) {
	for _, k := range c.All() {
		n += k
	}
	return n
}

// answers waits until a responder does, as it does if it has a channel to tell of.
func answers(t *testing.T, to netip.AddrPort) {
	t.Helper()
	for nonce := uint64(1); t.Context().Err() == nil && len(tryPacket(hostile.Input{Bytes: hostile.Query(nonce)}, to, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 77)}).answer) == 0; nonce++ {
	}
}

// TestEveryRefusalOfDiscoveryIsCounted tries each input at a responder of its own, at once: most wait for an
// answer that must not come.
func TestEveryRefusalOfDiscoveryIsCounted(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, in := range inputsOf(stream.ChannelID{}, hostile.Discovery) {
		to, refused := responder(t, []discovery.Channel{{ID: stream.ChannelID{9}, Title: "live"}})
		wg.Go(func() { // ends with the input
			answers(t, to)
			before := all(refused)
			a := &attack{target: Target{Discovery: to}}
			o := a.try(t.Context(), hostile.Discovery, in, i)
			for again := 0; in.Want == hostile.Answered && len(o.answer) == 0 && again < 10; again++ {
				o = a.try(t.Context(), hostile.Discovery, in, i) // a busy machine takes longer to answer
			}
			if w := o.wrong(); w != "" {
				t.Errorf("%s %s", in.Name, w)
			}
			if n := all(refused) - before; in.Want == hostile.Dropped && n == 0 {
				t.Errorf("%s: is not counted", in.Name)
			}
		})
	}
}

// TestNobodyAnswersForPrivateChannels asks a node that has none to tell of, which is what a node with private
// channels alone is to its responder.
func TestNobodyAnswersForPrivateChannels(t *testing.T) {
	t.Parallel()
	to, _ := responder(t, nil)
	for i, in := range inputsOf(stream.ChannelID{}, hostile.Discovery) {
		if in.Want == hostile.Answered {
			o := (&attack{target: Target{Discovery: to}}).try(t.Context(), hostile.Discovery, in, i)
			if o.err != nil || len(o.answer) > 0 {
				t.Errorf("%s: %q, %v", in.Name, o.answer, o.err)
			}
		}
	}
}

// TestAFloodOfQueriesIsAnsweredWithinBounds has twenty addresses ask 5,000 times a second.
func TestAFloodOfQueriesIsAnsweredWithinBounds(t *testing.T) {
	t.Parallel()
	to, refused := responder(t, []discovery.Channel{{ID: stream.ChannelID{9}, Title: "live"}})
	answers(t, to)
	from, err := newSources(netip.Prefix{}, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a := &attack{target: Target{Discovery: to}, from: from}
	before, began := all(refused), time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	sent := queries(ctx, a)
	took := time.Since(began)
	t.Logf("%d queries in %v: %d answers, %d counted as refused", sent, took, a.third.answers, all(refused)-before)
	// As relay/discovery/design.md says: 96 a second for each address of this machine, 192 at once, and 200 a second for all,
	// 400 at once.
	each, together := 20*(192+96*took.Seconds()), 400+200*took.Seconds()
	if n := float64(a.third.answers); n == 0 || n > min(each, together) {
		t.Errorf("%d answers, at most %.0f are right", a.third.answers, min(each, together))
	}
	if a.third.got > a.third.told || all(refused) == before {
		t.Errorf("%d bytes for %d, %d refusals counted", a.third.got, a.third.told, all(refused)-before)
	}
}
