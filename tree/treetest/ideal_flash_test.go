package treetest

import (
	"slices"
	"testing"
	"time"
)

func TestIdealFlash(t *testing.T) {
	s := time.Second
	at := func(at time.Duration, slots int, k Kind) Arrival {
		return Arrival{at, Member{Slots: slots, Kind: k}}
	}
	for _, c := range []struct {
		name  string
		root  int
		hosts []Arrival
		want  []time.Duration
	}{
		{"there is room", 2, []Arrival{at(0, 0, Open), at(s, 0, Open)}, []time.Duration{s, s}},
		{"one serves the next", 1, []Arrival{at(0, 1, Open), at(s/2, 0, Open)}, []time.Duration{s, 3 * s / 2}},
		{"who gives something goes first", 1, []Arrival{at(0, 1, Open), at(s/4, 0, Open), at(s/2, 2, Open)}, []time.Duration{s, 9 * s / 4, s}},
		{"room is made", 1, []Arrival{at(0, 0, Open), at(s/4, 0, Open), at(2*s, 2, Open)}, []time.Duration{s, 15 * s / 4, s}},
		{"a closed one gives nothing", 1, []Arrival{at(0, 4, Closed), at(s, 0, Open)}, []time.Duration{s, time.Hour}},
		{"a punchable one gives what it has", 1, []Arrival{at(0, 1, Punchable), at(2*s, 0, Closed)}, []time.Duration{s, s}},
		{"nobody serves", 0, []Arrival{at(0, 1, Open)}, []time.Duration{time.Hour}},
	} {
		if got := IdealFlash(c.root, c.hosts, s, time.Hour); !slices.Equal(got, c.want) {
			t.Errorf("%s: they wait %v, want %v", c.name, got, c.want)
		}
	}
}
