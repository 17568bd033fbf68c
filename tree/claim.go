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
// claims some, and takes nobody who is sent to it, is not named to joiners for a while. If one of
// those comes back it makes room besides.
// Nodes further down are not judged here: their own parents do that.
type slotClaim struct {
	sent       int       // joiners in a row
	since      time.Time // when the first of them was sent
	changes    int       // of the child's slots
	doubtUntil time.Time
	spurned    time.Time // until when it makes room for whoever comes
}

// send notes a joiner sent to the child.
func (c *slotClaim) send(now time.Time) {
	if c.sent == 0 {
		c.since = now
	}
	c.sent++
	if c.sent >= claimTests && now.Sub(c.since) >= claimTime {
		c.sent, c.doubtUntil = 0, now.Add(claimDoubt)
	}
}

// cameBack notes a joiner that was sent to the child, and was not taken.
func (c *slotClaim) cameBack(now time.Time) {
	c.sent, c.doubtUntil = 0, now.Add(claimDoubt)
	c.spurned = c.doubtUntil
}

// held notes that the child's slots have changed, as an honest child's do.
func (c *slotClaim) held() { c.sent, c.changes = 0, c.changes+1 }

// doubted reports whether the child is not to be named to joiners.
func (c *slotClaim) doubted(now time.Time) bool { return now.Before(c.doubtUntil) }
