package relay

import (
	"errors"
	"sync"
	"time"

	"relay/relay/hostnet"
	"relay/tree"
)

// Answers is when those that were asked for the stream said what last, while there has been no parent. Each
// is zero if nobody has said it.
type Answers struct {
	NoWay   time.Time // this machine has no way to the address
	Silent  time.Time // nothing answers there
	Absent  time.Time // a machine answers, and no relay takes connections there, or another node does
	Full    time.Time // a node has no room
	Orphan  time.Time // a node of the channel has no way to the source itself
	Unknown time.Time // a node does not carry the channel, or knows another secret
	Past    time.Time // what is offered there is not live
	Other   time.Time // a node says no for another reason, such as its version
	// SourceLeft says that the parent before was the source, and that it said that it leaves.
	SourceLeft bool
}

// answers collects them. Its methods may be called from several goroutines.
type answers struct {
	mu  sync.Mutex
	all Answers
}

// note takes in a notice of the channel.
func (a *answers) note(n Notice, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch n := n.(type) {
	case Attached:
		a.all = Answers{}
	case DialFailed:
		if at := a.all.ofDial(n.Err); at != nil {
			*at = now
		}
	case Refused:
		if at := a.all.ofRefusal(n.Reason); at != nil {
			*at = now
		}
	case NotLive:
		a.all.Past = now
	}
}

// sourceLeft notes that the parent was the source, and has said that it leaves.
func (a *answers) sourceLeft() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.SourceLeft = true
}

func (a *answers) now() Answers {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}

// ofDial is what a dial in vain says; nil if nobody was asked.
func (a *Answers) ofDial(err error) *time.Time {
	switch {
	case errors.Is(err, errNoAddress):
		return nil
	case hostnet.NoWay(err):
		return &a.NoWay
	case hostnet.Refused(err), hostnet.Hungup(err), errors.Is(err, errWrongNode):
		return &a.Absent
	case errors.Is(err, ErrOldPrivate):
		return &a.Other
	}
	return &a.Silent
}

// ofRefusal is what a refusal says; nil if it is none of the channel's present.
func (a *Answers) ofRefusal(r tree.Reason) *time.Time {
	switch r {
	case tree.ReasonFull:
		return &a.Full
	case tree.ReasonOrphan:
		return &a.Orphan
	case tree.ReasonChannel:
		return &a.Unknown
	case tree.ReasonEpoch:
		return &a.Past
	case tree.ReasonVersion, tree.ReasonProtocol, tree.ReasonToken, tree.ReasonTooFast:
		return &a.Other
	}
	return nil
}
