package discovery

import (
	"maps"
	"net/netip"
	"testing"
	"time"

	"relay/relay/multicast"
	"relay/relay/refusal"
)

func TestQueriesThatAreNotAnsweredAreCounted(t *testing.T) {
	var c refusal.Counts
	d := newDesk(Responder{Refused: &c, Interfaces: []string{"none of that name"}, Channels: func() []Channel { return nil }})
	now := time.Unix(100, 0)
	d.looked = now // of which no interface was found
	for i := range 3 {
		d.answer(now, query{nonce: uint64(i)}, netip.MustParseAddrPort("203.0.113.5:1000"), 0)
	}
	d.ifs = []multicast.Interface{{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.1.2/24")}}}
	for i := range 2 * sourceBurst {
		from := netip.MustParseAddrPort("192.168.1.7:1000")
		d.answer(now, query{nonce: uint64(i)}, from, 0)
		d.answer(now, query{nonce: uint64(min(i, sourceBurst-1))}, from, 0) // a copy, as by broadcast
	}
	want := map[refusal.Reason]uint64{refusedFrom: 3, refusedTooMany: sourceBurst}
	if got := c.All(); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
