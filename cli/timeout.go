package cli

import (
	"context"
	"fmt"
	"time"

	"relay/cli/fault"
	"relay/relay"
	"relay/tree"
)

// search is how the search for a parent has gone so far.
type search struct {
	silent  int // places that could not be reached, or that have no stream themselves
	refused int // nodes of the channel that turned this one down
}

// note takes in what the channel says.
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

// outcome is the exit code of a search that is given up.
func (s search) outcome() int {
	if s.refused > 0 && s.silent == 0 {
		return fault.ExitRefused
	}
	return fault.ExitNobody
}

// giveUp returns an error once there has been no parent for so long.
func (w *watch) giveUp(ctx context.Context, after time.Duration) error {
	wait := time.NewTimer(after)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		left, err := w.patience(after)
		if err != nil {
			return err
		}
		wait.Reset(left)
	}
}

// patience is how long to wait before the next look, or the error if it has run out.
func (w *watch) patience(after time.Duration) (time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.attached {
		return after, nil
	}
	if left := after - time.Since(w.since); left > 0 {
		return left, nil
	}
	why := w.why
	if why == "" {
		why = "nobody has answered"
	}
	hint := "is relay source running, and can this machine reach it? Without --timeout relay keeps trying"
	if w.search.outcome() == fault.ExitRefused {
		hint = "try again when others have left, or ask the broadcaster for more upload; without --timeout relay keeps trying"
	}
	return 0, &fault.Error{Err: fmt.Errorf("no connection within %v: %s", after, why), Hint: hint, Code: w.search.outcome()}
}
