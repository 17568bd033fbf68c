package relay

import (
	"relay/tree"
)

// Notice is something that a person may want to know about a channel.
type Notice struct {
	Attached *tree.Attached // a parent was found
	Orphaned *tree.Orphaned // the parent was lost
	Failed   *DialError     // a place did not answer
	Refused  *Refusal       // a place answered, and had nothing to offer
}

// Refusal is a node that neither took this one nor knew a better place.
type Refusal struct {
	Peer   tree.ID
	Reason tree.Reason
}

// DialError is a place that could not be reached.
type DialError struct {
	Place tree.Place
	Err   error
}

func (c *Channel) noticeRefusal(r tree.Received) {
	l := c.links[r.Link]
	if l == nil || l.feeding.Load() || r.Link%2 == 0 {
		return
	}
	switch m := r.Msg.(type) {
	case tree.Refer:
		if len(m.Places) == 0 {
			c.notices(Notice{Refused: &Refusal{l.peer, m.Reason}})
		}
	case tree.Bye:
		c.notices(Notice{Refused: &Refusal{l.peer, m.Reason}})
	}
}
