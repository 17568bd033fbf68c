//go:build e2e && linux

package netns

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
)

var peercastFlag = flag.Duration("peercast", 0, "kill one of those between two trees again and again, for so long; 0 for the short proof")

// between is a channel that goes through PeerCast into another tree:
//
//	source ─ relay ─ model (yt) ─ model (station) ─ source of the other tree ─ watcher ─ player
type between struct {
	dir     string
	source  *process
	node    *node // that serves PeerCast
	link    string
	id      pcptest.ID
	one     *modelHost // takes one more
	two     *modelHost
	pull    *process
	player  *player
	sent    *run           // what the source has taken in
	configs map[media]bool // which of it are no frames
	got     int            // of the player's notes that were looked at
	at      int            // where the player's last frame is in sent; -1 before the first
	gaps    int            // times that frames did not come
}

// modelHost is a machine with a model of PeerCast.
type modelHost struct {
	*host
	t     *testing.T
	kind  pcptest.Kind
	slots int
	from  string // whom it pulls from
	id    pcptest.ID
	peer  *pcptest.Peer
	stop  func()
}

func (m *modelHost) addr() string { return m.host.addr + ":7144" }

// start starts the model anew, which has nothing.
func (m *modelHost) start() {
	m.t.Helper()
	var ln net.Listener
	must(m.t, m.do(func() (err error) {
		ln, err = net.Listen("tcp", m.addr())
		return err
	}))
	m.peer = pcptest.New(m.kind, byte(m.num), netip.MustParseAddrPort(m.addr()), m.slots)
	m.peer.Dial = m.dial
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { m.peer.Serve(ctx, ln) })
	all.Go(func() { m.peer.Pull(ctx, m.id, m.from) })
	m.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	m.t.Cleanup(m.stop)
}

// children waits until so many pull from the model.
func (m *modelHost) children(n int) {
	m.t.Helper()
	wait.Until(m.t, fmt.Sprintf("%d pull from the model at %s", n, m.host.addr), func() error {
		c := m.peer.Channel(m.id)
		if c == nil || len(c.Children()) != n {
			return errors.New("other numbers")
		}
		return nil
	})
}

func newBetween(t *testing.T) *between {
	n := newNetwork(t, 6)
	b := &between{dir: folder(t), at: -1, configs: make(map[media]bool)}
	keys := func(name string) string { return filepath.Join(b.dir, name+".keys") }
	tags := filepath.Join(b.dir, "tags")
	b.source = n.hosts[0].start(t, "source", filepath.Join(b.dir, "source.log"), relayBin, "source", clip, "--loop", "--no-qr", "--config", keys("source"), "--tag-log", tags)
	b.link = b.source.find(t, `(?m)^(relay://\S+)\n`)
	b.sent = new(ledger).begin(tags)
	b.node = newNode(n.hosts[1], 3)
	b.startNode(t)
	at := b.node.find(t, `pcp://\S+`)
	_, id, err := pcp.ParseLink(at)
	must(t, err)
	b.id = pcptest.ID(id)
	b.one = &modelHost{host: n.hosts[2], t: t, kind: pcptest.YT, slots: 1, from: n.hosts[1].addr + ":7144", id: b.id}
	b.two = &modelHost{host: n.hosts[3], t: t, kind: pcptest.Station, slots: 2, from: b.one.addr(), id: b.id}
	b.one.start()
	b.two.start()
	b.one.children(1)
	b.pull = n.hosts[4].start(t, "pull", filepath.Join(b.dir, "pull.log"), relayBin, "source", "pcp://"+b.one.addr()+"/"+b.id.String(), "--no-qr", "--verbose", "--config", keys("pull"))
	other := b.pull.find(t, `(?m)^(relay://\S+)\n`)
	watch := n.hosts[5].start(t, "watch", filepath.Join(b.dir, "watch.log"), relayBin, "watch", other, "--config", keys("watch"))
	b.player = n.hosts[5].play(t, "player", watch.find(t, `(?m)^(http://\S+)\n`))
	return b
}

func (b *between) startNode(t *testing.T) {
	n := b.node
	n.process = n.start(t, "node", filepath.Join(b.dir, "node.log"), relayBin, "watch", b.link, "--peercast", "--config", filepath.Join(b.dir, "node.keys"))
	n.find(t, `(?m)^(http://\S+)\n`)
}

// look compares what the player got with what the source has sent: frames come in their order, each
// as it was. Those that are left out are counted.
func (b *between) look(t *testing.T) {
	t.Helper()
	b.player.mu.Lock()
	notes := b.player.notes[b.got:]
	b.player.mu.Unlock()
	b.sent.follow(t) // behind the player, so it has everything that came
	b.got += len(notes)
	for _, n := range notes {
		m := n.tag.media()
		if n.config || m.typ == flv.Script {
			b.configs[m] = true
			continue
		}
		places := b.sent.of[m]
		i, _ := slices.BinarySearch(places, b.at+1)
		if i == len(places) {
			t.Fatalf("a frame came behind the one that was sent as %d, which was sent as %v alone", b.at, places)
		}
		if b.at >= 0 && slices.ContainsFunc(b.sent.tags[b.at+1:places[i]], func(g tag) bool { return g.typ != flv.Script && !b.configs[g.media()] }) {
			b.gaps++
			t.Logf("%d tags between %d and %d did not come", places[i]-b.at-1, b.at, places[i])
		}
		b.at = places[i]
	}
	must(t, b.player.broken())
}

// flows waits until the player has got so many tags more.
func (b *between) flows(t *testing.T, tags int) {
	t.Helper()
	b.look(t)
	from := b.at
	wait.Until(t, fmt.Sprintf("the player has %d tags more", tags), func() error {
		if b.look(t); b.at < from+tags {
			return fmt.Errorf("it is at %d, and was at %d", b.at, from)
		}
		return nil
	})
}

// TestAStreamGoesThroughPeerCastAndComesBack has a channel go out of one tree by --peercast, through two
// PeerCasts of which the first is full, into another tree, and kills each of them in turn. What arrives is
// what was sent, tag by tag, and no more is missing than a kill has cost.
func TestAStreamGoesThroughPeerCastAndComesBack(t *testing.T) {
	b := newBetween(t)
	b.two.children(1) // the first was full, and has sent the other tree there
	b.flows(t, 50)
	if b.gaps > 0 {
		t.Errorf("%d gaps before anybody was killed", b.gaps)
	}
	kills := map[string]func(){
		"the second model": func() {
			b.two.stop()
			b.one.children(1) // the other tree, for which there is room now
			b.flows(t, 50)
			b.two.start()
		},
		"the node that serves PeerCast": func() {
			b.node.kill()
			b.startNode(t)
			b.flows(t, 50)
		},
		"the first model": func() {
			b.one.stop()
			b.one.start()
			b.flows(t, 50)
		},
	}
	rest := 0 // tags between two kills
	if *peercastFlag > 0 {
		rest = 300
	}
	order := slices.Sorted(maps.Keys(kills))
	for began, n := time.Now(), 0; n < len(order) || time.Since(began) < *peercastFlag; n++ {
		who := order[n%len(order)]
		gaps, at := b.gaps, time.Now()
		kills[who]()
		t.Logf("killed %s: the stream went on after %v, with %d gaps", who, time.Since(at).Round(time.Millisecond), b.gaps-gaps)
		if b.gaps-gaps > 2 {
			t.Errorf("%d gaps for one kill", b.gaps-gaps)
		}
		b.flows(t, rest)
	}
}
