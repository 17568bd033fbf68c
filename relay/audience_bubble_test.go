package relay

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// olderProtocols are those of a node that knows neither names nor how many watch.
var olderProtocols = []string{alpn5, alpn4, alpn3, alpn2, alpn1}

// shows reports whether a node says that so many watch the channel.
func shows(t *testing.T, n *inhabitant, watching int) bool { return n.status(t).Watching == watching }

// soon is how long a number takes to every node at most: up three links, a second until it is signed, and down.
const soon = 3*gaugeInterval + aboutPause + time.Second

func TestEveryNodeShowsHowManyWatchTheChannel(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(14, 3)
		all := func(n *inhabitant) bool { return shows(t, n, 14) }
		w.within(soon+time.Second, "fourteen watch", all)
		// Five at one node, none at another, and two at the source.
		players := new(atomic.Int64)
		w.all[14].CountWatching(func() int { return int(players.Load()) })
		w.all[7].CountWatching(func() int { return 0 })
		w.root.CountWatching(func() int { return 2 })
		players.Store(5)
		took := w.within(soon, "nineteen watch", func(n *inhabitant) bool { return shows(t, n, 19) })
		t.Logf("all show nineteen after %v", took)
		players.Store(1)
		w.within(soon, "fifteen watch", func(n *inhabitant) bool { return shows(t, n, 15) })
		// What is always the same costs nobody anything: one signature in aboutEvery.
		said := w.root.intake.about.Load()
		time.Sleep(2*aboutEvery + time.Second)
		if now := w.root.intake.about.Load(); now.Ms()-said.Ms() > uint64(3*aboutEvery/time.Millisecond) || now.Watching() != 15 {
			t.Errorf("the source has signed %d ms later that %d watch", now.Ms()-said.Ms(), now.Watching())
		}
		// An inner node dies: those below it go on, and it counts no more.
		gone := w.inner()
		less := 14
		if gone == w.all[7] {
			less = 15
		}
		gone.kill()
		w.within(10*time.Second, "one less watches", func(n *inhabitant) bool {
			if s := n.status(t).Watching; s < 0 || s > 20 {
				t.Fatalf("%d watch", s)
			}
			return shows(t, n, less)
		}, gone)
	})
}

// A node that the source tells nothing of late says nothing, and none says that nobody watches while somebody
// does there.
func TestANumberThatIsOldIsNotShown(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(3, 3)
		w.within(soon, "three watch", func(n *inhabitant) bool { return shows(t, n, 3) })
		w.all[1].CountWatching(func() int { return 5 })
		if !shows(t, w.all[1], 5) {
			t.Error("a node that five watch at says that fewer watch")
		}
		w.root.host.Freeze()
		time.Sleep(aboutLife + 5*time.Second)
		for _, n := range w.all[1:] {
			if s := n.status(t).Watching; s != -1 {
				t.Errorf("a node whose source is silent says that %d watch", s)
			}
		}
		w.root.host.Thaw()
		time.Sleep(5 * time.Second)
	})
}

// child is a node of the test's own making, which takes the stream and says what it likes.
func (w *world) child(t *testing.T, p tree.Place, protocol string, says ...wire.Frame) *dialler {
	t.Helper()
	d := w.dialAt(t, p, protocol)
	go func() { // ends with the connection
		for {
			if _, err := d.r.Next(); err != nil {
				return
			}
		}
	}()
	d.say(t, wire.Hello{Channel: w.root.ID(), Join: tree.Join{Slots: 1}})
	time.Sleep(100 * time.Millisecond)
	d.say(t, append([]wire.Frame{tree.Pull{}}, says...)...)
	return d
}

func (d *dialler) say(t *testing.T, fs ...wire.Frame) {
	t.Helper()
	for _, f := range fs {
		if _, err := d.Write(wire.Append(nil, f)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALiarCannotHaveMoreWatchThanIsPlausible(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		w.crowd(2, 4)
		report := tree.Report{Sent: 1, Slots: 1}
		lone := w.child(t, w.root.place, alpn, report, wire.Audience{Watching: math.MaxUint32})
		w.within(soon, "one node's worth has come", func(n *inhabitant) bool { return shows(t, n, 2+nodeWatching) })
		lone.NetConn().Close()
		w.within(soon, "it is gone", func(n *inhabitant) bool { return shows(t, n, 2) })

		report.Below = math.MaxUint32
		many := w.child(t, w.root.place, alpn, report, wire.Facts{View: bush(wire.MaxFacts)}, wire.Audience{Watching: math.MaxUint32})
		w.within(soon, "as many as a tree may have", func(n *inhabitant) bool { return shows(t, n, treeWatching) })
		many.NetConn().Close()
		older := w.child(t, w.root.place, alpn5, report)
		w.within(soon, "an older one without proof is one node", func(n *inhabitant) bool { return shows(t, n, 3) })
		older.NetConn().Close()
		w.within(soon, "they are gone", func(n *inhabitant) bool { return shows(t, n, 2) })
	})
}

func TestANumberThatTheSourceHasNotSignedEndsTheLink(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		w.crowd(1, 4)
		ctx, cancel := context.WithCancel(t.Context())
		l := w.villain(ctx, w.root, vice{adds: func() []wire.Frame {
			b := slices.Clone(w.root.writer.About(7, false).Frame())
			b[33] ^= 1 // six
			f, err := stream.ParseAbout(b)
			if err != nil {
				t.Error(err)
			}
			return []wire.Frame{f}
		}})
		defer func() { cancel(); l.wg.Wait() }()
		n := w.add(option{slots: 2, hosts: []HostPort{hostPort(l.place)}})
		w.within(10*time.Second, "it is left", func(n *inhabitant) bool { return n.status(t).Left["forged"] > 0 }, w.root, w.all[1])
		if a := n.intake.about.Load(); a != nil && a.Watching() == 6 {
			t.Error("it is believed")
		}
	})
}

// Older nodes pass neither number nor names on. Those below them are counted as one each, and show nothing.
func TestOlderNodesAreCountedAsOneEach(t *testing.T) {
	inside(t, 1, &world{}, func(t *testing.T, w *world) {
		line := func(o option) *inhabitant {
			last := w.all[len(w.all)-1]
			o.slots, o.hosts = 1, []HostPort{hostPort(last.place)}
			n := w.add(o)
			w.within(5*time.Second, "it has its place", func(n *inhabitant) bool { return n.status(t).Tree.Parent.ID == last.place.ID }, w.all[:len(w.all)-1]...)
			return n
		}
		first := line(option{name: "first"})
		older := line(option{protocols: olderProtocols})
		below := line(option{name: "below"})
		below.CountWatching(func() int { return 5 })
		line(option{name: "last"})
		time.Sleep(soon + time.Second)
		for n, want := range map[*inhabitant]int{w.root: 4, first: 4, older: -1, below: -1} {
			if got := n.status(t).Watching; got != want {
				t.Errorf("node %d says that %d watch, want %d", slices.Index(w.all, n), got, want)
			}
		}
		w.wantWhole()
		if got := nameShown(t, w.root, first); got != "first" {
			t.Errorf("the node above the older one is shown as %q", got)
		}
		if got := nameShown(t, w.root, below); got != "" {
			t.Errorf("the node below the older one is shown as %q", got)
		}
	})
}
