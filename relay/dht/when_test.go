package dht

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"relay/tree"
)

func TestLookupsComeLessAndLessOften(t *testing.T) {
	secs := func(had bool, upTo int) (at []int) {
		var l Lookups
		if had {
			l.Due(0)
		}
		for half := 1; half <= 2*upTo; half++ {
			if l.Due(time.Duration(half) * time.Second / 2) {
				at = append(at, half/2)
			}
		}
		return at
	}
	if at := secs(false, 1300); !slices.Equal(at, []int{1, 15, 60, 300, 600, 900, 1200}) {
		t.Errorf("of a new one: %v", at)
	}
	if at := secs(true, 400); !slices.Equal(at, []int{15, 60, 300}) {
		t.Errorf("of one that had a parent: %v", at)
	}
	var l Lookups
	if !l.Due(time.Minute) || l.Due(61*time.Second) || l.Due(0) || !l.Due(15*time.Second) {
		t.Error("one that took long was not counted for those it has missed, or a parent ends nothing")
	}
}

func TestASourcePublishesWhenThereIsSomethingToSay(t *testing.T) {
	at := func(s string) []tree.Place {
		return []tree.Place{{ID: tree.ID{1}, Addrs: []netip.AddrPort{netip.MustParseAddrPort(s)}}}
	}
	var p Publications
	begun := time.Unix(1_000_000, 0)
	var told []int
	run := func(from, to int, it Item) {
		for s := from; s < to; s++ {
			now := begun.Add(time.Duration(s) * time.Second)
			if p.Due(now, it) {
				told = append(told, s)
				p.Tried(now, s != 4000) // which fails
			}
		}
	}
	it := Item{Places: at("9.9.9.9:1")}
	run(0, 1, Item{})
	run(1, 10, it) // its address is there a second later
	it.Live = true
	run(10, 100, it)
	it.Live = false // for too short a time
	run(100, 101, it)
	it.Live = true
	run(101, 200, it)
	it.Places = append(at("9.9.9.9:1"), at("9.9.9.8:1")...) // somebody who watches
	run(200, 300, it)
	it.Places = at("9.9.9.7:1")
	run(300, 4000, it)
	it.Title = "x"
	run(3998, 4100, it)
	if !slices.Equal(told, []int{3, 63, 302, 302 + 3300, 4000, 4060}) {
		t.Errorf("it has published after %v s", told)
	}
}

func TestAnItemIsKeptAgainByWhoHasFoundIt(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var r Renewals
	if _, due := r.Due(now, 0); due {
		t.Error("nothing is to be kept again")
	}
	f := Found{Item: Item{Made: now.Add(-time.Hour)}, record: Record{seq: 5}}
	r.Found(now, f)
	for after, want := range map[time.Duration]bool{renewAfter - 1: false, renewAfter: true, 2 * renewAfter: true, renewFor - time.Hour + 1: false} {
		if _, due := r.Due(now.Add(after), 0); due != want {
			t.Errorf("after %v: %v", after, due)
		}
	}
	if _, due := r.Due(now.Add(renewAfter), time.Minute); due {
		t.Error("it does not wait for others")
	}
	f.record.seq = 4
	r.Found(now.Add(time.Hour), f)
	f.record.seq = 5
	r.Found(now.Add(time.Hour), f) // once more
	if got, due := r.Due(now.Add(renewAfter), 0); !due || got.record.seq != 5 {
		t.Error("an older one has taken its place, or to see it again counts as to keep it")
	}
	r.Tried(now.Add(renewAfter), f)
	if _, due := r.Due(now.Add(renewAfter+time.Hour), 0); due {
		t.Error("it is kept again too soon")
	}
	f.record.seq, f.Made = 6, now.Add(renewAfter)
	r.Found(now.Add(renewAfter+time.Hour), f)
	if _, due := r.Due(now.Add(2*renewAfter), 0); due {
		t.Error("a newer one is kept again at once")
	}
}
