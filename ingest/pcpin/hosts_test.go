package pcpin

import (
	"net/netip"
	"testing"
	"time"

	"relay/relay/pcp"
	"relay/relay/refusal"
)

// named64 has as many hosts named as are remembered.
func named64() (*hosts, *refusal.Counts) {
	var refused refusal.Counts
	h := newHosts(&refused)
	for i := range maxHosts + 1 {
		h.name(pcp.ID{1}, channel, pcp.Host{Channel: channel, Flags: pcp.Receiving, Global: netip.MustParseAddrPort(victim(i))}, 0)
	}
	h.earn(1 << 20)
	return &h, &refused
}

func TestDialsInVainHaveABound(t *testing.T) {
	h, refused := named64()
	if n := refused.All()[PlaceMany]; n != 1 || len(h.list) != maxHosts {
		t.Errorf("%d are remembered, %d are not", len(h.list), n)
	}
	now, dials := time.Unix(1000, 0), 0
	for round := range 3 {
		for {
			at, ok := h.next(now, round+1, 10)
			if !ok {
				break
			}
			dials++
			h.result(now, at, false)
		}
	}
	if dials != vainBurst || refused.All()[PlaceVain] == 0 {
		t.Errorf("%d were dialled in vain, want %d; refused %v", dials, vainBurst, refused.All())
	}
	if _, ok := h.next(now.Add(vainEvery), 9, 10); !ok {
		t.Error("none is dialled a minute later")
	}
}

func TestAHostThatGivesNothingIsLeftAloneForLonger(t *testing.T) {
	h, _ := named64()
	h.list = h.list[:1]
	now, round := time.Unix(1000, 0), 0
	var pauses []time.Duration
	for last := now; now.Before(last.Add(time.Hour)); now = now.Add(time.Second) {
		round++
		if at, ok := h.next(now, round, 0); ok {
			pauses = append(pauses, now.Sub(last))
			last = now
			h.result(now, at, false)
		}
		if len(pauses) == 12 {
			break
		}
	}
	want := []time.Duration{0, 1, 1, 15, 30, 60, 120, 240, 480, 960, 960, 960}
	for i, p := range pauses {
		if p != want[i]*time.Second {
			t.Errorf("pause %d is %v, want %v", i, p, want[i]*time.Second)
		}
	}
	if len(pauses) != len(want) {
		t.Errorf("%d dials, want %d", len(pauses), len(want))
	}
	h.result(now, h.list[0].at, true)
	if h.list[0].vain != 1 {
		t.Errorf("it counts %d after it has given the stream", h.list[0].vain)
	}
}

func TestWhoHasRoomIsDialledFirst(t *testing.T) {
	h, _ := named64()
	h.list = h.list[:3]
	h.list[2].free, h.list[0].vain = true, 1
	for _, want := range []netip.AddrPort{h.list[2].at, h.list[1].at, h.list[0].at} {
		if got, ok := h.next(time.Unix(1000, 0), 1, 10); !ok || got != want {
			t.Errorf("%v, %v, want %v", got, ok, want)
		}
	}
	if got, ok := h.next(time.Unix(1000, 0), 1, 10); ok {
		t.Errorf("%v is dialled twice in a round", got)
	}
}

func TestTheTipIsAskedFirstAtFirstAndThenLast(t *testing.T) {
	h, _ := named64()
	h.list = h.list[:1]
	r := &run{pull: &Pull{From: Address{Tip: "tip:7144", Channel: channel}}, splice: newSplice(), hosts: *h}
	other := h.list[0].at.String()
	for round, want := range [][]string{{"tip:7144", other}, {other, "tip:7144"}, {other, "tip:7144"}} {
		asked := false
		for n, name := range want {
			c, isTip, ok := r.pick(round+1, asked)
			if !ok || c.name != name || isTip != (name == "tip:7144") {
				t.Errorf("round %d, %d: %+v, %v, %v", round+1, n, c, isTip, ok)
			}
			asked = asked || isTip
		}
		if c, _, ok := r.pick(round+1, asked); ok {
			t.Errorf("round %d: %+v as well", round+1, c)
		}
	}
}
