package dht

import (
	"slices"
	"time"

	"relay/tree"
)

// When a channel without a parent is looked up, counted from when it lost it or was opened: not as long as an
// address in the link may yet answer, and then less and less often.
var lookAt = []time.Duration{time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}

// Lookups says when to look a channel up. Its zero value is ready.
type Lookups struct {
	had  bool // a parent
	done int
}

// Due reports whether it is time, given how long there is no parent; 0 if there is one. A tree that has lost
// its source repairs itself, or all of it would come at once: who has had a parent waits for the second time.
func (l *Lookups) Due(alone time.Duration) bool {
	if alone <= 0 {
		l.had, l.done = true, 0
		return false
	}
	if l.had {
		l.done = max(l.done, 1)
	}
	if alone < l.next() {
		return false
	}
	for alone >= l.next() {
		l.done++ // one that took long stands for those that it has missed
	}
	return true
}

func (l *Lookups) next() time.Duration {
	last := len(lookAt) - 1
	if l.done <= last {
		return lookAt[l.done]
	}
	return lookAt[last] * time.Duration(l.done-last+1)
}

const (
	// settleTime is how long what is published has to be the same: addresses come one by one at the start.
	settleTime = 2 * time.Second
	// publishLeast is the least time between two times, and publishMost the longest: nodes keep an item for
	// two hours, and some are gone sooner.
	publishLeast, publishMost = time.Minute, 55 * time.Minute
	// renewAfter is when who has found an item has it kept again, unless its source has done so, and renewFor
	// how old it may be then: after that it is more often wrong than right.
	renewAfter, renewFor = 70 * time.Minute, 12 * time.Hour
)

// Publications says when a source publishes. Its zero value is ready.
type Publications struct {
	what, said Item // what there is to say, and what was said last
	since      time.Time
	last       time.Time // it was tried
	soon       bool      // and has failed
}

// Due reports whether it is time to say what there is to say now.
func (p *Publications) Due(now time.Time, what Item) bool {
	if !p.what.says(what) || p.since.IsZero() {
		p.what, p.since = what, now
	}
	switch since := now.Sub(p.last); {
	case p.last.IsZero():
		return now.Sub(p.since) >= settleTime
	case since < publishLeast:
		return false
	case since >= publishMost:
		return true
	case !p.what.says(p.said) || p.soon:
		return now.Sub(p.since) >= settleTime
	}
	return false
}

// Tried says that what Due was asked for last was published, or that nobody has taken it.
func (p *Publications) Tried(now time.Time, ok bool) {
	p.last, p.soon = now, !ok
	if ok {
		p.said = p.what
	}
}

// Renewals says when who has found an item has it kept again. Its zero value is ready.
type Renewals struct {
	of    Found
	since time.Time // it was found first, or was kept again
}

// Found takes in what a look-up has found. That it is there still says nothing of how long it will be.
func (r *Renewals) Found(now time.Time, f Found) {
	if r.since.IsZero() || f.record.seq > r.of.record.seq {
		r.of, r.since = f, now
	}
}

// Tried says that Due's was kept again, or that there is a newer one, or that it has failed.
func (r *Renewals) Tried(now time.Time, newest Found) {
	r.Found(now, newest)
	r.since = now
}

// Due returns what is to be kept again now, if anything is. wait is how much longer than others this one
// waits, so that not all come at once: who comes first saves the others the work only if they look before.
func (r *Renewals) Due(now time.Time, wait time.Duration) (Found, bool) {
	if r.since.IsZero() || now.Sub(r.since) < renewAfter+wait || r.of.Age(now) > renewFor {
		return Found{}, false
	}
	return r.of, true
}

// says reports whether an item says the same as another one: the source's own place counts, and those of nodes
// that come and go do not, nor when it was made.
func (it Item) says(o Item) bool {
	return it.Live == o.Live && it.Epoch == o.Epoch && it.Title == o.Title && slices.EqualFunc(it.own(), o.own(), func(a, b tree.Place) bool {
		return a.ID == b.ID && slices.Equal(a.Addrs, b.Addrs)
	})
}

func (it Item) own() []tree.Place { return it.Places[:min(len(it.Places), max(it.Own, 1))] }
