package tree

import (
	"testing"
	"time"
)

func TestANodeSaysWhyItLeftItsParentAndWhichSideEndedThat(t *testing.T) {
	const lag = 900 * time.Millisecond
	for why, leave := range map[End]func(r *rig, up Link) (did []Action, speak []func() []Action){
		ByUs(ReasonSlow): func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Progress{Lag: lag}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ByThem(ReasonLeaving): func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Received{up, Bye{Reason: ReasonLeaving}}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ByThem(ReasonDisplaced): func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Received{up, Bye{Reason: ReasonDisplaced}}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ByThem(ReasonClosed): func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Down{up, ByThem(ReasonClosed)}), nil
		},
		ByUs(ReasonForged): func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Down{up, ByUs(ReasonForged)}), nil
		},
		ByUs(ReasonSilent): func(*rig, Link) ([]Action, []func() []Action) { return nil, nil },
	} {
		r := newRig(t, Config{})
		up := r.below(3)
		r.give(hints(50, 51))
		did, speak := leave(r, up)
		d, ok := first[Dial](did)
		if !ok {
			d, ok = r.dial(time.Minute, speak...)
		}
		if !ok {
			t.Errorf("%v: nobody is asked", why)
			continue
		}
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step() + 1, 0}, Path: []Place{d.Place}}})
		if a, ok := first[Attached](as); !ok || a.Before != why {
			t.Errorf("%v: attached %v, because %v", why, ok, a.Before)
		}
	}
}
