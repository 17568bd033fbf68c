package relay

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"relay/relay/archive"
	"relay/relay/membership"
	"relay/relay/relaytest"
	"relay/relay/seal"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/tree"
)

// world is whole nodes on a network in memory, in a testing/synctest bubble: what
// takes minutes there takes a second.
type world struct {
	t      *testing.T
	net    *relaytest.Network
	rand   *rand.Rand
	invite Invite
	root   *inhabitant
	all    []*inhabitant
	far    bool               // each node is in a network of its own
	public bool               // at addresses of the Internet
	upload int                // of each, bit/s; 0 if it has to be found
	walls  sync.Map           // addresses that nobody gets through to
	key1   ed25519.PrivateKey // the channel's
	dialed sync.Map           // the number of a node, from 1, and an address that it has dialled
	quiet  bool               // the source broadcasts nothing of its own accord
	source option             // what the source is besides
	access seal.Access        // of a private channel; zero for a public one
	header []byte             // "header" if nil
	tag    func(i int) []byte // "frame i" if nil
}

// inhabitant is one node with one channel.
type inhabitant struct {
	*Channel
	node   *Node
	host   *relaytest.Host
	from   atomic.Pointer[relaytest.Host] // where it dials from: host, until it moves
	packet *relaytest.PacketConn          // nil for a node that nobody can reach
	place  tree.Place
	cancel context.CancelFunc
	wg     sync.WaitGroup
	writer *stream.Writer // the root's
	ahead  atomic.Int64   // by how much its wall clock is ahead of the bubble's, in ns
	killed atomic.Bool
	noWay  atomic.Bool // its machine has no network
	mayEnd bool        // with an error
	end    error       // of Run; for who has waited for wg

	mu   sync.Mutex
	last uint64   // the newest chunk seen
	gaps []string // chunks that did not follow

	heard []Notice
}

const (
	worldDelay = 10 * time.Millisecond
	worldPort  = 7144
	frameEvery = 100 * time.Millisecond
	// lingers is how long goroutines of memberlist's may outlast it.
	lingers = 12 * time.Second
)

// inWorld runs f in a bubble with a source that broadcasts, and then ends all nodes.
// The bubble fails the test if a goroutine is left.
func inWorld(t *testing.T, slots int, f func(t *testing.T, w *world)) {
	inside(t, slots, &world{}, f)
}

// inside is inWorld for a world of another kind.
func inside(t *testing.T, slots int, w *world, f func(t *testing.T, w *world)) {
	defer oneProcessor()()
	synctest.Test(t, func(t *testing.T) {
		w.t, w.net, w.rand = t, relaytest.New(worldDelay), rand.New(rand.NewPCG(3, 4))
		w.source.slots = slots
		w.root = w.add(w.source)
		w.invite = Invite{Channel: w.root.ID(), Hosts: []HostPort{hostPort(w.root.place)}, Access: w.access}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		if !w.quiet {
			wg.Go(func() { w.broadcast(w.root, stop) })
		}
		defer func() {
			close(stop)
			wg.Wait()
			for _, n := range w.all {
				n.cancel()
			}
			for _, n := range w.all {
				n.wg.Wait()
			}
			time.Sleep(lingers)
		}()
		f(t, w)
	})
}

func hostPort(p tree.Place) HostPort {
	return HostPort{p.Addrs[0].Addr().String(), p.Addrs[0].Port()}
}

// broadcast writes a small frame every frameEvery, each tenth a key.
func (w *world) broadcast(from *inhabitant, stop chan struct{}) {
	header, tag := w.header, w.tag
	if header == nil {
		header = []byte("header")
	}
	if tag == nil {
		tag = func(i int) []byte { return fmt.Appendf(nil, "frame %d", i) }
	}
	if err := from.writer.SetHeader(header); err != nil {
		w.t.Error(err)
	}
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		f := stream.EndsChunk
		if i%10 == 0 {
			f |= stream.StartHere
		}
		if err := from.writer.WriteTag(tag(i), f); err != nil {
			if !from.mayEnd {
				w.t.Error(err)
			}
			return
		}
	}
}

