package cli

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"relay/cli/doctor"
	"relay/relay/discovery"
)

func TestTheDoctorIsToldWhatWasFoundOnThisNetwork(t *testing.T) {
	var found catalog
	found.add(foundAt("192.168.1.7:7144", 2, "Finals", discovery.Waiting, false))
	found.add(foundAt("192.168.1.5:7144", 1, "", discovery.Live, false))
	found.add(foundAt("192.168.1.6:7144", 2, "", discovery.Waiting, true))
	asked := []discovery.Asked{{Interface: "eth0", From: netip.MustParseAddr("192.168.1.9")}}
	got := aroundOf(&found, asked, nil)
	want := []doctor.Channel{
		{ID: found.of[1].ID, At: netip.MustParseAddrPort("192.168.1.5:7144")}, // it is live
		{ID: found.of[0].ID, Title: "Finals", At: netip.MustParseAddrPort("192.168.1.6:7144")},
	}
	if !slices.Equal(got.Channels, want) || got.Asked != "eth0 from 192.168.1.9" || got.Off || got.Err != nil {
		t.Errorf("%+v", got)
	}
	why := errors.New("no way")
	if got := aroundOf(&catalog{}, asked[:0], why); got.Channels != nil || got.Asked != "" || got.Err != why {
		t.Errorf("%+v", got)
	}
	if got := lookAroundOnce(t.Context(), discoveryConfig{off: true}); !got.Off {
		t.Errorf("%+v", got)
	}
}
