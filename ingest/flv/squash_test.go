package flv

import (
	"math"
	"testing"
)

func TestSquashedPicturesEndAtTheLastOnesTime(t *testing.T) {
	for _, c := range []struct {
		first, last uint32
		i, n        int
		want        uint32
	}{
		{1000, 2000, 0, 1, 2000},
		{1000, 2000, 0, 31, 1970},
		{1000, 2000, 30, 31, 2000},
		{1000, 1010, 0, 31, 1000}, // more pictures than milliseconds
		{1000, 1010, 20, 31, 1000},
		{1000, 1010, 21, 31, 1001},
		{math.MaxUint32 - 4, 5, 0, 10, math.MaxUint32 - 3}, // timestamps wrap
		{math.MaxUint32 - 4, 5, 9, 10, 5},
	} {
		if got := Squashed(c.first, c.last, c.i, c.n); got != c.want {
			t.Errorf("Squashed(%d, %d, %d, %d) = %d, want %d", c.first, c.last, c.i, c.n, got, c.want)
		}
	}
}
