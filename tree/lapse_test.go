package tree

import (
	"net/netip"
	"testing"
	"time"
)

// knock asks from an address and says why it is turned away.
func (r *rig) knock(l Link, i int, from string) Reason {
	r.t.Helper()
	as := r.give(Joined{l, place(i).ID, netip.MustParseAddrPort(from), false, false, false, Join{Addrs: place(i).Addrs}})
	if _, ok := sent[Welcome](as); ok {
		return ReasonNone
	}
	m, ok := sent[Refer](as)
	if !ok || closed(as, l) != m.Reason {
		r.t.Fatalf("neither welcome nor referred: %+v", as)
	}
	return m.Reason
}

func TestOneOriginHoldsFourSlotsThatItHasNotPulled(t *testing.T) {
	for _, test := range []struct {
		name     string
		slots    int
		from     [2]string // in turn
		admitted int       // of 8
	}{
		{"one address", 20, [2]string{"10.9.9.9:1", "10.9.9.9:2"}, 4},
		{"the same, mapped", 20, [2]string{"10.9.9.9:1", "[::ffff:10.9.9.9]:2"}, 4},
		{"two addresses", 20, [2]string{"10.9.9.9:1", "10.9.9.8:1"}, 8},
		{"one network", 20, [2]string{"[2001:db8::1]:1", "[2001:db8::2:3:4]:1"}, 4},
		{"two networks", 20, [2]string{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, 8},
		{"this machine", 20, [2]string{"127.0.0.1:1", "[::1]:1"}, 8}, // each node answers for itself
		{"one address, half of the slots", 6, [2]string{"10.9.9.9:1", "10.9.9.9:2"}, 3},
		{"one address, one slot", 1, [2]string{"10.9.9.9:1", "10.9.9.9:2"}, 1},
	} {
		r := newRig(t, Config{Root: true, Slots: test.slots})
		n := 0
		for i := range 8 {
			switch why := r.knock(Link(2+2*i), 1+i, test.from[i%2]); {
			case why == ReasonNone:
				n++
			case why != ReasonBusy && test.slots > 8:
				t.Errorf("%s: turned away because of %v", test.name, why)
			}
		}
		if n != test.admitted {
			t.Errorf("%s: %d of 8 are let in, want %d", test.name, n, test.admitted)
		}
	}
}

func TestASlotThatIsPulledNoLongerCountsAgainstItsOrigin(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 20})
	for i := range 10 {
		if why := r.knock(Link(2+2*i), 1+i, "10.9.9.9:1"); why != ReasonNone {
			t.Fatalf("node %d: %v", i, why)
		}
		r.give(Received{Link(2 + 2*i), Pull{}})
	}
}

func TestAnOriginThatLetsASlotLapseIsBarredForTwiceAsLongEachTime(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	l := Link(2)
	for _, bar := range []time.Duration{3, 6, 12, 24, 48, 96, 192, 384, 600, 600} {
		bar *= time.Second
		if why := r.knock(l, 1, "10.9.9.9:1"); why != ReasonNone {
			t.Fatalf("before it is barred for %v: %v", bar, why)
		}
		var at time.Time
		for at.IsZero() {
			if closed(r.pass(heartbeatInterval), l) == ReasonSilent {
				at = r.now
			}
		}
		if why := r.knock(l+2, 2, "10.9.9.9:5"); why != ReasonBusy {
			t.Errorf("another node at the same address: %v", why)
		}
		if why := r.knock(l+4, 3, "10.9.9.8:1"); why != ReasonNone {
			t.Errorf("a node at another address: %v", why)
		}
		r.give(Down{l + 4, ByThem(ReasonClosed)})
		r.pass(bar - heartbeatInterval - time.Millisecond)
		if why := r.knock(l+6, 1, "10.9.9.9:1"); why != ReasonBusy {
			t.Errorf("just before %v are over: %v", bar, why)
		}
		r.pass(heartbeatInterval + time.Millisecond)
		l += 8
	}
}

func TestAJoinerThatClosesTheLinkInsteadIsNotBarred(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	for i := range 20 {
		l := Link(2 + 2*i)
		if why := r.knock(l, 1, "10.9.9.9:1"); why != ReasonNone {
			t.Fatalf("time %d: %v", i, why)
		}
		r.pass(admissionTime / 2)
		r.give(Down{l, ByThem(ReasonClosed)})
	}
}

func TestOnThisMachineOneNodeIsBarredAndNotAll(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	r.knock(2, 1, "127.0.0.1:1")
	r.pass(admissionTime + heartbeatInterval)
	if why := r.knock(4, 1, "127.0.0.1:2"); why != ReasonBusy {
		t.Errorf("the node: %v", why)
	}
	if why := r.knock(6, 2, "127.0.0.1:1"); why != ReasonNone {
		t.Errorf("another: %v", why)
	}
}

func TestRememberedLapsesAreBoundedInNumberAndTime(t *testing.T) {
	now := time.Unix(1000, 0)
	of := func(i int) origin { return originOf(Joined{Addr: addr(i)}) }
	var l lapses
	for i := range 2 * maxLapses {
		l = l.note(now, of(i))
	}
	if len(l) != maxLapses || !l.barred(now, of(0)) || l.barred(now, of(maxLapses)) {
		t.Errorf("%d remembered", len(l))
	}
	if l = l.note(now, of(0)); l[of(0)].n != 2 {
		t.Errorf("one that is known is counted %d times", l[of(0)].n)
	}
	now = now.Add(lapseMost + 2*lapseFirst)
	if l = l.note(now, of(maxLapses)); len(l) != 1 || !l.barred(now, of(maxLapses)) {
		t.Errorf("%d remembered long after", len(l))
	}
}
