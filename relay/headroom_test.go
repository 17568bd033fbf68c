package relay

import (
	"math/rand/v2"
	"testing"
	"time"
)

// farCrowd plays far children of one node that share its upload.
type farCrowd struct {
	room     *headroom
	now      time.Time
	rate     int     // of the stream, bit/s
	capacity float64 // of the upload, bit/s
	children []*farChild
	link     uint64
	most     int // far children allowed by the newest measurement
}

type farChild struct {
	childLoad
	since  time.Time
	narrow float64 // its own downlink, bit/s; 0 for no bound
	owed   float64 // bytes
	sent   float64
}

func newFarCrowd(slots int, rate int, capacity float64) *farCrowd {
	u := &farCrowd{room: newHeadroom(slots, 0), now: time.Unix(1e9, 0), rate: rate, capacity: capacity}
	u.most = u.room.measure(u.now, rate, nil)
	return u
}

// join adds a child that begins with a group of pictures, up to 2 s.
func (u *farCrowd) join(group time.Duration) *farChild {
	u.link += 2
	c := &farChild{since: u.now, owed: group.Seconds() * float64(u.rate) / 8}
	c.Link = u.link
	u.children = append(u.children, c)
	return c
}

func (u *farCrowd) leave(i int) { u.children = append(u.children[:i:i], u.children[i+1:]...) }

// step is one gaugeInterval: the stream goes on, what the upload carries is shared
// evenly among those that want it.
func (u *farCrowd) step() {
	dt := gaugeInterval.Seconds()
	u.now = u.now.Add(gaugeInterval)
	left := u.capacity * dt / 8
	want := make([]float64, len(u.children))
	for i, c := range u.children {
		c.owed += float64(u.rate) * dt / 8
		if want[i] = c.owed; c.narrow > 0 {
			want[i] = min(want[i], c.narrow*dt/8)
		}
	}
	for range u.children { // water fills the narrowest first
		open := 0
		for _, w := range want {
			if w > 0 {
				open++
			}
		}
		if open == 0 {
			break
		}
		share := left / float64(open)
		for i, c := range u.children {
			got := min(want[i], share)
			want[i] -= got
			c.owed -= got
			c.sent += got
			left -= got
		}
	}
	var loads []childLoad
	for _, c := range u.children {
		c.Age = u.now.Sub(c.since)
		c.Sent = uint64(c.sent)
		c.Backlog = time.Duration(c.owed * 8 / float64(u.rate) * float64(time.Second))
		if c.Busy += gaugeInterval; c.owed < 1 {
			c.Busy = 0
		}
		c.Caught = c.Caught || c.Backlog < 50*time.Millisecond
		loads = append(loads, c.childLoad)
	}
	u.most = u.room.measure(u.now, u.rate, loads)
}

// run goes on for d, with as many children as there may be and no patience in them:
// one that is a second behind goes, as one that is asked to does.
func (u *farCrowd) run(d time.Duration) {
	for end := u.now.Add(d); u.now.Before(end); {
		u.step()
		for i := len(u.children) - 1; i >= 0; i-- {
			if c := u.children[i]; c.Backlog > time.Second && (c.Caught || c.Age > catchUpTime) || len(u.children) > u.most {
				u.leave(i)
			}
		}
		if len(u.children) < u.most {
			u.join(0)
		}
	}
}

const mbit = 1e6

func TestFarSlotsGrowWhileAllKeepUpAndAreTaken(t *testing.T) {
	u := newFarCrowd(8, 3*mbit, 1000*mbit)
	if u.most != farStart {
		t.Fatalf("%d far slots to begin with", u.most)
	}
	u.run(time.Minute)
	if u.most != 8 {
		t.Errorf("%d far slots after a minute", u.most)
	}
	u = newFarCrowd(8, 3*mbit, 1000*mbit)
	u.join(0)
	for range 200 {
		u.step()
	}
	if u.most != farStart {
		t.Errorf("%d far slots though but one is taken", u.most)
	}
}

func TestFarSlotsFindTheUpload(t *testing.T) {
	for _, tc := range []struct {
		streams float64 // that the upload carries
		want    int
	}{{1.2, 1}, {1.9, 1}, {2.5, 2}, {3.3, 3}, {4.5, 4}, {5.8, 5}, {7.5, 7}, {30, 8}} {
		u := newFarCrowd(8, 3*mbit, tc.streams*3*mbit)
		u.run(3 * time.Minute)
		// From here on, only probes go over what there is.
		over, changes, last := 0, 0, u.most
		const hours = 4
		for range hours * 7200 {
			u.run(gaugeInterval)
			if u.most != last {
				changes++
				last = u.most
			}
			if u.most > tc.want {
				over++
			}
		}
		if u.most != tc.want && u.most != tc.want+1 {
			t.Errorf("an upload of %v streams: %d far slots, want %d", tc.streams, u.most, tc.want)
		}
		if most := 2 * 10; changes > most {
			t.Errorf("an upload of %v streams: %d changes in %d hours, at most %d", tc.streams, changes, hours, most)
		}
		if share := float64(over) / (hours * 7200); share > 0.02 {
			t.Errorf("an upload of %v streams: over it for %.1f%% of the time", tc.streams, 100*share)
		}
	}
}

