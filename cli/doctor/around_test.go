package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"relay/cli/lan"
	"relay/relay/discovery"
	"relay/relay/stream"
)

func foundAround(addr string, id byte, title string, state discovery.State, source bool) discovery.Found {
	return discovery.Found{
		Channel: discovery.Channel{ID: stream.ChannelID{id}, Title: title, State: state, Source: source},
		Addr:    netip.MustParseAddrPort(addr),
	}
}

func TestWhatIsFoundOnThisNetwork(t *testing.T) {
	var found lan.Catalog
	found.Add(foundAround("192.168.1.7:7144", 2, "Finals", discovery.Waiting, false))
	found.Add(foundAround("192.168.1.5:7144", 1, "", discovery.Live, false))
	found.Add(foundAround("192.168.1.6:7144", 2, "", discovery.Waiting, true))
	asked := []discovery.Asked{{Interface: "eth0", From: netip.MustParseAddr("192.168.1.9")}}
	got := aroundOf(&found, asked, nil)
	want := []*lan.Channel{found.Channels[1], found.Channels[0]} // the first is live
	if !slices.Equal(got.channels, want) || got.channels[1].Addrs[0].String() != "192.168.1.6:7144" || got.asked != "eth0 (192.168.1.9)" || got.off || got.err != nil {
		t.Errorf("%+v", got)
	}
	why := errors.New("no way")
	if got := aroundOf(&lan.Catalog{}, asked[:0], why); got.channels != nil || got.asked != "" || got.err != why {
		t.Errorf("%+v", got)
	}
	if got := lookAround(t.Context(), lan.Config{Off: true}); !got.off {
		t.Errorf("%+v", got)
	}
}
