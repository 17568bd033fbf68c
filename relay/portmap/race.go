package portmap

import (
	"context"
	"time"
)

// candidate is one method with what a person calls it.
type candidate struct {
	protocol Protocol
	method
}

// attempt is how a candidate did.
type attempt struct {
	candidate
	err error
}

// race probes all candidates at once and has the best of those that answer open the port.
// They stand in order of preference: one that answers waits for better ones, grace at most.
// One that answers and then refuses makes room for the next. Nothing is opened twice, as
// protocols share the router's table: removing one's mapping would remove the other's.
//
// It returns the winner and what it got, or what became of each candidate.
func race(ctx context.Context, all []candidate, grace time.Duration) (candidate, grant, []attempt) {
	ctx, cancel := context.WithCancel(ctx)
	type answer struct {
		at  int
		err error
	}
	answers := make(chan answer, len(all))
	pending := len(all)
	for i, c := range all { // ends with its probe, which ctx ends at the latest
		go func() { answers <- answer{i, c.probe(ctx)} }()
	}
	// A method's calls must not overlap: no probe outlives the race.
	defer func() {
		cancel()
		for range pending {
			<-answers
		}
	}()

	const (
		asked = iota
		ready
		failed
	)
	states := make([]int, len(all))
	attempts := make([]attempt, len(all))
	for i, c := range all {
		attempts[i].candidate = c
	}
	var wait <-chan time.Time // of the first that answered; nil before
	over := false
	for {
		best := -1 // the first that is ready and that no better one can still come before
		for i, s := range states {
			if s == ready {
				best = i
				break
			}
			if s == asked && !over {
				break
			}
		}
		if best >= 0 {
			g, err := all[best].open(ctx)
			if err == nil {
				return all[best], g, nil
			}
			states[best], attempts[best].err = failed, err
			continue
		}
		if pending == 0 {
			return candidate{}, grant{}, attempts
		}
		select {
		case a := <-answers:
			pending--
			if a.err != nil {
				states[a.at], attempts[a.at].err = failed, a.err
				continue
			}
			states[a.at] = ready
			if wait == nil {
				wait = time.After(grace)
			}
		case <-wait:
			over = true
		}
	}
}
