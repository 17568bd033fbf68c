package relay

import (
	"testing"
	"time"

	"relay/relay/stream"
)

func TestTheftsAreKeptForAnHourAndForSoManyChannels(t *testing.T) {
	var ts thefts
	now := time.Unix(1000, 0)
	id := func(i int) stream.ChannelID { return stream.ChannelID{byte(i), byte(i >> 8)} }
	for i := range theftsMost + 3 {
		ts.note(now.Add(time.Duration(i)*time.Second), id(i), theft{})
	}
	now = now.Add(time.Minute * 2)
	for i := range theftsMost + 3 {
		if _, ok := ts.get(now, id(i)); ok != (i >= 3) {
			t.Errorf("channel %d is kept: %t", i, ok)
		}
	}
	if _, ok := ts.get(now, id(1000)); ok {
		t.Error("a channel that was not stolen is")
	}
	now = now.Add(theftKept)
	if _, ok := ts.get(now, id(5)); ok || len(ts.of) != theftsMost-1 {
		t.Errorf("kept for more than an hour: %t, and %d are left", ok, len(ts.of))
	}
}
