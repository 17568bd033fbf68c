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
	hosts   []*host
	source  *process
	node    *node // that serves PeerCast
	link    string
	id      pcptest.ID
	one     *modelHost // takes one more
	two     *modelHost
	pull    *process
	player  *player
	other   string         // the link of the other tree
	watch   *process       // the viewer's node
	sent    ledger         // what the source has taken in, in each of its runs
	configs map[media]bool // which of it are no frames
	got     int            // of the player's notes that were looked at
	frames  int            // that came, of all players
	run, at int            // where the player's last frame is in sent; -1 before the first of a run
	again   bool           // what comes may, once, have come before
	gaps    int            // times that frames did not come
	last    time.Time      // when the last frame came
	silence time.Duration  // the longest without one since the last kill
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
	b := &between{dir: folder(t), hosts: n.hosts, at: -1, configs: make(map[media]bool)}
	b.startSource(t, n.hosts[0])
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
	b.startPull(t, n.hosts[4])
	b.startWatch(t, n.hosts[5])
	return b
}

// relay starts the program on a host, with keys that it had before.
func (b *between) relay(t *testing.T, h *host, name string, args ...string) *process {
	t.Helper()
	return h.start(t, name, filepath.Join(b.dir, name+".log"), relayBin, append(args, "--config", filepath.Join(b.dir, name+".keys"))...)
}

// startSource begins another run of the source.
func (b *between) startSource(t *testing.T, h *host) {
	tags := filepath.Join(b.dir, fmt.Sprint("tags", len(b.sent.runs)))
	b.source = b.relay(t, h, "source", "source", clip, "--loop", "--no-qr", "--tag-log", tags)
	b.link = b.source.find(t, `(?m)^(relay://\S+)\n`)
	b.sent.begin(tags)
}

// startPull brings the channel into the other tree, as another run of that, which begins with the newest key frame.
func (b *between) startPull(t *testing.T, h *host) {
	b.pull = b.relay(t, h, "pull", "source", "pcp://"+b.one.addr()+"/"+b.id.String(), "--no-qr", "--verbose")
	b.other = b.pull.find(t, `(?m)^(relay://\S+)\n`)
	b.again = true
}

// startWatch has a viewer's node, and a player, which begins with the newest key frame.
func (b *between) startWatch(t *testing.T, h *host) {
	b.watch = b.relay(t, h, "watch", "watch", b.other)
	b.player = h.play(t, "player", b.watch.find(t, `(?m)^(http://\S+)\n`))
	b.got, b.again = 0, true
}

func (b *between) startNode(t *testing.T) {
	n := b.node
	n.process = b.relay(t, n.host, "node", "watch", b.link, "--peercast")
	n.find(t, `(?m)^(http://\S+)\n`)
}

// look compares what the player got with what the source has sent: frames come in their order, each
// as it was. Those that are left out are counted.
func (b *between) look(t *testing.T) {
	t.Helper()
	b.player.mu.Lock()
	notes := b.player.notes[b.got:]
	b.player.mu.Unlock()
	for _, r := range b.sent.runs[b.run:] {
		r.follow(t) // behind the player, so it has everything that came
	}
	b.got += len(notes)
	for _, n := range notes {
		m := n.tag.media()
		if n.config || m.typ == flv.Script {
			b.configs[m] = true
			continue
		}
		at := b.place(t, m)
		sent := b.sent.runs[b.run]
		if b.at >= 0 && at > b.at && slices.ContainsFunc(sent.tags[b.at+1:at], func(g tag) bool { return g.typ != flv.Script && !b.configs[g.media()] }) {
			b.gaps++
			t.Logf("%d tags between %d and %d did not come", at-b.at-1, b.at, at)
		}
		if !b.last.IsZero() {
			b.silence = max(b.silence, n.when.Sub(b.last))
		}
		b.at, b.last = at, n.when
		b.frames++
	}
	must(t, b.player.broken())
}

// place finds a frame that came behind the last one: where it is, in the same run or in the next.
func (b *between) place(t *testing.T, m media) int {
	t.Helper()
	sent := b.sent.runs[b.run]
	if at, ok := sent.after(m, b.at); ok {
		return at
	}
	for next := b.run + 1; next < len(b.sent.runs); next++ {
		if at, ok := b.sent.runs[next].after(m, -1); ok {
			b.run, b.at = next, -1
			return at
		}
	}
	if places := sent.of[m]; b.again && len(places) > 0 { // the newest: it is live
		b.again = false
		return places[len(places)-1]
	}
	t.Fatalf("a frame came behind the one that was sent as %d of run %d, which was sent as %v alone", b.at, b.run, sent.of[m])
	return 0
}

// flows waits until the player has got so many frames more.
func (b *between) flows(t *testing.T, frames int) {
	t.Helper()
	b.look(t)
	want := b.frames + frames
	wait.Until(t, fmt.Sprintf("the player has %d frames more", frames), func() error {
		if b.look(t); b.frames < want || b.run < len(b.sent.runs)-1 {
			return fmt.Errorf("it has got %d, not %d, of run %d of %d", b.frames, want, b.run, len(b.sent.runs))
		}
		return nil
	})
}

// TestAStreamGoesThroughPeerCastAndComesBack has a channel go out of one tree by --peercast, through two
// PeerCasts of which the first is full, into another tree, and kills each of all these in turn. What arrives is
// what was sent, tag by tag, and no more is missing than a kill has cost.
func TestAStreamGoesThroughPeerCastAndComesBack(t *testing.T) {
	b := newBetween(t)
	b.two.children(1) // the first was full, and has sent the other tree there
	b.flows(t, 50)
	if b.gaps > 0 {
		t.Errorf("%d gaps before anybody was killed", b.gaps)
	}
	again := func(p *process, start func(*testing.T, *host), h *host) {
		p.kill()
		start(t, h)
	}
	kills := map[string]func(){
		"the source": func() { again(b.source, b.startSource, b.hosts[0]) },
		"the node that serves PeerCast": func() {
			b.node.kill()
			b.startNode(t)
		},
		"the first model": func() {
			b.one.stop()
			b.one.start()
		},
		"the second model": func() {
			b.two.stop()
			b.one.children(1) // the other tree, for which there is room now
			b.flows(t, 50)
			b.two.start()
		},
		"the other tree's source": func() { again(b.pull, b.startPull, b.hosts[4]) },
		"the viewer's node": func() {
			b.look(t)
			b.player.quit()
			again(b.watch, b.startWatch, b.hosts[5])
		},
	}
	rest := 0 // frames between two kills
	if *peercastFlag > 0 {
		rest = 300
	}
	longest, times := make(map[string]time.Duration), make(map[string]int)
	order := slices.Sorted(maps.Keys(kills))
	for began, n := time.Now(), 0; n < len(order) || time.Since(began) < *peercastFlag; n++ {
		who := order[n%len(order)]
		b.look(t)
		gaps, at := b.gaps, time.Now()
		b.silence, b.again = 0, false
		kills[who]()
		b.flows(t, 50)
		t.Logf("killed %s: the stream went on after %v, with %d gaps", who, time.Since(at).Round(time.Millisecond), b.gaps-gaps)
		if b.gaps-gaps > 2 {
			t.Errorf("%d gaps for one kill", b.gaps-gaps)
		}
		b.flows(t, rest)
		longest[who], times[who] = max(longest[who], b.silence), times[who]+1
	}
	for _, who := range order {
		t.Logf("killed %s, %d times: nothing came for %v at the most", who, times[who], longest[who].Round(time.Millisecond))
	}
}
