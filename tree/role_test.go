package tree

import (
	"fmt"
	"testing"
)

func TestALinkHasTheRoleThatWhatHappenedGaveIt(t *testing.T) {
	r := newRig(t, Config{Slots: 2})
	is := func(what string, l Link, want role) {
		t.Helper()
		if got := r.role(l); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			t.Errorf("%s: the link is %T, want %T", what, got, want)
		}
	}
	up := r.below(3)
	is("committed to", up, &uplink{})
	is("never heard of", up+100, nil)

	ready := r.standby(up, 11)[0]
	is("kept ready", ready, &standby{})

	r.ask(2, 1, Join{})
	is("welcomed", 2, &child{})
	r.ask(4, 2, Join{Standby: true})
	is("kept ready by another", 4, guest{})
	r.give(Received{4, Pull{}})
	is("pulled", 4, &child{})
	r.give(Down{2, ByThem(ReasonClosed)})
	is("ended", 2, nil)

	r.give(Down{up, ByThem(ReasonClosed)})
	is("lost", up, nil)
	is("pulled by the orphan", ready, &attempt{})
	r.give(Received{ready, Welcome{Label: Label{Epoch{Ms: 1}, r.step() + 1, 3}, Path: places(100, 11)}})
	is("committed to in its stead", ready, &uplink{})
}
