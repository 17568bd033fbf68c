package tree

import "time"

const (
	// claimTests is how many joiners are sent to a child in a row, and are not taken,
	// before its claim is doubted.
	claimTests = 4
	// claimTime is over how long at least: in a crowd reports come late.
	claimTime = 5 * time.Second
	// claimDoubt is for how long it is doubted.
	claimDoubt = 60 * time.Second
)

// slotClaim is what a parent makes of a child's claim to have free slots. A child that
// claims some, and takes nobody who is sent to it, is not named to joiners for a while.
// Nodes further down are not judged here: their own parents do that.
type slotClaim struct {
	sent       int       // joiners in a row
	since      time.Time // when the first of them was sent
	doubtUntil time.Time
}

// send notes a joiner sent to the child.
func (c *slotClaim) send(now time.Time) {
	if c.sent == 0 {
		c.since = now
	}
	c.sent++
	if c.sent >= claimTests && now.Sub(c.since) >= claimTime {
		*c = slotClaim{doubtUntil: now.Add(claimDoubt)}
	}
}

// held notes that the child's slots have changed, as an honest child's do.
func (c *slotClaim) held() { c.sent = 0 }

// doubted reports whether the child is not to be named to joiners.
func (c *slotClaim) doubted(now time.Time) bool { return now.Before(c.doubtUntil) }