type option struct {
	slots       int
	unreachable bool
	walled      bool          // nobody gets through to it from outside
	helper      bool          // it takes offers
	source      bool          // it is another source of the channel
	later       time.Duration // by how much its wall clock is ahead of the bubble's
	recordings  bool          // it takes what is not live
	ends        bool          // it may end with an error
	members     int
	store       *store.Store
	hosts       []HostPort // of the link; the source if nil
	found       []netip.AddrPort
	domain      func(string) ([]netip.AddrPort, error) // what domains in links say of the channel
	both        bool                                   // it has an address of IPv6 as well, which it names first
	claims      []netip.AddrPort                       // what it says of where it listens; where it does if nil
	knock       func(context.Context, knock) (net.Conn, error)
	access      *seal.Access   // instead of the world's
	tap         func(b []byte) // of packets that it sends
	again       *inhabitant    // that has ended, on whose machine it is
	log         *zap.Logger
	inside      bool                                    // it gets through to nobody who is abroad
	abroad      bool                                    // at an address of the Internet, beyond the networks of all others
	name        string                                  // what it calls itself
	hostName    string                                  // likewise, to those in its own networks
	hideNames   bool                                    // nobody is called by a name in its channel
	protocols   []string                                // that it speaks; all if nil
	keep        func(stream.ChannelID) *archive.Archive // it keeps the channel there
	dht         DHT
	suggested   bool // it may hear of addresses later
}

// isAbroad reports whether an address is that of a node that is abroad.
func isAbroad(a netip.Addr) bool { return a.Is4() && a.As4()[0] == 12 }

// add starts a node: the first is the source.
func (w *world) add(o option) *inhabitant {
	w.t.Helper()
	i := len(w.all) + 1
	first := byte(10)
	if w.public {
		first = 11
	}
	if o.abroad {
		first = 12
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{first, 0, byte(i >> 8), byte(i)}), worldPort)
	if o.again != nil {
		addr = o.again.place.Addrs[0]
	}
	n := &inhabitant{host: w.net.Host(addr.Addr()), mayEnd: o.ends}
	addrs := []netip.AddrPort{addr}
	if o.both {
		addr6 := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)}), worldPort)
		n.host.Also(addr6.Addr())
		addrs = []netip.AddrPort{addr6, addr}
	}
	if o.claims != nil {
		addrs = o.claims
	}
	n.from.Store(n.host)
	cfg := Config{
		Key: w.key(), Slots: o.slots, Upload: w.upload, Helper: o.helper, Members: o.members, Store: o.store, Recordings: o.recordings, Log: o.log,
		Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
			w.dialed.Store(fmt.Sprint(i, " ", to), true)
			if n.noWay.Load() {
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
			}
			if network == "tcp" && w.isWalled(to) {
				<-ctx.Done() // as when nothing answers
				return nil, ctx.Err()
			}
			if at, err := netip.ParseAddrPort(to); o.inside && err == nil && isAbroad(at.Addr()) {
				return nil, errors.New("there is no way")
			}
			return n.dial(ctx, network, to)
		},
		Near: func(a netip.Addr) bool { return !w.far && !o.abroad && !isAbroad(a) }, // whatever networks this machine is in
		Name: o.name, HostName: o.hostName, HideNames: o.hideNames, DHT: o.dht, Suggested: o.suggested,
		Notices: n.hear,
	}
	if o.domain != nil {
		cfg.AskDomain = func(_ context.Context, domain string, id stream.ChannelID) ([]netip.AddrPort, error) {
			if id != w.root.ID() {
				w.t.Errorf("%s is asked for channel %v", domain, id)
			}
			return o.domain(domain)
		}
	}
	if o.walled {
		w.walls.Store(addr.String(), true)
	}
	if !o.unreachable {
		ln, err := n.host.Listen(worldPort)
		if err != nil {
			w.t.Fatal(err)
		}
		if n.packet, err = n.host.ListenPacket(worldPort); err != nil {
			w.t.Fatal(err)
		}
		cfg.Listener, cfg.Packet, cfg.Addrs = ln, n.packet, addrs
		if o.tap != nil {
			cfg.Packet = tapped{n.packet, o.tap}
		}
	}
	var err error
	if n.node, err = New(cfg); err != nil {
		w.t.Fatal(err)
	}
	n.node.knock = o.knock
	if o.protocols != nil {
		n.node.linkTLS, n.node.portTLS = n.node.ident.tlsConfig(o.protocols...), n.node.ident.tlsConfig(append(slices.Clone(o.protocols), alpnGossip)...)
	}
	n.place = tree.Place{ID: n.node.ID(), Addrs: cfg.Addrs}
	if w.root == nil {
		w.key1 = w.key()
	}
	n.ahead.Store(int64(o.later))
	if w.root == nil || o.source {
		epoch := stream.Epoch{Ms: uint64(time.Now().Add(o.later).UnixMilli())}
		n.Channel, n.writer, err = n.node.PrivateSource(w.key1, w.access, epoch)
	} else {
		inv := w.invite
		if o.hosts != nil {
			inv.Hosts = o.hosts
		}
		if o.access != nil {
			inv.Access = *o.access
		}
		n.Channel, err = n.node.Watch(inv, nil, o.found...)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	n.intake.wall = func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }
	var ctx context.Context
	ctx, n.cancel = context.WithCancel(context.Background())
	if o.keep != nil {
		a := o.keep(n.ID())
		n.Keep(a)
		n.wg.Go(func() {
			if err := a.Run(ctx, n.Carried()); err != nil {
				w.t.Error(err)
			}
		})
	}
	n.wg.Go(func() {
		if err := n.node.Run(ctx); err != nil && !n.killed.Load() {
			w.t.Error(err)
		}
	})
	n.wg.Go(func() {
		if n.end = n.Run(ctx); n.end != nil && !n.mayEnd {
			w.t.Error(n.end)
		}
	})
	n.wg.Go(func() { n.watch(ctx) })
	w.all = append(w.all, n)
	return n
}

