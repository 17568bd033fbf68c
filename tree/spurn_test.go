package tree

import (
	"net/netip"
	"testing"
	"time"
)

// A joiner that was sent to a child with a free slot, and comes back while nothing has changed there,
// takes that child's place.
func TestAChildToWhichAJoinerWasSentInVainMakesRoomForIt(t *testing.T) {
	liar := Report{Slots: 31, Room: allRoom(0), Free: 3}
	for _, test := range []struct {
		name  string
		after time.Duration
		back  int    // who comes back
		now   Report // of the child
		heard bool   // another was, from that address, a moment ago
		want  bool
	}{
		{"it comes back", second, 50, liar, false, true},
		{"another comes", second, 51, liar, false, false},
		{"long after", backWithin + second, 50, liar, false, false},
		{"the child has taken somebody", second, 50, Report{Slots: 31, Room: allRoom(0), Free: 2, Children: 1}, false, false},
		{"the child is full by now", second, 50, Report{Slots: 31, Room: allRoom(1)}, false, false},
		{"its address has had its say", second, 50, liar, true, false},
	} {
		r := newRig(t, Config{Root: true, Slots: 1})
		r.come(2, 1, Join{Slots: 31}, liar)
		if test.heard {
			r.referrals = append(r.referrals, referral{from: origin{net: netip.MustParsePrefix("10.1.0.50/32")}, when: r.now, told: true})
		}
		if to := r.sendOn(100, 50, Join{}); len(to) == 0 || to[0] != 1 {
			t.Fatalf("%s: sent to %v, want the child", test.name, to)
		}
		r.live(test.after, r.reports(2, test.now))
		as := r.ask(102, test.back, Join{})
		if got := len(sentTo[Welcome](as, 102)) == 1; got != test.want {
			t.Errorf("%s: let in: %v", test.name, got)
		}
		if !test.want {
			continue
		}
		as = r.give(Received{102, Pull{}})
		if bye := sentTo[Bye](as, 2); len(bye) != 1 || bye[0].Reason != ReasonDisplaced {
			t.Errorf("%s: the child is not asked to move: %v", test.name, as)
		}
		if !r.isDistrusted(r.now, place(1).ID) {
			t.Errorf("%s: it could take its place again at once", test.name)
		}
	}
}
