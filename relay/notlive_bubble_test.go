package relay

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"relay/relay/store"
)

// notLive is what the node has noticed of streams that are not live.
func (n *inhabitant) notLive() []NotLive {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []NotLive
	for _, h := range n.heard {
		if l, ok := h.(NotLive); ok {
			all = append(all, l)
		}
	}
	return all
}

// The source's run began an hour ago by its signatures, and goes on as if it were live.
func TestARecordingIsNoLiveStreamToANewcomer(t *testing.T) {
	inside(t, 3, &world{source: option{later: -time.Hour}}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 2})
		w.within(5*time.Second, "it says so", func(o *inhabitant) bool { return o != n || len(o.notLive()) > 0 })
		if l := n.notLive()[0]; !l.Later.IsZero() || l.Now.Sub(l.Made) < 59*time.Minute {
			t.Errorf("it says %v", l.Error())
		}
		time.Sleep(10 * time.Second)
		if n.status(t).Tree.Attached || n.Ring().Head().Seq > 0 {
			t.Error("it plays all the same")
		}
		all := w.add(option{slots: 2, recordings: true})
		w.within(5*time.Second, "who wants it plays it", func(o *inhabitant) bool { return o != all || o.Ring().Head().Seq > 0 })
	})
}

// The source's machine has slept for three hours, or the network has set its clock ahead. Whoever watches goes on,
// and whoever comes is let in: what is made now is no recording.
func TestASourceWhoseMachineHasSleptIsLive(t *testing.T) {
	for name, was := range map[string]time.Duration{
		"slept, or begun when the clock was behind": -3 * time.Hour,
		"begun in 1970":                 -30 * 365 * 24 * time.Hour,
		"its clock is set wrong, ahead": 0,
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, 3, &world{source: option{later: was}}, func(t *testing.T, w *world) {
				plays := func(n *inhabitant, what string) {
					w.within(15*time.Second, what, func(o *inhabitant) bool { return o != n || o.status(t).Tree.Attached && o.Ring().Head().Seq > 0 })
				}
				before := w.add(option{slots: 2, recordings: true})
				plays(before, "it plays")
				time.Sleep(20 * time.Second)
				label := before.status(t).Tree.Label
				w.root.ahead.Add(int64(3 * time.Hour))
				if was != 0 {
					w.root.ahead.Store(0)
				}
				time.Sleep(2 * time.Second)
				after := w.add(option{slots: 2})
				plays(after, "who comes is let in")
				if l := after.notLive(); len(l) > 0 {
					t.Errorf("it says %v", l[0].Error())
				}
				seq := before.Ring().Head().Seq
				time.Sleep(10 * time.Second)
				st := before.status(t)
				if !st.Tree.Attached || before.Ring().Head().Seq <= seq || st.Ring.Lost > 0 {
					t.Errorf("who watched before has lost the stream: %+v", st.Tree)
				}
				if l := st.Tree.Label; l.Epoch != label.Epoch || l.E <= label.E {
					t.Errorf("its label was %v and is %v", label, l)
				}
				for _, n := range []*inhabitant{before, after} {
					if st := n.status(t); st.Lag > time.Second {
						t.Errorf("a node seems to be %v behind", st.Lag)
					}
				}
				plays(w.add(option{slots: 2}), "the next is let in, too")
			})
		})
	}
}

// Somebody sets the clock of a machine that watches, or the network does. What it watches has begun, whatever its
// clock says then, and is no recording.
func TestWhoWatchesGoesOnWhenItsClockIsSet(t *testing.T) {
	inside(t, 3, &world{}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 2})
		w.within(5*time.Second, "it plays", func(o *inhabitant) bool { return o != n || o.Ring().Head().Seq > 0 })
		for _, step := range []time.Duration{-time.Hour, time.Hour, -30 * 365 * 24 * time.Hour, 0} {
			n.ahead.Store(int64(step))
			seq := n.Ring().Head().Seq
			time.Sleep(10 * time.Second)
			w.root.writer.SetHeader(fmt.Append(nil, "header after ", step)) // comes with a new generation, as when an encoder is changed
			time.Sleep(10 * time.Second)
			if st := n.status(t); !st.Tree.Attached || n.Ring().Head().Seq <= seq || len(n.notLive()) > 0 {
				t.Fatalf("with a clock that is %v ahead it is at %d after %d: %+v, %v", step, n.Ring().Head().Seq, seq, st.Tree, n.notLive())
			}
		}
	})
}

// A machine without a battery for its clock begins in 1970, and is told the time by the network a little later.
func TestAViewerIsLetInWhenItsClockIsSetRight(t *testing.T) {
	for _, was := range []time.Duration{time.Hour, -time.Hour, -30 * 365 * 24 * time.Hour} {
		inside(t, 3, &world{}, func(t *testing.T, w *world) {
			n := w.add(option{slots: 2, later: was})
			w.within(5*time.Second, "it says so", func(o *inhabitant) bool { return o != n || len(o.notLive()) > 0 })
			time.Sleep(5 * time.Minute)
			n.ahead.Store(0)
			w.within(20*time.Second, "it plays", func(o *inhabitant) bool { return o != n || o.Ring().Head().Seq > 0 })
		})
	}
}

// By the clock of the source, or of everybody else, the run begins in ten minutes.
func TestWhoseClockIsSlowIsToldBothTimes(t *testing.T) {
	inside(t, 3, &world{source: option{later: 10 * time.Minute}}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 2})
		w.within(5*time.Second, "it says so", func(o *inhabitant) bool { return o != n || len(o.notLive()) > 0 })
		if l := n.notLive()[0]; !l.Ahead() || l.Made.Sub(l.Now) < 9*time.Minute {
			t.Errorf("it says %v", l.Error())
		}
		if n.status(t).Tree.Attached {
			t.Error("it plays all the same")
		}
	})
}

func TestARunBeforeTheLatestThatWasSeenIsNotPlayed(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "relay"))
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, 3, func(t *testing.T, w *world) {
		n := w.add(option{slots: 2, store: kept})
		w.within(5*time.Second, "it plays", func(o *inhabitant) bool { return o != n || o.Ring().Head().Seq > 0 })
		time.Sleep(time.Second)
		n.cancel()
		n.wg.Wait()
		if e, err := kept.SeenEpoch(n.ID()); e != w.root.writer.Epoch() || err != nil {
			t.Fatalf("%v, %v is kept", e, err)
		}
		later := w.root.writer.Epoch()
		later.Ms += 10_000 // another source, which is gone
		if err := kept.SawEpoch(n.ID(), later); err != nil {
			t.Fatal(err)
		}
		again := w.add(option{slots: 2, store: kept})
		w.within(5*time.Second, "it says so", func(o *inhabitant) bool {
			return o != again || slices.ContainsFunc(o.notLive(), func(l NotLive) bool { return !l.Later.IsZero() })
		}, n)
		time.Sleep(5 * time.Second)
		if again.Ring().Head().Seq > 0 {
			t.Error("it plays all the same")
		}
	})
}
