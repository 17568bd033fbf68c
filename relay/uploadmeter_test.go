package relay

import (
	"testing"
	"time"

	"relay/tree"
)

func TestUploadIsWhatAllLinksSend(t *testing.T) {
	var m uploadMeter
	at := time.Unix(1, 0)
	step := func(d time.Duration, sent map[tree.Link]uint64, want uint32) {
		t.Helper()
		at = at.Add(d)
		m.measure(at, sent)
		if got := m.kbits(); got != want {
			t.Errorf("%d kbit/s, want %d", got, want)
		}
	}
	step(0, map[tree.Link]uint64{2: 1000}, 0)
	step(uploadWindow, map[tree.Link]uint64{2: 251_000, 4: 500_000}, 3000)
	step(uploadWindow-1, map[tree.Link]uint64{2: 9_000_000}, 3000) // too short to tell
	step(1, map[tree.Link]uint64{2: 251_000}, 0)                   // 4 is gone
	step(2*uploadWindow, map[tree.Link]uint64{2: 751_000}, 1000)
}

func TestUploadIsToldOfEachLink(t *testing.T) {
	var m uploadMeter
	at := time.Unix(1_700_000_000, 0)
	step := func(d time.Duration, sent, want map[tree.Link]uint64) {
		t.Helper()
		m.measure(at.Add(d), sent)
		for num := range tree.Link(8) {
			if got := m.rate(num); got != int(want[num]) {
				t.Errorf("after %v: %d bit/s over link %d, want %d", d, got, num, want[num])
			}
		}
	}
	step(0, map[tree.Link]uint64{2: 1000, 4: 1000}, nil)
	step(time.Second, map[tree.Link]uint64{2: 251_000, 4: 1000}, nil) // too soon
	step(2*time.Second, map[tree.Link]uint64{2: 501_000, 4: 251_000}, map[tree.Link]uint64{2: 2_000_000, 4: 1_000_000})
	step(4*time.Second, map[tree.Link]uint64{2: 501_000, 4: 251_000}, nil)
	// A child that is gone and one that has come.
	step(6*time.Second, map[tree.Link]uint64{6: 250_000}, map[tree.Link]uint64{6: 1_000_000})
}
