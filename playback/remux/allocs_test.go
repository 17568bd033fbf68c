package remux

import (
	"testing"

	"relay/ingest/flv"
)

// What viewers of a container get of a tag is made once for all of them, of a few allocations: the
// two of the batch, and the frame, its boxes or packets, and the list of them.
func TestConvertingATagCostsAFewAllocations(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	for name, tt := range map[string]struct {
		convert converter
		bound   float64
	}{
		"MP4": {NewMP4().Convert, 6},
		"TS":  {NewTS().Convert, 5},
	} {
		i := 0
		next := func() {
			if _, err := tt.convert(flv.BatchOf(tags[i])); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for i < len(tags)/2 { // what there is once for a stream
			next()
		}
		if n := testing.AllocsPerRun(len(tags)/2-1, next); n > tt.bound {
			t.Errorf("%v allocations for a tag in %s, want %v at most", n, name, tt.bound)
		}
	}
}
