//go:build e2e && linux

package netns

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// honest is how many watchers there are before the liars come, and late how many come
	// afterwards.
	honest = 8
	late   = 3
	// hostileFor is how long a swarm has to cope with liars as well as faults.
	hostileFor = 5 * time.Second
	// mostVisits bounds how often any node may turn to one liar in a test of half a minute,
	// standby links included: one attempt, and others after growing pauses.
	mostVisits = 30
)

// TestHostileNeighboursCostNobodyATag puts members that lie among the watchers. Nodes refer
// newcomers to them, parents name them as backups, and orphans ask them.
func TestHostileNeighboursCostNobodyATag(t *testing.T) {
	t.Parallel()
	root := func(l tree.Label) tree.Label { l.H = 0; return l }
	for _, c := range []struct {
		name    string
		manners []manners // of each liar
		visitor func(t *testing.T, ctx context.Context, s *swarm, l *liar)
	}{
		{"welcomes and never delivers", []manners{{}}, nil},
		{"says that it is the root and never delivers", []manners{{label: root, path: justMe}}, nil},
		{"says that it is the root and delivers", []manners{{label: root, path: justMe, deliver: true}}, nil},
		{"replays an old label", []manners{{label: replay(), deliver: true}}, nil},
		{"refers to itself", []manners{{refer: func(l *liar) []tree.Place { return []tree.Place{l.place} }}}, nil},
		{"refers in a ring and to nobody", []manners{{refer: ring}, {refer: ring}}, nil},
		{"floods joins", []manners{{}}, flood},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			s := newSwarm(t, honest, late+2)
			spare := s.net.hosts[len(s.nodes):]
			s.settle(t)
			s.hostile = true
			var liars []*liar
			for i, m := range c.manners {
				l := newLiar(t, spare[i], s.link, m)
				liars = append(liars, l)
				if m.deliver {
					s.roots = append(s.roots, l.id.String())
				}
			}
			for _, l := range liars {
				l.circle = liars
			}
			for _, n := range s.nodes {
				n.player.forget()
			}
			came := time.Now()
			for _, l := range liars {
				l.join(t, s.source())
			}
			if c.visitor != nil {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); c.visitor(t, ctx, s, liars[0]) }() // ends with ctx
				defer func() { cancel(); <-done }()
			}

			for i := range late {
				began := time.Now()
				n := s.newcomer(t, spare[len(spare)-late+i], fanout[i])
				t.Logf("%s plays after %d ms", n.name, time.Since(began).Milliseconds())
			}
			pass(t, hostileFor)
			s.settle(t)
			s.unharmed(t, "before any other fault", came)
			for i, name := range []string{"kill", "freeze"} {
				f := allFaults[slices.IndexFunc(allFaults, func(f fault) bool { return f.name == name })]
				s.run(t, f, rng, i)
			}
			for i, l := range liars {
				visitors, visits, pulls := l.seen()
				t.Logf("liar %d: %d nodes came, %d times at most, and pulled %d times at most", i, visitors, visits, pulls)
				if visits > mostVisits {
					t.Errorf("a node turned to liar %d %d times", i, visits)
				}
			}
		})
	}
}

// unharmed checks that no player has missed or repeated anything, and tells how long
// one was without data since a moment.
func (s *swarm) unharmed(t *testing.T, when string, since time.Time) {
	t.Helper()
	var most time.Duration
	for _, n := range s.watchers() {
		from := since
		if c := n.player.came; len(c) > 0 && c[0].when.After(from) {
			from = c[0].when // a newcomer
		}
		most = max(most, n.player.pause(from, time.Now()))
		if f := n.player.faults; f.any() {
			t.Errorf("%s: %s: lost %d tags, got %d twice, %d that are none of the source's: %v", when, n.name, f.lost, f.repeated, f.alien, f.notes)
		}
	}
	t.Logf("%s: nobody was without data for longer than %d ms", when, most.Milliseconds())
}

// replay returns a function that shows the first label it sees for ever.
func replay() func(tree.Label) tree.Label {
	var mu sync.Mutex
	var old tree.Label
	return func(l tree.Label) tree.Label {
		mu.Lock()
		defer mu.Unlock()
		if old == (tree.Label{}) {
			old = l
		}
		return old
	}
}

// justMe is the path of a root.
func justMe(p []tree.Place) []tree.Place { return p[len(p)-1:] }

// ring refers a node to the next liar, and to places where there is no node.
func ring(l *liar) []tree.Place {
	places := []tree.Place{l.circle[(slices.Index(l.circle, l)+1)%len(l.circle)].place}
	for i := len(places); i < tree.MaxRefer; i++ {
		nobody := netip.AddrFrom4([4]byte{10, 77, 0, byte(200 + i)})
		places = append(places, tree.Place{ID: tree.ID{byte(i)}, Addrs: []netip.AddrPort{netip.AddrPortFrom(nobody, relayPort)}})
	}
	return places
}

// flood asks every node for slots and takes none. Each time it has a new identity and offers
// more slots than any real node.
func flood(t *testing.T, ctx context.Context, s *swarm, l *liar) {
	var ids []*liar
	for range 50 {
		c := &liar{host: l.host, channel: l.channel}
		c.id, c.tls = newIdentity(t)
		ids = append(ids, c)
	}
	nodes := slices.Clone(s.nodes)
	sem := make(chan struct{}, 64)               // connections at a time
	pace := time.NewTicker(5 * time.Millisecond) // 200 per second, which one small machine can do
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		select {
		case <-pace.C:
		case <-ctx.Done():
			continue
		}
		select {
		case sem <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		who, at := ids[i%len(ids)], nodes[i%len(nodes)]
		go func() { // ends within dialTime
			defer func() { <-sem }()
			conn, err := who.call(ctx, netip.AddrPortFrom(netip.MustParseAddr(at.addr), relayPort).String())
			if err != nil {
				return
			}
			defer conn.Close()
			_ = who.say(conn, wire.Hello{Channel: who.channel, Join: tree.Join{Slots: boast, Addrs: l.place.Addrs}})
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}()
	}
	for range cap(sem) { // all have ended
		sem <- struct{}{}
	}
}
