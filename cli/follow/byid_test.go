package follow

import (
	"net/netip"
	"testing"

	"relay/relay"
	"relay/relay/dht"
	"relay/relay/stream"
)

func TestWhatASourceHasSaidCountsWhileANodeIsThere(t *testing.T) {
	at := netip.MustParseAddrPort("9.9.9.9:7144")
	there, gone := relay.Look{Way: true, At: at, Name: "attic"}, relay.Look{}
	for _, c := range []struct {
		live bool
		at   relay.Look
		want State
	}{{true, there, Live}, {false, there, On}, {true, gone, Off}, {false, gone, Off}, {true, relay.Look{At: at}, Off}} {
		s := sighted(stream.ChannelID{1}, dht.Found{Item: dht.Item{Live: c.live, Title: "Finals"}}, c.at)
		if s.State != c.want || s.Title != "Finals" || s.ID != (stream.ChannelID{1}) || len(s.Addrs) != map[bool]int{true: 1}[c.at.Way] {
			t.Errorf("live %v, %+v: %+v", c.live, c.at, s)
		}
	}
	ByID(nil, nil, nil)(t.Context(), []Channel{{ID: stream.ChannelID{1}}}, func(Sighting) { t.Error("one that takes no part has found it") })
}
