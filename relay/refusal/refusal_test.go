package refusal

import (
	"maps"
	"testing"
)

func TestReasonsThatAreShownAreThereBeforeTheyHappen(t *testing.T) {
	var c Counts
	if got := c.All(); len(got) != 0 {
		t.Errorf("%v before anything was refused", got)
	}
	if got, want := c.All("full", "slow"), map[Reason]uint64{"full": 0, "slow": 0}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	c.Add("slow")
	c.Add("slow")
	c.Add("crowd")
	if got, want := c.All("full", "slow"), map[Reason]uint64{"full": 0, "slow": 2, "crowd": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := Labels(c.All()), map[string]uint64{"slow": 2, "crowd": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	none := (*Counts)(nil)
	none.Add("slow")
	if got := none.All(); len(got) != 0 {
		t.Errorf("nobody has counted %v", got)
	}
}
