package relay

import (
	"testing"
	"time"

	"relay/relay/stream"
)

func TestTheSignedClockIsTheBestOfLate(t *testing.T) {
	const late = 30 * time.Millisecond
	begin, e := time.Unix(1000, 0), stream.Epoch{Ms: 5}
	var k signedClock
	at := func(now time.Duration) time.Time { return begin.Add(now) }
	wants := func(now, want time.Duration) {
		t.Helper()
		if got := k.least(at(now), e); got != want {
			t.Errorf("at %v it is %v, want %v", now, got, want)
		}
	}
	wants(0, 0)
	for now := time.Duration(0); now <= 20*time.Second; now += time.Second {
		k.note(at(now), e, now+time.Minute-late)
	}
	wants(signedAfter, signedAfter+time.Minute-late)
	// All that comes now has been delayed by 10 s.
	for now := 21 * time.Second; now <= 50*time.Second; now += time.Second {
		k.note(at(now), e, now+time.Minute-10*time.Second)
		wants(now, now+time.Minute-late)
	}
	// After a minute nothing speaks against it any more: the root's machine may have slept.
	for now := 51 * time.Second; now <= 90*time.Second; now += time.Second {
		k.note(at(now), e, now+time.Minute-10*time.Second)
	}
	wants(90*time.Second, 140*time.Second)
	// One quick beat over any link is enough.
	k.note(at(91*time.Second), e, 151*time.Second-late)
	wants(92*time.Second, 152*time.Second-late)
	// Each epoch has a clock of its own, and an earlier one is over.
	next := stream.Epoch{Ms: 6}
	k.note(at(93*time.Second), next, time.Second)
	k.note(at(94*time.Second), e, time.Hour)
	wants(96*time.Second, 0)
	if got := k.least(at(96*time.Second), next); got != 4*time.Second {
		t.Errorf("the next epoch's clock shows %v", got)
	}
	// After a long silence what came before counts no more.
	k.note(at(300*time.Second), next, 10*time.Second)
	if got := k.least(at(300*time.Second), next); got != 10*time.Second {
		t.Errorf("after a silence it shows %v", got)
	}
}
