package srt

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheOtherSidesClockIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		// It runs 400 ppm fast.
		theirs := func() uint32 {
			d := time.Since(begun)
			return uint32((d + d/2500).Microseconds())
		}
		c := newPeerClock(theirs(), begun)
		for time.Since(begun) < 20*time.Minute {
			time.Sleep(10 * time.Millisecond)
			stamp := theirs()
			off := time.Duration(c.unwrap(stamp)-c.now(time.Now())) * time.Microsecond
			if off < -clockStep || off > 2*clockStep {
				t.Fatalf("after %v it is taken for %v off", time.Since(begun), off)
			}
			c.sample(stamp, time.Now())
		}
	})
}

func TestTimestampsThatWrap(t *testing.T) {
	c := newPeerClock(1<<32-1000, time.Now())
	for _, step := range []struct {
		stamp uint32
		want  int64
	}{{1<<32 - 500, 500}, {500, 1500}, {1<<32 - 1, 999}, {1000, 2000}} {
		if got := c.unwrap(step.stamp) - (clockEpoch + 1<<32 - 1000); got != step.want {
			t.Errorf("%d is %d µs behind the first, want %d", step.stamp, got, step.want)
		}
	}
}

func TestAcknowledgementsThatAreAnsweredSayHowLongTheWayIs(t *testing.T) {
	now := time.Now()
	var a acks
	n, due := a.next(7, now, 50*time.Millisecond)
	if !due || n != 1 {
		t.Fatal(n, due)
	}
	if _, due := a.next(7, now.Add(10*time.Millisecond), 50*time.Millisecond); due {
		t.Error("nothing new is said again at once")
	}
	if n, due = a.next(7, now.Add(60*time.Millisecond), 50*time.Millisecond); !due || n != 2 {
		t.Error("what was not answered is not said again")
	}
	if d, ok := a.answered(2, now.Add(90*time.Millisecond)); !ok || d != 30*time.Millisecond {
		t.Error(d, ok)
	}
	if _, due := a.next(7, now.Add(time.Hour), 50*time.Millisecond); due {
		t.Error("what was answered is said again")
	}
	for _, number := range []uint32{0, 2, 3, 1 << 31, ^uint32(0)} {
		if d, ok := a.answered(number, now.Add(time.Second)); ok {
			t.Errorf("an answer to %d counts: %v", number, d)
		}
	}
}

func TestReportsOfLossesAreBounded(t *testing.T) {
	var r reports
	now, n := time.Now(), 0
	for i := range 1000 {
		if r.allow(now.Add(time.Duration(i) * time.Millisecond)) {
			n++
		}
	}
	if n != 10*maxReports {
		t.Errorf("%d of 1000 in a second", n)
	}
}