func (w *world) isWalled(addr string) bool {
	_, ok := w.walls.Load(addr)
	return ok
}

// key returns the same keys in every run.
func (w *world) key() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(w.rand.Uint32())
	}
	return ed25519.NewKeyFromSeed(seed)
}

// watch is the node's player: it notes what does not follow.
func (n *inhabitant) watch(ctx context.Context) {
	c := n.Ring().Cursor()
	for {
		it, err := c.Next(ctx)
		if err != nil {
			return
		}
		n.mu.Lock()
		if seq := it.Chunk.Seq(); n.last != 0 && seq != n.last+1 {
			n.gaps = append(n.gaps, fmt.Sprintf("%d after %d", seq, n.last))
		}
		n.last = it.Chunk.Seq()
		n.mu.Unlock()
	}
}

// dial connects from where the node is now.
func (n *inhabitant) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.from.Load().Dial(ctx, network, addr)
}

// hear keeps what the node notices.
func (n *inhabitant) hear(_ stream.ChannelID, notice Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, notice)
}

// kill ends the node as a crash does: what is left of it says nothing any more.
func (n *inhabitant) kill() {
	n.killed.Store(true)
	n.host.Kill()
}

func (n *inhabitant) seen() (last uint64, gaps []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last, slices.Clone(n.gaps)
}

func (n *inhabitant) status(t *testing.T) Status {
	t.Helper()
	s, ok := n.Status()
	if !ok {
		t.Fatal("the channel has ended")
	}
	return s
}

// within waits until it is so for all nodes but those left out.
func (w *world) within(most time.Duration, what string, is func(n *inhabitant) bool, but ...*inhabitant) time.Duration {
	w.t.Helper()
	begin := time.Now()
	for {
		synctest.Wait()
		var not []string
		for i, n := range w.all {
			if !slices.Contains(but, n) && !is(n) {
				not = append(not, fmt.Sprint(i))
			}
		}
		if len(not) == 0 {
			return time.Since(begin)
		}
		if time.Since(begin) > most {
			w.t.Fatalf("%s: not so within %v for nodes %s", what, most, strings.Join(not, " "))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *world) attached(n *inhabitant) bool { return n.status(w.t).Tree.Attached }

// wantWhole checks that the players miss nothing, and are not behind.
func (w *world) wantWhole(but ...*inhabitant) {
	w.t.Helper()
	head := w.root.Ring().Head().Seq
	w.within(2*time.Second, "all are up to date", func(n *inhabitant) bool { last, _ := n.seen(); return last >= head }, but...)
	for i, n := range w.all {
		if _, gaps := n.seen(); len(gaps) != 0 && !slices.Contains(but, n) {
			w.t.Errorf("node %d: chunk %s", i, strings.Join(gaps, ", "))
		}
	}
}

// crowd adds viewers, all of them at the same moment, and waits until they play.
func (w *world) crowd(n, slots int) {
	w.t.Helper()
	for range n {
		w.add(option{slots: slots})
	}
	took := w.within(10*time.Second, "all have joined", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 && w.attached(n) })
	w.t.Logf("%d nodes play after %v", n, took)
}

// inner returns a viewer that has the most descendants.
func (w *world) inner() *inhabitant {
	var best *inhabitant
	most := 0
	for _, n := range w.all[1:] {
		below := 0
		for _, c := range n.status(w.t).Tree.Children {
			below += 1 + int(c.Report.Below)
		}
		if below > most {
			best, most = n, below
		}
	}
	if best == nil {
		w.t.Fatal("no viewer has children")
	}
	w.t.Logf("an inner node has %d below it", most)
	return best
}

func TestACrowdJoinsAndKnowsItself(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(29, 3)
		took := w.within(3*time.Minute, "all know most", func(n *inhabitant) bool { return n.peers.gossip.Len() >= 25 })
		t.Logf("all know nearly all after %v more", took)
		w.wantWhole()
		depth := map[int]int{}
		for _, n := range w.all {
			depth[n.status(t).Tree.Depth]++
		}
		t.Logf("nodes at each depth: %v", depth)
	})
}

