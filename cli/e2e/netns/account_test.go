//go:build e2e && linux

package netns

import (
	"testing"
	"time"

	"relay/ingest/flv"
)

// TestWhatAPlayerMissesOfANewRunIsCounted gives a tape the end of one run and the next from one of its
// tags on.
func TestWhatAPlayerMissesOfANewRunIsCounted(t *testing.T) {
	tags := func(run uint64) (all []tag) { // configurations, two tags of sound, and frames
		for i, typ := range []flv.Type{flv.Video, flv.Audio, flv.Audio, flv.Audio, flv.Video, flv.Video, flv.Video} {
			all = append(all, tag{typ, uint32(20 * i), 100*run + uint64(i)})
		}
		return all
	}
	for from, want := range map[int]int{2: 0, 3: 0, 4: 0, 5: 1, 6: 2} {
		var l ledger
		for run := range uint64(2) {
			r := l.begin("")
			for _, g := range tags(run) {
				r.add(g)
			}
		}
		var p tape
		for _, g := range append(tags(0)[2:], tags(1)[from:]...) {
			p.add(&l, note{tag: g, when: time.Unix(0, 0)})
		}
		if p.missed != want || p.lost+p.repeated+p.alien+p.cut != 0 {
			t.Errorf("from tag %d on: %d missed, want %d; %+v", from, p.missed, want, p.faults)
		}
	}
}
