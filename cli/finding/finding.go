package finding

import (
	"context"
	"crypto/ed25519"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay"
	"relay/relay/dht"
	"relay/relay/hostnet"
	"relay/relay/refusal"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/tree"
)

const (
	// lookEvery is how often it is looked whether there is something to do.
	lookEvery = 250 * time.Millisecond
	// spread is how much later than others a node looks up at most, if many have lost their parent at once, and
	// renewSpread likewise where many have the same item.
	spread, renewSpread = 5 * time.Second, 10 * time.Minute
	// lastTime bounds the last words of a source: that the channel is off the air.
	lastTime = 3 * time.Second
	// crowd is how many of those who watch have an item kept again: the more watch, the fewer of each hundred.
	crowd = 16
)

// Config says what of this may be done.
type Config struct {
	Off       bool
	Public    bool     // the channel of a source may be found by its ID
	Bootstrap []string // host:port of nodes to begin with, instead of those of the public DHT
}

// Finder is one process's way into the DHT. A nil one has none, and sends nothing.
type Finder struct {
	client  *dht.Client
	private bool // nodes with addresses of one network alone, as in a network that has a DHT of its own
	refused *refusal.Counts
	store   *store.Store // nil if nothing can be kept
	log     *zap.Logger

	mu   sync.Mutex
	kept []byte // what the store has
}

// Open returns a Finder, nil if there shall be none. It sends nothing. The caller closes it.
func Open(cfg Config, st *store.Store, log *zap.Logger) *Finder {
	if cfg.Off {
		return nil
	}
	f := &Finder{refused: &refusal.Counts{}, store: st, log: log}
	if st != nil {
		var err error
		if f.kept, err = st.DHTNodes(); err != nil {
			log.Warn("the nodes of the last run cannot be read; going on without them", zap.Error(err))
		}
	}
	for _, at := range cfg.Bootstrap {
		host, _, _ := net.SplitHostPort(at)
		if ip, err := netip.ParseAddr(host); err == nil && !hostnet.Public(ip) {
			f.private = true
		}
	}
	f.client = dht.New(dht.Config{Nodes: dht.ParseNodes(f.kept), Bootstrap: cfg.Bootstrap, Private: f.private, Refused: f.refused})
	return f
}

// Close keeps the nodes that were found for the next run.
func (f *Finder) Close() {
	if f == nil || f.store == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.client.Nodes().Text()
	if slices.Equal(now, f.kept) {
		return
	}
	if f.kept = now; f.store.KeepDHTNodes(now) != nil {
		f.log.Debug("the nodes of the DHT cannot be kept")
	}
}

// DHT is what a node tells others of nodes of the DHT, and takes from them.
func (f *Finder) DHT() relay.DHT {
	if f == nil {
		return relay.DHT{}
	}
	return relay.DHT{Tell: f.client.Nodes().Tell, Told: f.client.Told}
}

// Refused counts what nodes of the DHT have sent and was not taken, by its reason; nil for a nil Finder.
func (f *Finder) Refused() map[refusal.Reason]uint64 {
	if f == nil {
		return nil
	}
	return f.refused.All(dht.Refusals...)
}

// Lookup is what came of looking a channel up.
type Lookup struct {
	Found dht.Found
	Old   bool  // it is of an earlier run than one that this node has seen
	Err   error // nil if it was found; dht.ErrNotFound or dht.ErrNobody, or the system's
}

// Find looks a channel up once. early, if not nil, is called with what is found before all is known.
func (f *Finder) Find(ctx context.Context, inv relay.Invite, early func(dht.Found)) (dht.Found, error) {
	defer f.Close()
	return f.client.Find(ctx, inv.Channel, inv.Access, early)
}

// Watch looks the channel of a link up while it has no parent, suggests to it what is found, and has that
// kept for others, until ctx ends. tell is called with what came of each look-up.
func (f *Finder) Watch(ctx context.Context, ch *relay.Channel, inv relay.Invite, tell func(Lookup)) {
	if f == nil {
		return
	}
	var due dht.Lookups
	var renewals dht.Renewals
	begun, later, renewLater := time.Now(), time.Duration(0), rand.N(renewSpread)
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		st, ok := ch.Status()
		if !ok {
			continue
		}
		now := time.Now()
		alone := now.Sub(begun)
		if st.Tree.Turned.After(begun) {
			alone = now.Sub(st.Tree.Turned) - later
		}
		if st.Tree.Attached || !st.Tree.Parent.ID.IsZero() { // below others who have lost theirs, it is for those to find one
			alone, later = 0, rand.N(spread)
		}
		if due.Due(max(0, alone)) {
			l := f.look(ctx, ch, inv)
			if l.Err == nil {
				renewals.Found(time.Now(), l.Found)
			}
			if ctx.Err() == nil {
				tell(l)
			}
		}
		if found, is := renewals.Due(time.Now(), renewLater); is {
			renewals.Tried(time.Now(), f.renew(ctx, inv, found, st.Watching))
		}
	}
}

// lookLeast is the least time between two look-ups of a channel of which nobody wants to watch it at once.
const lookLeast = 15 * time.Minute

// Memory is what a process that asks after channels again and again knows of them. It is safe for concurrent
// use. Its zero value knows nothing.
type Memory struct {
	mu sync.Mutex
	of map[stream.ChannelID]*remembered
}

// remembered is what is known of one channel.
type remembered struct {
	asked    time.Time
	found    dht.Found
	has      bool
	renewals dht.Renewals
	later    time.Duration
}