func TestAnInnerNodeDiesAndNobodyMissesAChunk(t *testing.T) {
	for name, fault := range map[string]func(*inhabitant){
		"killed": (*inhabitant).kill,
		"frozen": func(n *inhabitant) { n.host.Freeze() },
		"leaves": func(n *inhabitant) { n.cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 3, func(t *testing.T, w *world) {
				w.crowd(14, 3)
				time.Sleep(5 * time.Second)
				gone := w.inner()
				fault(gone)
				w.within(5*time.Second, "all are attached", func(n *inhabitant) bool {
					return w.attached(n) && n.status(t).Tree.Parent.ID != gone.place.ID
				}, gone)
				w.within(time.Minute, "it is no member", func(n *inhabitant) bool {
					return !slices.ContainsFunc(n.peers.gossip.Sample(99), func(m membership.Member) bool { return m.Place.ID == gone.place.ID })
				}, gone)
				w.wantWhole(gone)
				gone.host.Thaw()
				time.Sleep(5 * time.Second)
			})
		})
	}
}

func TestAFifthDiesAtOnce(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(19, 3)
		time.Sleep(5 * time.Second)
		gone := []*inhabitant{w.inner()}
		for _, n := range w.all[1:] {
			if len(gone) < 4 && n != gone[0] && len(n.status(t).Tree.Children) > 0 {
				gone = append(gone, n)
			}
		}
		for _, n := range gone {
			n.kill()
		}
		took := w.within(5*time.Second, "all are attached", func(n *inhabitant) bool {
			p := n.status(t).Tree.Parent.ID
			return w.attached(n) && !slices.ContainsFunc(gone, func(g *inhabitant) bool { return g.place.ID == p })
		}, gone...)
		t.Logf("%d inner nodes are gone, the others attached after %v", len(gone), took)
		time.Sleep(3 * time.Second)
		w.wantWhole(gone...)
	})
}

func TestAPartitionHealsForWholeNodes(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(9, 3)
		w.within(3*time.Minute, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 10 })
		half := func(each func(a, b *relaytest.Host)) {
			for i, a := range w.all {
				for j, b := range w.all {
					if i < 5 != (j < 5) {
						each(a.host, b.host)
					}
				}
			}
		}
		half((*relaytest.Host).Cut)
		w.within(2*time.Minute, "the source's half knows itself", func(n *inhabitant) bool { return n.peers.gossip.Len() == 5 }, w.all[5:]...)
		half((*relaytest.Host).Heal)
		w.within(time.Minute, "all are attached", w.attached)
		took := w.within(5*time.Minute, "all are members again", func(n *inhabitant) bool { return n.peers.gossip.Len() == 10 })
		t.Logf("all know each other %v after the tree has healed", took)
	})
}

