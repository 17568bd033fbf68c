package cli

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"relay/cli/doctor"
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

func TestTheDoctorIsToldWhatWasFoundOnThisNetwork(t *testing.T) {
	var found lan.Catalog
	found.Add(foundAround("192.168.1.7:7144", 2, "Finals", discovery.Waiting, false))
	found.Add(foundAround("192.168.1.5:7144", 1, "", discovery.Live, false))
	found.Add(foundAround("192.168.1.6:7144", 2, "", discovery.Waiting, true))
	asked := []discovery.Asked{{Interface: "eth0", From: netip.MustParseAddr("192.168.1.9")}}
	got := aroundOf(&found, asked, nil)
	want := []doctor.Channel{
		{ID: found.Channels[1].ID, At: netip.MustParseAddrPort("192.168.1.5:7144")}, // it is live
		{ID: found.Channels[0].ID, Title: "Finals", At: netip.MustParseAddrPort("192.168.1.6:7144")},
	}
	if !slices.Equal(got.Channels, want) || got.Asked != "eth0 from 192.168.1.9" || got.Off || got.Err != nil {
		t.Errorf("%+v", got)
	}
	why := errors.New("no way")
	if got := aroundOf(&lan.Catalog{}, asked[:0], why); got.Channels != nil || got.Asked != "" || got.Err != why {
		t.Errorf("%+v", got)
	}
	if got := lookAroundOnce(t.Context(), lan.Config{Off: true}); !got.Off {
		t.Errorf("%+v", got)
	}
}
