package relay

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"relay/playback/api"
	"relay/relay/seal"
)

// SituationOf is what a viewer sees of a channel whose status that is. encoder is whether the source's input
// is there, nil elsewhere. situation_test.go sets it.
var SituationOf func(st Status, ok bool, encoder *bool, now time.Time) api.Situation

func (n *inhabitant) situation() api.Situation {
	st, ok := n.Status()
	return SituationOf(st, ok, nil, time.Now())
}

// sees waits until the viewer sees what is wanted, and returns how long that took. Until then it may see
// what on the way is.
func (w *world) sees(n *inhabitant, most time.Duration, want api.SituationName, way ...api.SituationName) {
	w.t.Helper()
	begin := time.Now()
	for {
		name := n.situation().Name
		if name == want {
			w.t.Logf("%s after %v", want, time.Since(begin).Round(10*time.Millisecond))
			return
		}
		if !slices.Contains(way, name) {
			w.t.Fatalf("it is %s on the way to %s", name, want)
		}
		if time.Since(begin) > most {
			w.t.Fatalf("it is %s after %v, not %s", name, most, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// backInTime is how long a node takes to be back once it can: a place that failed is left alone for 10 s,
// and one that does not answer takes 3 s.
const backInTime = 20 * time.Second

// send has the source broadcast until the function that is returned is called.
func (w *world) send(from *inhabitant) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); w.broadcast(from, quit) }() // ends with stop
	return func() { close(quit); <-done }
}

const (
	looking    = api.Looking
	waits      = api.Waits
	starting   = api.Starting
	onAir      = api.OnAir
	paused     = api.Paused
	reconnects = api.Reconnects
	away       = api.SourceAway
	over       = api.Over
	offline    = api.Disconnected
)

// The bounds within which each change is said, over real nodes.
func TestAViewerSeesWhatHappens(t *testing.T) {
	inside(t, 1, &world{quiet: true, source: option{ends: true}}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 1})
		w.sees(n, 2*time.Second, waits, looking)
		stop := w.send(w.root)
		w.sees(n, time.Second, onAir, waits, starting)
		below := w.add(option{slots: 1})
		w.sees(below, 2*time.Second, onAir, looking, starting)
		stop()
		w.sees(n, api.FreshFor+time.Second, paused, onAir)
		time.Sleep(2 * time.Second)
		late := w.add(option{slots: 1})
		w.sees(late, api.FreshFor+time.Second, paused, looking, starting, reconnects)
		w.sees(n, api.EndedAfter, over, paused)
		w.sees(below, time.Second, over, paused)
		stop = w.send(w.root)
		w.sees(n, time.Second, onAir, over)
		w.sees(below, time.Second, onAir, over)
		stop()

		// Its source leaves, which says so; those below hear of it.
		w.root.cancel()
		w.root.wg.Wait()
		w.sees(n, time.Second, away, onAir, reconnects)
		w.sees(below, api.RepairTime+time.Second, away, reconnects, paused)
		newcomer := w.add(option{slots: 1, hosts: []HostPort{hostPort(below.place)}})
		w.sees(newcomer, 2*time.Second, away, looking)
		w.sees(n, api.EndedAfter, over, away)
		w.sees(below, time.Second, over, away)
		source := w.add(option{source: true, slots: 1, again: w.root})
		w.sees(n, backInTime, over, over)
		w.within(backInTime, "all are back", func(o *inhabitant) bool { return o == w.root || w.attached(o) }, w.root)
		defer w.send(source)()
		w.sees(n, time.Second, onAir, over)
		w.sees(newcomer, 2*time.Second, onAir, waits, starting)

		// One after the other has no network.
		below.noWay.Store(true)
		below.host.Freeze()
		w.sees(below, api.RepairTime+api.AnswersFor, offline, onAir, reconnects)
		time.Sleep(2 * api.EndedAfter)
		w.sees(below, 0, offline)
		below.noWay.Store(false)
		below.host.Thaw()
		w.sees(below, backInTime, onAir, offline, reconnects, api.Full)
		n.host.Freeze() // nothing answers, and nobody says that there is no way
		w.sees(n, 3*time.Second, reconnects, onAir)
		time.Sleep(2 * api.EndedAfter)
		w.sees(n, 0, reconnects)
		n.host.Thaw()
		w.sees(n, backInTime, onAir, reconnects, api.Full)
	})
}

