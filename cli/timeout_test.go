package cli

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"relay/cli/fault"
	"relay/relay"
	"relay/tree"
)

func TestGivingUpTellsNobodyThereFromRefused(t *testing.T) {
	failed := relay.DialFailed{Err: errors.New("connection refused")}
	refused := func(r tree.Reason) relay.Notice { return relay.Refused{Reason: r} }
	full, absent, orphan := refused(tree.ReasonFull), refused(tree.ReasonChannel), refused(tree.ReasonOrphan)
	for name, c := range map[string]struct {
		notices []relay.Notice
		want    int
	}{
		"nothing heard":       {nil, fault.ExitNobody},
		"dead":                {[]relay.Notice{failed}, fault.ExitNobody},
		"full":                {[]relay.Notice{full, full}, fault.ExitRefused},
		"full and dead":       {[]relay.Notice{full, failed}, fault.ExitNobody},
		"no such channel":     {[]relay.Notice{absent}, fault.ExitNobody},
		"without a source":    {[]relay.Notice{orphan}, fault.ExitNobody},
		"lost, then full":     {[]relay.Notice{failed, relay.Orphaned{}, full}, fault.ExitRefused},
		"attached, then dead": {[]relay.Notice{full, relay.Attached{}, failed}, fault.ExitNobody},
		"another version":     {[]relay.Notice{refused(tree.ReasonVersion)}, fault.ExitRefused},
	} {
		var s search
		for _, n := range c.notices {
			s.note(n)
		}
		if got := s.outcome(); got != c.want {
			t.Errorf("%s: exit %d, want %d", name, got, c.want)
		}
	}
}

// The time runs only while there is no parent, and from when the last one was lost.
func TestTimeoutIsWithoutAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{since: time.Now()}
		set := func(attached bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.attached, w.since = attached, time.Now()
		}
		ended := make(chan error, 1)
		began := time.Now()
		go func() { ended <- w.giveUp(t.Context(), 10*time.Second) }() // ends with what it returns, or the test
		time.Sleep(9 * time.Second)
		set(true)
		time.Sleep(time.Hour)
		set(false)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("after %v: %v", time.Since(began), err)
		default:
		}
		lost := w.since
		err := <-ended
		// A look is taken at most once in the time itself.
		if d := time.Since(lost); d < 10*time.Second || d > 20*time.Second {
			t.Errorf("it gives up after %v", d)
		}
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.ExitNobody || f.Hint == "" {
			t.Errorf("%#v", err)
		}
	})
}