// A node that nobody can reach is no member, and hears of others from its parent.
func TestAParentTellsOfOthers(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(9, 3)
		w.within(3*time.Minute, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 10 })
		hidden := w.add(option{slots: 2, unreachable: true})
		over := w.add(option{slots: 2, members: 10})
		for name, n := range map[string]*inhabitant{"nobody can reach": hidden, "there is no room for": over} {
			w.within(40*time.Second, "it hears of others", func(n *inhabitant) bool { return len(n.peers.known(tree.ID{})) >= 9 },
				slices.DeleteFunc(slices.Clone(w.all), func(o *inhabitant) bool { return o == n })...)
			for _, o := range w.all[:10] {
				if slices.ContainsFunc(o.peers.gossip.Sample(99), func(m membership.Member) bool { return m.Place.ID == n.place.ID }) {
					t.Errorf("who %s is a member", name)
				}
			}
		}
		w.wantWhole()
	})
}

// A link is good as long as anybody lives whom this machine has once met.
func TestALinkWhoseOnlyAddressIsDeadStillJoins(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "relay"))
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(9, 3)
		entry := w.add(option{slots: 3})
		w.within(3*time.Minute, "all know each other", func(n *inhabitant) bool { return n.peers.gossip.Len() == 11 })
		viewer := w.add(option{slots: 3, store: kept, hosts: []HostPort{hostPort(entry.place)}})
		w.within(10*time.Second, "it plays", w.attached)
		time.Sleep(rememberFirst * 4 / 5)
		if ps, err := kept.Remembered(w.root.ID(), time.Now()); len(ps) > 0 || err != nil {
			t.Errorf("%v, %v is remembered before it was time", ps, err)
		}
		viewer.cancel()
		viewer.wg.Wait()
		if ps, err := kept.Remembered(w.root.ID(), time.Now()); len(ps) < 8 || err != nil {
			t.Errorf("%d of 11 nodes are remembered, %v", len(ps), err)
		}
		entry.kill()
		w.within(5*time.Second, "all are attached", w.attached, entry, viewer)
		again := w.add(option{slots: 3, store: kept, hosts: []HostPort{hostPort(entry.place)}})
		took := w.within(10*time.Second, "it plays again", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 }, entry, viewer)
		t.Logf("joined by a remembered node after %v", took)
		stranger := w.add(option{slots: 3, hosts: []HostPort{hostPort(entry.place)}})
		time.Sleep(20 * time.Second)
		if stranger.status(t).Tree.Attached {
			t.Error("who has met nobody has joined by a dead address")
		}
		_ = again
		entry.cancel()
		stranger.cancel()
	})
}

// A node on a LAN tells all its slots, before and after it has moved over a link that was
// ready: what is found for the Internet does not count here.
func TestANodeOnALANTellsAllItsSlots(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		const slots = 8
		a := w.add(option{slots: slots})
		w.within(10*time.Second, "a is attached", w.attached)
		b := w.add(option{slots: slots}) // as strong as a, and so below it
		w.within(10*time.Second, "b is attached", w.attached)
		tells := func(parent *inhabitant) func(*inhabitant) bool {
			return func(*inhabitant) bool {
				cs := parent.status(t).Tree.Children
				return len(cs) == 1 && cs[0].Place.ID == b.place.ID && cs[0].Report.Free == slots
			}
		}
		w.within(10*time.Second, "all slots are told", tells(a))
		w.within(10*time.Second, "a link is ready", func(*inhabitant) bool { return len(b.status(t).Tree.Standbys) > 0 })
		a.kill()
		w.within(10*time.Second, "all slots are told after the move", tells(w.root), a)
	})
}

func TestASpoiltListOfNodesKeepsNobodyFromWatching(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	kept, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, 3, func(t *testing.T, w *world) {
		if err := kept.Remember(w.root.ID(), []tree.Place{w.root.place}, time.Now()); err != nil {
			t.Fatal(err)
		}
		lists, err := filepath.Glob(filepath.Join(dir, "channels", "*"))
		if err != nil || len(lists) != 1 {
			t.Fatalf("%q, %v", lists, err)
		}
		if err := os.WriteFile(lists[0], []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
		if ps, err := kept.Remembered(w.root.ID(), time.Now()); err == nil {
			t.Fatalf("nonsense is read as %v", ps)
		}
		w.add(option{slots: 2, store: kept})
		w.within(5*time.Second, "it plays", w.attached)
		time.Sleep(2 * rememberInterval)
		ps, err := kept.Remembered(w.root.ID(), time.Now())
		if err != nil || len(ps) != 1 || ps[0].ID != w.root.place.ID {
			t.Errorf("afterwards %v, %v is remembered", ps, err)
		}
	})
}
