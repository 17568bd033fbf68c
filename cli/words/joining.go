// Package words holds what people and programs are told about a source or a watcher: the
// greeting, the status line, advice, how joining goes, the log, and events as JSON.
package words

import (
	"fmt"
	"sync"
	"time"

	"relay/cli/fault"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/tree"
)

// JoinPatience is how long joining may take before a person is told why it takes so long.
const JoinPatience = 2 * time.Second

// Joining keeps track, for people, of whether this node has a parent. It is safe for concurrent
// use, and its methods do not block.
type Joining struct {
	mu       sync.Mutex
	attached bool
	once     bool            // it was attached once
	untold   bool            // the parent is gone, and nobody has been told
	why      string          // the newest trouble while not attached
	kind     string          // of that trouble, whatever the address
	told     map[string]bool // the kinds of which a person has been told since
	dead     map[string]bool // places that have not answered since; maxDead at most
	since    time.Time
	search   search // for a parent, since then
}

// NewJoining returns a Joining that begins at now, without a parent.
func NewJoining(now time.Time) *Joining { return &Joining{since: now} }

// ParentNews is what a notice says about the parent.
type ParentNews int

const (
	NoParentNews ParentNews = iota // nothing has changed
	ParentFirst                    // the first
	ParentBack                     // there is one again
	ParentKept                     // there is one again, before anybody was told that there was none
)

// Note takes in a notice of the channel.
func (j *Joining) Note(n relay.Notice, now time.Time) (news ParentNews) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.search.note(n)
	switch n := n.(type) {
	case relay.Attached:
		switch {
		case j.attached:
		case !j.once:
			news = ParentFirst
		case j.untold:
			news = ParentKept
		default:
			news = ParentBack
		}
		j.attached, j.once, j.untold = true, true, false
		j.told, j.dead = nil, nil
	case relay.Orphaned:
		j.attached, j.untold, j.since = false, true, now
		j.why, j.kind = "the node that sent the stream is gone ("+n.End.Reason.String()+")", "gone"
	case relay.DialFailed:
		if j.why != "" && hostnet.NoWay(n.Err) {
			break // what others say is of more use than that this network lacks one of the two families
		}
		j.why, j.kind = j.silent(Place(n.Place), fault.Plain(n.Err)), "silent"
	case relay.NoSuchHost:
		j.why, j.kind = fault.Plain(n.Err), "no host"
	case relay.Refused:
		j.why = refusalText(n)
		j.kind = j.why
	case relay.NotLive:
		j.why, j.kind = n.Error(), "not live"
	}
	return news
}

// maxDead bounds how many places that do not answer are counted. A link has fewer; others name more.
const maxDead = 100

// silent says that a place does not answer, and how many others do not.
func (j *Joining) silent(place, why string) string {
	if j.dead == nil {
		j.dead = make(map[string]bool)
	}
	if len(j.dead) < maxDead {
		j.dead[place] = true
	}
	if n := len(j.dead); n > 1 {
		return fmt.Sprintf("none of %d addresses answers. The last, %s: %s", n, place, why)
	}
	return fmt.Sprintf("%s does not answer: %s", place, why)
}

// Why returns the newest reason why there is no parent, "" if there is one or nothing is known.
func (j *Joining) Why() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached {
		return ""
	}
	return j.why
}

// IsAttached reports whether there is a parent.
func (j *Joining) IsAttached() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.attached
}

// Alone returns how long there has been no parent, 0 if there is one.
func (j *Joining) Alone(now time.Time) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached {
		return 0
	}
	return now.Sub(j.since)
}

// Trouble says why there is no parent, once for each kind of cause, and only if it lasts; "" if there
// is nothing new to say: that another address does not answer either is nothing new. first reports that there has been no parent yet.
func (j *Joining) Trouble(now time.Time) (why string, first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached || now.Sub(j.since) < JoinPatience || j.why == "" || j.told[j.kind] {
		return "", false
	}
	if j.told == nil {
		j.told = make(map[string]bool)
	}
	j.told[j.kind], j.untold = true, false
	return j.why, !j.once
}

// Overdue returns how much longer to wait for a parent before the next look, or the error that
// ends the wait if there has been no parent for too long.
func (j *Joining) Overdue(now time.Time, after time.Duration) (time.Duration, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached {
		return after, nil
	}
	if left := after - now.Sub(j.since); left > 0 {
		return left, nil
	}
	why := j.why
	if why == "" {
		why = "nobody has answered"
	}
	hint := "is relay source running, can this machine reach it, and is the link whole? Without --timeout relay keeps trying"
	if j.search.outcome() == fault.ExitRefused {
		hint = "try again when others have left, or ask the broadcaster for more upload; without --timeout relay keeps trying"
	}
	return 0, &fault.Error{Err: fmt.Errorf("no connection within %v: %s", after, why), Hint: hint, Code: j.search.outcome()}
}

// search is how the search for a parent has gone so far.
type search struct {
	silent  int // places that could not be reached, or that have no stream themselves
	refused int // nodes of the channel that turned this one down
}

// note takes in a notice of the channel.
func (s *search) note(n relay.Notice) {
	switch n := n.(type) {
	case relay.Attached, relay.Orphaned:
		*s = search{}
	case relay.DialFailed:
		s.silent++
	case relay.Refused:
		if n.Reason == tree.ReasonChannel || n.Reason == tree.ReasonOrphan {
			s.silent++
		} else {
			s.refused++
		}
	}
}

// outcome returns the exit code for a search that has been given up.
func (s search) outcome() int {
	if s.refused > 0 && s.silent == 0 {
		return fault.ExitRefused
	}
	return fault.ExitNobody
}
