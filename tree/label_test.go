package tree

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestAParentIsFeasibleIfNewerOrAsNewAndNearer(t *testing.T) {
	e1, e2 := Epoch{Ms: 1}, Epoch{Ms: 2}
	at := Standing{Label{e1, 10, 5}, 3} // is at 5 now, and was at 3
	for _, test := range []struct {
		name string
		p    Label
		want bool
	}{
		{"newer, nearer", Label{e1, 11, 0}, true},
		{"newer, deeper", Label{e1, 11, 40}, true},
		{"newer, at the bound", Label{e1, 11, MaxPath - 1}, true},
		{"newer, deeper than any tree", Label{e1, 11, MaxPath}, false},
		{"as new, nearer than ever", Label{e1, 10, 2}, true},
		{"as new, as near as once", Label{e1, 10, 3}, false},
		{"as new, nearer than now, not than once", Label{e1, 10, 4}, false},
		{"older, nearer", Label{e1, 9, 0}, false},
		{"a later epoch, its clock at 0", Label{e2, 0, 9}, true},
		{"an earlier epoch, its clock far on", Label{Epoch{Ms: 0, Rand: 1}, 99, 0}, false},
		{"of no epoch", Label{Epoch{}, 99, 0}, false},
	} {
		if got := at.Feasible(test.p); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if !(Standing{}).Feasible(Label{e1, 0, 7}) {
		t.Error("a newcomer may join anywhere")
	}
}

func TestAdoptKeepsTheLeastHOfAStep(t *testing.T) {
	e := Epoch{Ms: 1}
	for _, test := range []struct {
		name string
		from Standing
		p    Label
		want Standing
	}{
		{"a newer step starts over", Standing{Label{e, 1, 2}, 2}, Label{e, 2, 8}, Standing{Label{e, 2, 9}, 9}},
		{"deeper within a step", Standing{Label{e, 1, 2}, 2}, Label{e, 1, 8}, Standing{Label{e, 1, 9}, 2}},
		{"nearer within a step", Standing{Label{e, 1, 9}, 9}, Label{e, 1, 3}, Standing{Label{e, 1, 4}, 4}},
		{"an older step changes nothing", Standing{Label{e, 2, 9}, 5}, Label{e, 1, 0}, Standing{Label{e, 2, 9}, 5}},
		{"h does not overflow", Standing{}, Label{e, 1, math.MaxUint16}, Standing{Label{e, 1, math.MaxUint16}, math.MaxUint16}},
	} {
		if got := test.from.Adopt(test.p); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// Along a committed edge (E, -FD) grows strictly towards the root, in whatever order
// labels come. So no cycle can close.
func TestEdgesGrowTowardsTheRootInAllOrdersOfEvents(t *testing.T) {
	above := func(p, c Standing) bool {
		d := p.compareE(c.Label)
		return d > 0 || d == 0 && p.FD < c.FD
	}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		const n = 6
		var at [n]Standing
		var parent [n]int // 0 is the root
		var inFlight [n][]Label
		at[0] = Standing{Label{Epoch{Ms: 1}, 0, 0}, 0}
		for range 400 {
			x := 1 + r.IntN(n-1)
			switch r.IntN(4) {
			case 0:
				if r.IntN(3) == 0 {
					at[0].E++
				}
			case 1: // x's parent tells it where it stands
				if p := parent[x]; p >= 0 && at[x] != (Standing{}) {
					inFlight[x] = append(inFlight[x], at[p].Label)
				}
			case 2: // it arrives
				if len(inFlight[x]) > 0 {
					at[x] = at[x].Adopt(inFlight[x][0])
					inFlight[x] = inFlight[x][1:]
				}
			case 3: // x moves, on what it knew of the place at that moment or before
				p := r.IntN(n)
				if p != x && at[x].Feasible(at[p].Label) {
					parent[x], inFlight[x] = p, nil
					at[x] = at[x].Adopt(at[p].Label)
				}
			}
			for c := 1; c < n; c++ {
				if at[c] != (Standing{}) && !above(at[parent[c]], at[c]) {
					t.Fatalf("seed %d: %d at %+v below %d at %+v", seed, c, at[c], parent[c], at[parent[c]])
				}
			}
		}
	}
}

func TestTheClockIsOffByHalfTheAsymmetryAtMost(t *testing.T) {
	for _, test := range []struct {
		name     string
		up, down time.Duration
		off      time.Duration
	}{
		{"symmetric", 20 * time.Millisecond, 20 * time.Millisecond, 0},
		{"asymmetric", 10 * time.Millisecond, 50 * time.Millisecond, 20 * time.Millisecond},
		{"one way only", 0, 80 * time.Millisecond, 40 * time.Millisecond},
	} {
		var c clock
		const truth = 1000 * time.Second // root's clock when the child's is 0
		now := time.Unix(0, 0)
		for i := range 20 {
			sent := time.Duration(i+1) * 500 * time.Millisecond // by the child's clock
			held := time.Duration(i) * time.Millisecond
			answered := sent + test.up + held
			got := answered + test.down
			jitter := time.Duration(i%3) * 30 * time.Millisecond // a worse sample now and then
			c.sample(now.Add(got+jitter), got+jitter, Heartbeat{
				Clock: uint64((truth + answered).Microseconds()),
				Echo:  uint64(sent.Microseconds()),
				Held:  uint64(held.Microseconds()),
			})
		}
		if off := (c.offset - truth).Abs(); off != test.off {
			t.Errorf("%s: off by %v, want %v", test.name, off, test.off)
		}
	}
}

func TestTheClockIgnoresImpossibleSamples(t *testing.T) {
	good := clock{offset: time.Hour, rtt: time.Millisecond, at: time.Unix(0, 0), known: true}
	for name, hb := range map[string]Heartbeat{
		"no clock":              {Echo: 1},
		"no report yet":         {Clock: 1},
		"held longer than gone": {Clock: 1, Echo: 1, Held: 2e6},
		"echo of the future":    {Clock: 1, Echo: 5e6},
		"everything at once":    {Clock: math.MaxUint64, Echo: math.MaxUint64, Held: math.MaxUint64},
	} {
		c := good
		c.sample(time.Unix(1, 0), time.Second, hb)
		if c != good {
			t.Errorf("%s: taken for %+v", name, c)
		}
	}
}