func TestFarSlotsShrinkWithinTwoSecondsOfFallingBehind(t *testing.T) {
	u := newFarCrowd(8, 3*mbit, 30*mbit)
	u.run(time.Minute)
	if u.most != 8 {
		t.Fatalf("%d far slots", u.most)
	}
	u.capacity = 10 * mbit // somebody in the house uploads
	for range 4 {
		u.step()
	}
	if u.most > 3 || u.most < 2 {
		t.Errorf("%d far slots with room for 3", u.most)
	}
}

func TestOneSlowChildIsNoReasonToShrink(t *testing.T) {
	u := newFarCrowd(8, 3*mbit, 100*mbit)
	u.run(time.Minute)
	before := u.most
	u.children[2].narrow = 1 * mbit
	for range 100 {
		u.step()
	}
	if u.most != before {
		t.Errorf("%d far slots, %d before", u.most, before)
	}
	// Nor if it is the only one.
	u = newFarCrowd(8, 3*mbit, 100*mbit)
	u.join(0).narrow = 1 * mbit
	for range 100 {
		u.step()
	}
	if u.most != farStart {
		t.Errorf("%d far slots, %d before", u.most, farStart)
	}
}

func TestAnUploadBelowOneStreamTakesNobodyInTheEnd(t *testing.T) {
	u := newFarCrowd(8, 3*mbit, 2*mbit)
	u.run(2 * time.Minute)
	if u.most != 0 {
		t.Fatalf("%d far slots", u.most)
	}
	// It is tried again, since it may have changed.
	u.capacity = 100 * mbit
	u.run(2 * probeMost)
	if u.most != 8 {
		t.Errorf("%d far slots, two hours after the upload became wide", u.most)
	}
}

func TestNewcomersBacklogsAreNoReasonToShrink(t *testing.T) {
	u := newFarCrowd(8, 3*mbit, 15*mbit)
	for range 3 {
		u.join(2 * time.Second)
	}
	for range 40 {
		u.step()
		if u.most < farStart {
			t.Fatalf("%d far slots while three children catch up", u.most)
		}
	}
}

func TestNearChildrenDoNotCount(t *testing.T) {
	h := newHeadroom(8, 0)
	now := time.Unix(1e9, 0)
	var loads []childLoad
	for i := range 6 {
		loads = append(loads, childLoad{Link: uint64(i), Near: true, Age: time.Hour, Caught: true, Backlog: 5 * time.Second})
	}
	for range 100 {
		now = now.Add(gaugeInterval)
		if got := h.measure(now, 3*mbit, loads); got != farStart {
			t.Fatalf("%d far slots", got)
		}
	}
}

func TestAStatedUploadIsTaken(t *testing.T) {
	for _, tc := range []struct{ slots, upload, rate, want int }{
		{8, 10 * mbit, 3 * mbit, 3},
		{8, 100 * mbit, 3 * mbit, 8},
		{8, 2 * mbit, 3 * mbit, 0},
		{8, 10 * mbit, 0, 8}, // the bit rate is not known yet
		{2, 10 * mbit, 3 * mbit, 2},
		{0, 10 * mbit, 3 * mbit, 0},
	} {
		h := newHeadroom(tc.slots, tc.upload)
		behind := []childLoad{{Link: 2, Age: time.Hour, Backlog: time.Hour}, {Link: 4, Age: time.Hour, Backlog: time.Hour}}
		if got := h.measure(time.Unix(1e9, 0), tc.rate, behind); got != tc.want {
			t.Errorf("%+v: %d far slots", tc, got)
		}
	}
}

func TestFewSlotsBoundTheFarOnes(t *testing.T) {
	for slots := range 3 {
		u := newFarCrowd(slots, 3*mbit, 1000*mbit)
		u.run(time.Minute)
		if u.most != slots {
			t.Errorf("%d far slots of %d", u.most, slots)
		}
	}
}

// TestFarSlotsStayInBounds has children come, go, stall and recover at random.
func TestFarSlotsStayInBounds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		slots := r.IntN(10)
		u := newFarCrowd(slots, 1+r.IntN(20*mbit), 40*mbit*r.Float64())
		for range 2000 {
			switch r.IntN(12) {
			case 0:
				u.join(time.Duration(r.Int64N(int64(2 * time.Second))))
			case 1:
				if n := len(u.children); n > 0 {
					u.leave(r.IntN(n))
				}
			case 2:
				u.capacity = 40 * mbit * r.Float64()
			}
			u.step()
			if u.most < 0 || u.most > slots {
				t.Fatalf("%d far slots of %d", u.most, slots)
			}
		}
	}
}
