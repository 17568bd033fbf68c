package cli

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/relay"
)

// The timeout runs only while there is no parent, counted from the loss of the last one.
func TestTimeoutIsWithoutAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{joining: words.NewJoining(time.Now())}
		ended := make(chan error, 1)
		began := time.Now()
		go func() { ended <- w.giveUp(t.Context(), 10*time.Second) }() // ends with what it returns, or the test
		time.Sleep(9 * time.Second)
		w.joining.Note(relay.Attached{}, time.Now())
		time.Sleep(time.Hour)
		lost := time.Now()
		w.joining.Note(relay.Orphaned{}, lost)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("after %v: %v", time.Since(began), err)
		default:
		}
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
