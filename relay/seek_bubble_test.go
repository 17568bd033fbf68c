package relay

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

// dhtNodes makes up nodes of the DHT.
func dhtNodes(n int) (at []netip.AddrPort) {
	for i := range n {
		at = append(at, netip.MustParseAddrPort(fmt.Sprintf("9.0.0.%d:6881", i)))
	}
	return at
}

// toldNodes keeps what a node is told of the DHT.
type toldNodes struct {
	mu  sync.Mutex
	all [][]netip.AddrPort
}

func (d *toldNodes) take(at []netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, at)
}

func TestAParentTellsOfNodesOfTheDHT(t *testing.T) {
	nodes := dhtNodes(60)
	w := &world{source: option{dht: DHT{Tell: func() []netip.AddrPort { return nodes }}}}
	inside(t, 2, w, func(t *testing.T, w *world) {
		var first, second toldNodes
		w.add(option{slots: 2, dht: DHT{Told: first.take}})
		w.add(option{slots: 2, dht: DHT{Told: second.take}, protocols: []string{alpn5}}) // which knows no such thing
		w.add(option{slots: 2})                                                          // which takes no part
		w.within(soon, "all are there", w.attached)
		time.Sleep(5 * time.Second)
		if len(first.all) != 1 || !slices.Equal(first.all[0], nodes[:wire.MaxDHTNodes]) {
			t.Errorf("one is told %v", first.all)
		}
		if len(second.all) != 0 {
			t.Errorf("an older one is told %v", second.all)
		}
	})
}

func TestNodesOfTheDHTAreToldOnce(t *testing.T) {
	d := &downlink{link: newLink(1, [32]byte{1}, nil, true)}
	c := &Channel{node: &Node{}}
	d.seek = func(f wire.Seek) error { return c.takeSeek(d, f) }
	if err := d.take(wire.Seek{Most: 5}); err != nil {
		t.Error(err)
	}
	if f := (<-d.out).(wire.DHTNodes); len(f.At) != 0 {
		t.Errorf("who takes no part names %v", f.At)
	}
	if err := d.take(wire.Seek{Most: 5}); !errors.Is(err, wire.ErrNotDue) {
		t.Errorf("once more: %v", err)
	}
	var got toldNodes
	c.node.cfg.DHT.Told = got.take
	u := &uplink{}
	u.nodes = func(f wire.DHTNodes) error { return c.takeDHTNodes(u, f) }
	if err := u.take(wire.DHTNodes{At: dhtNodes(3)}); !errors.Is(err, wire.ErrNotDue) || len(got.all) != 0 {
		t.Errorf("who was not asked: %v", err)
	}
	u.sought.Store(true)
	if err := u.take(wire.DHTNodes{At: dhtNodes(3)}); err != nil || len(got.all) != 1 {
		t.Errorf("the answer: %v", err)
	}
	if err := u.take(wire.DHTNodes{At: dhtNodes(3)}); !errors.Is(err, wire.ErrNotDue) || len(got.all) != 1 {
		t.Errorf("a second one: %v", err)
	}
}

// A link whose addresses lead nowhere, or that has none, is of use if somebody tells of others later.
func TestAChannelGoesOnWithoutAddresses(t *testing.T) {
	for name, hosts := range map[string][]HostPort{"none": {}, "one where nobody is": {{"10.9.9.9", 7144}}, "a name that is none": {{"nobody..invalid", 7144}}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 3, func(t *testing.T, w *world) {
				n := w.add(option{slots: 2, hosts: hosts, suggested: true})
				time.Sleep(20 * time.Second)
				if w.attached(n) {
					t.Fatal("it has found the source by itself")
				}
				wrong := tree.Place{ID: tree.ID{1}, Addrs: w.root.place.Addrs}
				n.SuggestPlaces([]tree.Place{wrong})
				time.Sleep(5 * time.Second)
				if w.attached(n) {
					t.Error("another node than the one that was named is taken for it")
				}
				n.SuggestPlaces([]tree.Place{w.root.place})
				w.within(soon, "it is there", w.attached)
			})
		})
	}
}
