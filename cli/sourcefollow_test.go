package cli

import (
	"testing"

	"relay/relay"
	"relay/tree"
)

func TestUploadTellsNearFromFar(t *testing.T) {
	links := map[tree.Link]relay.LinkStatus{2: {Rate: 2_000_000}, 4: {Rate: 1_000_000, Near: true}, 6: {Rate: 500_000}}
	if far, near := uploadOf(links); far != 2_500_000 || near != 1_000_000 {
		t.Errorf("%d and %d bit/s, want 2500000 and 1000000", far, near)
	}
}
