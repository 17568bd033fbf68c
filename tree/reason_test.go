package tree

import (
	"testing"
	"time"
)

func TestANodeSaysWhyItLeftItsParent(t *testing.T) {
	const lag = 900 * time.Millisecond
	for why, leave := range map[Reason]func(r *rig, up Link) (did []Action, speak []func() []Action){
		ReasonSlow: func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Progress{Lag: lag}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ReasonLeaving: func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Received{up, Bye{Reason: ReasonLeaving}}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ReasonDisplaced: func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Received{up, Bye{Reason: ReasonDisplaced}}), []func() []Action{r.beats(up, slow(2, 0))}
		},
		ReasonClosed: func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Down{up, ReasonClosed}), nil
		},
		ReasonForged: func(r *rig, up Link) ([]Action, []func() []Action) {
			return r.give(Down{up, ReasonForged}), nil
		},
		ReasonSilent: func(*rig, Link) ([]Action, []func() []Action) { return nil, nil },
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
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step() + 1, 0}, Path: []Place{d.Place}}})
		if a, ok := first[Attached](as); !ok || a.Reason != why {
			t.Errorf("%v: attached %v, because %v", why, ok, a.Reason)
		}
	}
}