func TestAViewerIsToldWhyNobodyLetsItIn(t *testing.T) {
	w := &world{access: seal.New()}
	inside(t, 1, w, func(t *testing.T, w *world) {
		n := w.add(option{slots: -1})
		w.sees(n, 2*time.Second, onAir, looking, waits, starting)
		full := w.add(option{slots: -1})
		w.sees(full, 2*time.Second, api.Full, looking)
		wrong := seal.New()
		locked := w.add(option{access: &wrong})
		w.sees(locked, 2*time.Second, api.Unknown, looking)
		absent := w.add(option{hosts: []HostPort{{"10.0.9.9", worldPort}}})
		time.Sleep(90 * time.Minute / 60)
		w.sees(absent, 0, looking)
		n.cancel()
		w.sees(full, 5*time.Second, onAir, api.Full, looking, starting)
	})
	inside(t, 1, &world{source: option{later: -time.Hour}}, func(t *testing.T, w *world) {
		w.sees(w.add(option{slots: 1}), 5*time.Second, api.Recording, looking)
	})
}

// walker does at random what can happen to a source and its viewers, and knows what is so.
type walker struct {
	*world
	r       *rand.Rand
	source  *inhabitant // nil while there is none
	last    *inhabitant // the newest source
	stop    func()      // its encoder; nil while there is none
	viewers []*inhabitant
	down    map[*inhabitant]bool // without a network
	sent    time.Time            // when a source sent something last, zero if it has not
	calm    time.Time            // when something was done last
	did     []string
}

func (w *walker) note(format string, args ...any) {
	w.calm = time.Now()
	w.did = append(w.did, fmt.Sprintf(format, args...))
}

// step does one thing.
func (w *walker) step() {
	v := w.viewers[w.r.IntN(len(w.viewers))]
	switch w.r.IntN(7) {
	case 0, 1:
		switch {
		case w.source == nil:
		case w.stop == nil:
			w.stop = w.send(w.source)
			w.note("the encoder starts")
		default:
			w.silence()
			w.note("the encoder stops")
		}
	case 2, 3:
		switch {
		case w.source == nil:
			w.source = w.add(option{source: true, slots: 2, again: w.last, ends: true})
			w.last = w.source
			w.note("the source starts")
		case w.r.IntN(2) == 0:
			w.silence()
			w.end(w.source, false)
			w.source = nil
			w.note("the source leaves")
		default:
			w.silence()
			w.end(w.source, true)
			w.source = nil
			w.note("the source is killed")
		}
	case 4:
		if w.down[v] = !w.down[v]; w.down[v] {
			v.noWay.Store(w.r.IntN(2) == 0)
			v.host.Freeze()
		} else {
			v.noWay.Store(false)
			v.host.Thaw()
		}
		w.note("viewer %d has a network: %v, knows it: %v", slices.Index(w.viewers, v), !w.down[v], v.noWay.Load())
	case 5:
		if w.down[v] {
			return
		}
		i := slices.Index(w.viewers, v)
		killed := w.r.IntN(2) == 0
		w.end(v, killed)
		w.viewers[i] = w.add(option{slots: 2, again: v})
		w.note("viewer %d ends and is another one, killed: %v", i, killed)
	case 6:
		if w.source == nil || w.stop == nil {
			return
		}
		// Another source has the key.
		w.silence()
		before := w.source
		w.source = w.add(option{source: true, slots: 2, ends: true, hosts: nil, later: time.Second})
		w.last = w.source
		time.Sleep(2 * time.Second)
		w.end(before, false)
		w.end(w.source, false)
		w.source, w.last = nil, before
		w.note("another source has come and gone with the key")
	}
}

