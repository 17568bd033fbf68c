package tree

import (
	"testing"
	"time"
)

func TestAClaimIsDoubtedAfterFourJoinersInARowOver5Seconds(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
		sent  int
		held  int // after so many the slots change
		want  bool
	}{
		{"four over 6 s", 2 * second, 4, 0, true},
		{"three", 2 * second, 3, 0, false},
		{"four over 4.8 s", 1600 * time.Millisecond, 4, 0, false},
		{"six over 5 s", second, 6, 0, true},
		{"the slots change in between", 2 * second, 6, 3, false},
	} {
		var c slotClaim
		now := time.Unix(1000, 0)
		for i := range test.sent {
			if i > 0 {
				now = now.Add(test.every)
			}
			if i == test.held {
				c.held()
			}
			c.send(now)
		}
		if c.doubted(now) != test.want {
			t.Errorf("%s: doubted: %v", test.name, !test.want)
		}
	}
}

func TestADoubtEndsAfterAMinuteAndTheCountStartsAnew(t *testing.T) {
	var c slotClaim
	now := time.Unix(1000, 0)
	for range claimTests - 1 {
		c.send(now)
	}
	now = now.Add(claimTime)
	c.send(now)
	if !c.doubted(now.Add(claimDoubt-1)) || c.doubted(now.Add(claimDoubt)) {
		t.Error("the doubt does not last a minute")
	}
	now = now.Add(claimDoubt)
	c.send(now)
	if c.doubted(now) {
		t.Error("one joiner more is enough for another doubt")
	}
}
