package relay

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/store"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// twoHalves makes two sources with one key, each with viewers that know of its half alone. The first
// one may end.
func twoHalves(t *testing.T, f func(w *world, old, again []*inhabitant), o option, kept *store.Store) {
	inside(t, 2, &world{source: option{ends: true, store: kept}}, func(t *testing.T, w *world) {
		w.crowd(7, 2)
		if kept != nil {
			time.Sleep(rememberFirst + time.Second)
		}
		old := slices.Clone(w.all)
		o.source, o.slots = true, 2
		second := w.add(o)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { w.broadcast(second, stop) })
		defer func() { close(stop); wg.Wait() }()
		for range 4 {
			w.add(option{slots: 2, hosts: []HostPort{hostPort(second.place)}})
		}
		f(w, old, w.all[len(old):])
	})
}

// in reports whether a node plays that epoch.
func (n *inhabitant) in(e stream.Epoch) bool {
	return n.Ring().Head().Epoch == e
}

// wantOver checks that the epoch of the winner is at every node within 2 s, and stays there.
func wantOver(t *testing.T, w *world, winner, loser *inhabitant) {
	t.Helper()
	e := winner.writer.Epoch()
	took := w.within(2*time.Second, "all play the later run", func(n *inhabitant) bool { return n.in(e) }, loser)
	t.Logf("all play the later run after %v", took)
	<-loser.done
	loser.cancel() // as the command does
	loser.wg.Wait()
	var r *ReplacedError
	if !errors.As(loser.end, &r) || r.By != e {
		t.Errorf("the other source ends with %v", loser.end)
	}
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		for i, n := range w.all {
			if n != loser && !n.in(e) {
				t.Fatalf("node %d is back in %v", i, n.Ring().Head().Epoch)
			}
		}
	}
	w.within(time.Second, "all are attached", w.attached, loser)
}

func TestTheLaterOfTwoSourcesWinsWhereGossipMeets(t *testing.T) {
	twoHalves(t, func(w *world, old, again []*inhabitant) {
		w.within(5*time.Second, "each half plays its own", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 }, again[0])
		time.Sleep(time.Second)
		for _, n := range old {
			if !n.in(old[0].writer.Epoch()) {
				t.Fatal("the halves have met too soon")
			}
		}
		// One viewer of the old half hears of a node of the other one, as from a parent's samples: one alone may be
		// lost on a busy day, as one packet is.
		told := time.NewTicker(time.Second)
		defer told.Stop()
		took := w.within(time.Minute, "gossip tells the source of the other one, and it may have ended for that", func(n *inhabitant) bool {
			select {
			case <-old[0].done:
				return true
			case <-told.C:
				old[3].peers.take(wire.Sample{Members: 1, Of: []tree.Candidate{{Place: again[2].place, Depth: 1, Free: 1, Slots: 2}}})
				return false
			default:
				return n != old[0] || len(n.peers.gossip.Roots()) == 2
			}
		})
		t.Logf("gossip tells of both sources after %v", took)
		wantOver(t, w, again[0], old[0])
	}, option{}, nil)
}

func TestTheLaterOfTwoSourcesWinsOnOneNetwork(t *testing.T) {
	for name, from := range map[string]func(old, again []*inhabitant) (asks, asked *inhabitant){
		"the later source finds the other":        func(old, again []*inhabitant) (*inhabitant, *inhabitant) { return again[0], old[0] },
		"the later source finds a viewer":         func(old, again []*inhabitant) (*inhabitant, *inhabitant) { return again[0], old[7] },
		"the earlier source finds a later viewer": func(old, again []*inhabitant) (*inhabitant, *inhabitant) { return old[0], again[4] },
	} {
		t.Run(name, func(t *testing.T) {
			twoHalves(t, func(w *world, old, again []*inhabitant) {
				w.within(5*time.Second, "each half plays its own", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 }, again[0])
				asks, asked := from(old, again)
				asks.Suggest(asked.place.Addrs...)
				wantOver(t, w, again[0], old[0])
			}, option{}, nil)
		})
	}
}