// Recall returns what the DHT has of a channel: from a look-up, or, if the last was less than lookLeast ago, as
// it was found then. What was found is kept for others as by Watch.
func (f *Finder) Recall(ctx context.Context, m *Memory, inv relay.Invite) (dht.Found, bool) {
	m.mu.Lock()
	if m.of == nil {
		m.of = make(map[stream.ChannelID]*remembered)
	}
	k := m.of[inv.Channel]
	if k == nil {
		k = &remembered{later: rand.N(renewSpread)}
		m.of[inv.Channel] = k
	}
	now := time.Now()
	if !k.asked.IsZero() && now.Sub(k.asked) < lookLeast {
		defer m.mu.Unlock()
		return k.found, k.has
	}
	k.asked = now // whoever else asks meanwhile has what was known
	m.mu.Unlock()
	found, err := f.Find(ctx, inv, nil)
	m.mu.Lock()
	switch {
	case err == nil:
		k.found, k.has = found, true
		k.renewals.Found(k.asked, found)
	case ctx.Err() != nil:
		k.asked = time.Time{} // there was no time for it
	}
	known, has := k.found, k.has
	again, due := k.renewals.Due(time.Now(), k.later)
	m.mu.Unlock()
	if due && ctx.Err() == nil {
		newest := f.renew(ctx, inv, again, 1)
		m.mu.Lock()
		k.renewals.Tried(time.Now(), newest)
		m.mu.Unlock()
	}
	return known, has
}

// look looks up once, and suggests what is found as soon as it is.
func (f *Finder) look(ctx context.Context, ch *relay.Channel, inv relay.Invite) (l Lookup) {
	l.Found, l.Err = f.Find(ctx, inv, func(found dht.Found) { ch.SuggestPlaces(found.Places) })
	if l.Err == nil && f.store != nil {
		seen, err := f.store.SeenEpoch(inv.Channel)
		l.Old = err == nil && l.Found.Epoch.Compare(seen) < 0
	}
	return l
}

// renew has an item kept again, or leaves that to others of those who watch.
func (f *Finder) renew(ctx context.Context, inv relay.Invite, found dht.Found, watching int) dht.Found {
	if rand.N(max(watching, 1)) >= crowd {
		return found
	}
	newest, n, err := f.client.Renew(ctx, inv.Access, found)
	f.log.Debug("the channel's item is kept again", zap.Int("nodes", n), zap.Error(err))
	if err != nil {
		return found
	}
	return newest
}

// Published is what came of an attempt to have a channel found by its ID.
type Published struct {
	Nodes int   // that keep it
	None  bool  // there is no address that others elsewhere could reach
	Err   error // dht.ErrNobody, or the system's
}

// Publish says where a channel is, whenever there is something to say, until ctx ends, and at last that it is
// off the air. item returns what there is to say now, and false if that is not known yet. tell is called with
// what came of each attempt.
func (f *Finder) Publish(ctx context.Context, key ed25519.PrivateKey, inv relay.Invite, item func() (dht.Item, bool), tell func(Published)) {
	if f == nil {
		return
	}
	var due dht.Publications
	var said dht.Item
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			f.sayOff(key, inv, said)
			return
		case <-tick.C:
		}
		it, ok := item()
		now := time.Now()
		if !ok || !due.Due(now, it) {
			continue
		}
		it.Made = now
		_, n, err := f.client.Publish(ctx, key, inv.Access, it)
		f.Close()
		if due.Tried(time.Now(), err == nil && n > 0); err == nil && n > 0 {
			said = it
		}
		if ctx.Err() == nil {
			tell(Published{Nodes: n, None: len(it.Places) == 0, Err: err})
		}
	}
}

// sayOff says that the channel is off the air, if anything was said.
func (f *Finder) sayOff(key ed25519.PrivateKey, inv relay.Invite, said dht.Item) {
	if said.Made.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastTime)
	defer cancel()
	said.Live, said.Made = false, time.Now()
	_, n, err := f.client.Publish(ctx, key, inv.Access, said)
	f.log.Debug("the channel is said to be off the air", zap.Int("nodes", n), zap.Error(err))
}

// Item is what a source says of its channel. via are the places of helpers, which are first in its link.
func (f *Finder) Item(n *relay.Node, ch *relay.Channel, via []tree.Place, live bool, title string) (dht.Item, bool) {
	st, ok := ch.Status()
	if !ok {
		return dht.Item{}, false
	}
	own := append(slices.Clone(via), tree.Place{ID: n.ID(), Addrs: n.Addrs()})
	it := dht.Item{Live: live, Epoch: stream.Epoch(st.Tree.Label.Epoch), Title: title, Places: f.reachable(own)}
	it.Own = len(it.Places)
	kids := slices.Clone(st.Tree.Children)
	slices.SortStableFunc(kids, func(a, b tree.ChildInfo) int { return a.Since.Compare(b.Since) }) // who has stayed longest
	for _, k := range kids {
		if k.Reach == tree.Open && k.Pulling {
			it.Places = append(it.Places, f.reachable([]tree.Place{k.Place})...)
		}
	}
	it.Places = it.Places[:min(len(it.Places), dht.MaxPlaces)]
	return it, true
}

// reachable leaves out addresses that mean nothing elsewhere, and places without others.
func (f *Finder) reachable(ps []tree.Place) (all []tree.Place) {
	for _, p := range ps {
		var addrs []netip.AddrPort
		for _, a := range p.Addrs {
			if f.private || hostnet.Public(a.Addr()) {
				addrs = append(addrs, a)
			}
		}
		if len(addrs) > 0 {
			all = append(all, tree.Place{ID: p.ID, Addrs: addrs})
		}
	}
	return all
}
