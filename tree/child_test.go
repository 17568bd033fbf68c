package tree

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestChildrenAreOrderedByWeaknessAndByAge(t *testing.T) {
	at := time.Unix(1000, 0)
	base := child{link: 8, slots: 4, born: at.Add(-time.Hour), report: Report{Below: 10}}
	for _, test := range []struct {
		name            string
		of              func(*child)
		weaker, younger int // than base
	}{
		{"the same", func(*child) {}, 0, 0},
		{"of a lower class", func(c *child) { c.slots = 3 }, -1, -1},
		{"of a higher class", func(c *child) { c.slots = 8 }, 1, 1},
		{"a few slots more, not a class", func(c *child) { c.slots = 7 }, 0, 0},
		{"with few below", func(c *child) { c.report.Below = 3 }, -1, 0},
		{"with about as many below", func(c *child) { c.report.Below = 15 }, 0, 0},
		{"with many below", func(c *child) { c.report.Below = 16 }, 1, 0},
		{"younger", func(c *child) { c.born = at }, -1, -1},
		{"younger, with many below", func(c *child) { c.born, c.report.Below = at, 99 }, 1, -1},
		{"older, of a lower class", func(c *child) { c.born, c.slots = at.Add(-2*time.Hour), 1 }, -1, -1},
		{"later, all else being equal", func(c *child) { c.link = 10 }, -1, -1},
	} {
		c := base
		test.of(&c)
		if w, y := weaker(&c, &base), younger(&c, &base); w != test.weaker || y != test.younger {
			t.Errorf("%s: weaker %d, younger %d, want %d, %d", test.name, w, y, test.weaker, test.younger)
		}
		if weaker(&base, &c) != -weaker(&c, &base) || younger(&base, &c) != -younger(&c, &base) {
			t.Errorf("%s: not so the other way round", test.name)
		}
	}
}

func TestAJoinerOutranksALowerClassOrAMuchYoungerEqual(t *testing.T) {
	now := time.Unix(1e6, 0)
	for _, test := range []struct {
		name         string
		slots, than  int
		age, thanAge time.Duration
		want         bool
		notInTurn    bool
	}{
		{"stronger", 4, 3, 0, time.Hour, true, true},
		{"weaker, ever so old", 3, 4, 100 * time.Hour, 0, false, false},
		{"equal", 4, 4, 0, 0, false, true},
		{"four times as old", 4, 4, 8 * time.Minute, 2 * time.Minute, true, true},
		{"four times as old, a slot less", 4, 7, 8 * time.Minute, 2 * time.Minute, true, true},
		{"twice as old", 4, 4, 4 * time.Minute, 2 * time.Minute, false, true},
		{"old, beside one that has just come", 1, 1, 2 * time.Minute, 0, true, true},
		{"a minute old, beside one that has just come", 1, 1, time.Minute, 0, false, true},
		{"four times as old, giving nothing", 0, 0, 100 * time.Hour, 0, false, true},
	} {
		c := &child{slots: test.slots, born: now.Add(-test.age)}
		w := &child{slots: test.than, born: now.Add(-test.thanAge)}
		if got := c.outranks(now, w); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		if w.outranks(now, c) && test.notInTurn {
			t.Errorf("%s: they take each other's place in turn", test.name)
		}
	}
}

func TestNoJoinerCountsAsOlderThanAYear(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.come(2, 1, Join{Age: math.MaxUint32}, Report{})
	if age := r.now.Sub(r.children[0].born); age != maxAge*time.Second {
		t.Errorf("%v old", age)
	}
}

func TestTakingAChildOutLeavesTheOldListAsItWas(t *testing.T) {
	var cs children
	for _, l := range []Link{6, 2, 8, 4} {
		cs = cs.add(&child{link: l})
	}
	less := cs.without(cs.find(4))
	if len(cs) != 4 || len(less) != 3 || less.find(4) != nil || cs.find(4) == nil {
		t.Errorf("%d before, %d after", len(cs), len(less))
	}
	for i, c := range cs {
		if c.link != Link(2+2*i) {
			t.Errorf("child %d has link %d", i, c.link)
		}
	}
}

func TestWhereAJoinerIsSeenHasThePortThatItHasThere(t *testing.T) {
	for _, c := range []struct{ from, says, want string }{
		{"198.51.100.7:50000", "192.168.1.5:7144", "198.51.100.7:7144"},
		{"198.51.100.7:50000", "198.51.100.7:7150 192.168.1.5:7144", "198.51.100.7:7150"},
		{"192.168.1.5:50000", "198.51.100.7:7150 192.168.1.5:7144", "192.168.1.5:7144"},
		{"[::ffff:192.168.1.5]:50000", "198.51.100.7:7150 192.168.1.5:7144", "192.168.1.5:7144"},
		{"192.168.9.9:50000", "198.51.100.7:7150 [fd00::5]:7146 192.168.1.5:7144", "192.168.9.9:7144"},
		{"[fd00::9]:50000", "198.51.100.7:7150 192.168.1.5:7144", "[fd00::9]:7144"},
		{"[2001:db8::9]:50000", "192.168.1.5:7144 198.51.100.7:7150", "[2001:db8::9]:7150"},
		{"[2001:db8::9]:50000", "192.168.1.5:7144", "[2001:db8::9]:7144"},
	} {
		var says []netip.AddrPort
		for _, a := range strings.Fields(c.says) {
			says = append(says, netip.MustParseAddrPort(a))
		}
		got := seenAt(Joined{Addr: netip.MustParseAddrPort(c.from), Join: Join{Addrs: says}})
		if got != netip.MustParseAddrPort(c.want) {
			t.Errorf("from %s, says %s: %v, want %s", c.from, c.says, got, c.want)
		}
	}
}
