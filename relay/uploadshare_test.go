package relay

import (
	"testing"

	"relay/relay/stream"
)

// Channels of one helper stay within its upload together, and none is kept out.
func TestChannelsShareTheUpload(t *testing.T) {
	const all, rate = 20_000_000, 1_000_000
	var u uploadShares
	want := map[byte]int{1: 99, 2: 0, 3: 0} // children that would come
	has := map[byte]int{}
	settle := func() {
		for range 30 {
			for id := byte(1); id <= 3; id++ {
				if want[id] == 0 {
					u.forget(stream.ChannelID{id})
					has[id] = 0
					continue
				}
				has[id] = min(want[id], u.of(stream.ChannelID{id}, has[id]*rate, all)/rate)
			}
		}
	}
	for _, step := range []struct {
		id             byte
		children       int
		first, sec, th int
	}{
		{2, 0, 20, 0, 0}, // alone: all of it
		{2, 3, 17, 3, 0}, // one that needs little
		{3, 99, 10, 3, 7},
		{1, 2, 2, 3, 15},
		{3, 0, 2, 3, 0},
	} {
		want[step.id] = step.children
		settle()
		total := has[1] + has[2] + has[3]
		if total > all/rate || has[2] != step.sec || step.id != 3 && (has[1] != step.first || has[3] != step.th) {
			t.Errorf("channel %d wants %d: %v", step.id, step.children, has)
		}
		if step.id == 3 && step.children > 0 && (has[1] < all/rate/3 || has[3] < all/rate/3) {
			t.Errorf("a channel has less than its even share: %v", has)
		}
	}
	if n := u.of(stream.ChannelID{4}, 0, 1); n != 1 {
		t.Errorf("the least share is %d", n)
	}
}
