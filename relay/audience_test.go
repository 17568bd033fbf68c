package relay

import (
	"math"
	"testing"

	"relay/relay/wire"
)

func TestNoMoreWatchAtAChildThanIsPlausible(t *testing.T) {
	listing := func(nodes int, rest uint32) wire.View {
		return wire.View{Nodes: make([]wire.Fact, nodes), Rest: wire.Rest{Nodes: rest}}
	}
	for _, c := range []struct {
		what  string
		told  int64
		below uint32
		view  wire.View
		want  uint64
	}{
		{"an older one that has told nothing", untold, 0, wire.View{}, 1},
		{"an older one with four", untold, 4, listing(5, 0), 5},
		{"an older one that lists two of them", untold, 4, listing(3, 0), 3},
		{"an older one with more than can be listed", untold, 6000, listing(4096, 1905), 6001},
		{"nobody watches", 0, 3, listing(4, 0), 0},
		{"some do", 17, 3, listing(4, 0), 17},
		{"it has not listed anybody yet", 17, 3, wire.View{}, 17},
		{"too many at one node", math.MaxUint32, 0, listing(1, 0), nodeWatching},
		{"too many at nodes that it does not list", math.MaxUint32, math.MaxUint32, listing(1, 0), nodeWatching},
		{"too many at those that it lists", math.MaxUint32, math.MaxUint32, listing(3, 0), 3 * nodeWatching},
		{"the greatest numbers that there are", math.MaxUint32, math.MaxUint32, listing(4096, math.MaxUint32), math.MaxUint32},
	} {
		if got := believable(c.told, c.below, c.view); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}