// silence stops the encoder, if it runs.
func (w *walker) silence() {
	if w.stop != nil {
		w.stop()
		w.stop, w.sent = nil, time.Now()
	}
}

func (w *walker) end(n *inhabitant, killed bool) {
	if killed {
		n.kill()
	}
	n.cancel()
	n.wg.Wait()
	w.all = slices.DeleteFunc(w.all, func(o *inhabitant) bool { return o == n })
}

// knows reports whether a viewer has had time to hear what was sent: it has a parent for a while, or could have.
func (w *walker) knows(n *inhabitant, now time.Time) bool {
	st, _ := n.Status()
	return st.Tree.Attached && now.Sub(st.Tree.Turned) > 2*time.Second || now.Sub(w.calm) > backInTime
}

// look says what is wrong with what a viewer sees now; "" if nothing is.
func (w *walker) look(n *inhabitant) string {
	s, now := n.situation(), time.Now()
	if w.stop != nil {
		w.sent = now
	}
	seen := n.Ring().Head().Seq > 0
	quiet := now.Sub(w.sent) // of all sources
	is := func(names ...api.SituationName) bool { return slices.Contains(names, s.Name) }
	switch {
	case is(onAir) && quiet > 2*api.FreshFor+time.Second: // it may have come when it was as old
		return fmt.Sprintf("nothing was sent for %v", quiet)
	case seen && is(looking, waits, starting, api.Unknown, api.Refused, api.Recording):
		return "something was seen"
	case is(over) && now.Sub(n.Ring().Came()) < api.EndedAfter-time.Second && quiet < api.EndedAfter-time.Second && now.Sub(w.calm) > 2*time.Second && w.knows(n, now):
		return fmt.Sprintf("something was sent %v ago", quiet)
	case is(offline) && !n.noWay.Load() && now.Sub(w.calm) > backInTime:
		return "it has a network"
	}
	if now.Sub(w.calm) < api.RepairTime+api.AnswersFor+5*time.Second {
		return ""
	}
	others := 0 // that have a network
	for _, v := range w.viewers {
		if v != n && !w.down[v] {
			others++
		}
	}
	switch {
	case n.noWay.Load() && !is(offline), w.down[n] && !n.noWay.Load() && !is(looking, reconnects, away, over):
		return "it has no network"
	case w.down[n]:
	case w.source != nil && w.stop != nil && !is(onAir):
		return "the source sends"
	case w.source != nil && w.stop == nil && !is(paused, over, waits):
		return "the source is there"
	case w.source == nil && seen && others > 0 && !is(away, over):
		return "the source is away, and others know it"
	case w.source == nil && !is(away, over, reconnects, looking):
		return "the source is away"
	}
	return ""
}

// Whatever encoder, source, viewers and network do, nobody sees what is not so, and what is so is seen in time.
func TestAViewerNeverSeesWhatIsNotSo(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("RELAY_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("RELAY_SEED=%d", seed)
	inside(t, 2, &world{quiet: true, source: option{ends: true}}, func(t *testing.T, w *world) {
		k := &walker{world: w, r: rand.New(rand.NewPCG(seed, 1)), source: w.root, last: w.root, down: map[*inhabitant]bool{}, calm: time.Now()}
		defer k.silence()
		for range 3 {
			k.viewers = append(k.viewers, w.add(option{slots: 2}))
		}
		told := map[api.SituationName]int{}
		for range 40 {
			for until := time.Now().Add(time.Duration(k.r.Float64() * k.r.Float64() * float64(100*time.Second))); time.Now().Before(until); {
				time.Sleep(200 * time.Millisecond)
				for i, n := range k.viewers {
					told[n.situation().Name]++
					if why := k.look(n); why != "" {
						st, _ := n.Status()
						t.Fatalf("viewer %d: %s, and it is %s, %v after:\n%s\n%+v", i, why, n.situation().Name, time.Since(k.calm), strings.Join(k.did, "\n"), st)
					}
				}
			}
			k.step()
		}
		t.Log(told)
	})
}