// A link that people have made of two leads to both sources, whichever its viewer has gone to.
func TestTheLaterOfTwoSourcesWinsWhereALinkNamesBoth(t *testing.T) {
	for name, hosts := range map[string]func(old, again []*inhabitant) []HostPort{
		"the earlier first": func(old, again []*inhabitant) []HostPort {
			return []HostPort{hostPort(old[0].place), hostPort(again[0].place)}
		},
		"the later first": func(old, again []*inhabitant) []HostPort {
			return []HostPort{hostPort(again[0].place), hostPort(old[0].place)}
		},
		"viewers, and one that is gone": func(old, again []*inhabitant) []HostPort {
			gone := hostPort(old[0].place)
			gone.Port++
			return []HostPort{hostPort(old[5].place), gone, hostPort(again[2].place)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			twoHalves(t, func(w *world, old, again []*inhabitant) {
				w.within(5*time.Second, "each half plays its own", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 }, again[0])
				time.Sleep(5 * time.Second)
				for _, n := range old {
					if !n.in(old[0].writer.Epoch()) {
						t.Fatal("the halves have met too soon")
					}
				}
				w.add(option{slots: 2, hosts: hosts(old, again)})
				wantOver(t, w, again[0], old[0])
			}, option{}, nil)
		})
	}
}

// A crowd that has one link asks the nodes that it leads to no more than it has to.
func TestAHostOfTheLinkIsAskedOfItsEpochUntilItIsKnownToBeOfThisRun(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(8, 2)
		n := w.all[8]
		var aside, gone netip.AddrPort
		n.query(func(tr *tree.Node) {
			for _, o := range w.all {
				if a := o.place.Addrs[:1]; o != n && !n.isWithUs(tree.Place{Addrs: a}, tr.Info()) {
					aside = a[0]
				}
			}
			gone = netip.AddrPortFrom(aside.Addr(), aside.Port()+1)
			n.peers.invited = placesAt([]netip.AddrPort{aside, gone})
			for _, above := range tr.Info().Path {
				n.peers.invited = append(n.peers.invited, placesAt(above.Addrs[:1])...)
			}
		})
		// asks returns whom it asks now.
		asks := func() (all []netip.AddrPort) {
			n.query(func(tr *tree.Node) {
				n.epochs.inviteAt = time.Time{}
				clear(n.epochs.compared)
				n.compareWithInvited(time.Now(), tr.Info())
				for _, p := range n.peers.invited {
					if _, asked := n.epochs.compared[fmt.Sprint(p.Addrs)]; asked {
						all = append(all, p.Addrs[0])
					}
				}
			})
			return all
		}
		if got := asks(); !slices.Equal(got, []netip.AddrPort{aside, gone}) {
			t.Errorf("it asks %v, want %v and %v, and nobody above it", got, aside, gone)
		}
		time.Sleep(2 * time.Second)
		if got := asks(); !slices.Equal(got, []netip.AddrPort{gone}) {
			t.Errorf("it asks %v, want %v alone, which has not answered", got, gone)
		}
	})
}

// A source whose clock was set back begins in an earlier run: it is the one that has to go.
func TestASourceWithAnEarlierEpochEndsItself(t *testing.T) {
	inside(t, 2, &world{source: option{later: time.Minute}}, func(t *testing.T, w *world) {
		w.crowd(5, 2)
		second := w.add(option{source: true, slots: 2, ends: true})
		second.Suggest(w.all[3].place.Addrs...)
		wantOver(t, w, w.root, second)
		w.wantWhole(second)
	})
}

// A source remembers who took its stream, and tells them of the next run.
func TestASourceTellsTheNodesOfItsLastRun(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "relay"))
	if err != nil {
		t.Fatal(err)
	}
	twoHalves(t, func(w *world, old, again []*inhabitant) {
		wantOver(t, w, again[0], old[0])
	}, option{store: kept}, kept)
}

// Nobody is replaced by what the channel's key has not signed.
func TestAClaimedEpochIsNotBelieved(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(3, 2)
		forged := stream.NewWriter(stream.NewRing(stream.Limits{}), w.key(), stream.Epoch{Ms: uint64(time.Now().UnixMilli()) + 1000}, time.Now())
		f := w.root.ownLaterOf(forged.Beat())
		for i, n := range w.all {
			if err := n.takeLater(f); !errors.Is(err, stream.ErrSignature) {
				t.Errorf("node %d: %v", i, err)
			}
		}
		ahead := stream.NewWriter(stream.NewRing(stream.Limits{}), w.key1, stream.Epoch{Ms: uint64(time.Now().Add(time.Hour).UnixMilli())}, time.Now())
		for i, n := range w.all {
			if err := n.takeLater(w.root.ownLaterOf(ahead.Beat())); err != nil || n.epoch() != w.root.writer.Epoch() {
				t.Errorf("node %d: %v, and is in %v", i, err, n.epoch())
			}
		}
		w.wantWhole()
	})
}

func (c *Channel) ownLaterOf(b *stream.Beat) wire.Later {
	return wire.Later{Channel: c.id, Beat: b, At: tree.Place{ID: c.node.ID(), Addrs: c.node.Addrs()}}
}
