package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"relay/tree"
)

// Bytes wake the channel's goroutine when it has waited for them, and only then.
func TestBytesWakeWhoHasWaitedForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan tree.Event, 10)
		p := pulse{link: 1, started: time.Now()}
		step := func(after time.Duration, woken int) {
			t.Helper()
			time.Sleep(after)
			p.beat(events)
			if len(events) != woken {
				t.Fatalf("%d events, want %d", len(events), woken)
			}
			for len(events) > 0 {
				<-events
			}
		}
		look := func(want time.Duration) {
			t.Helper()
			at, ok := p.heard(time.Now())
			if ok != (want >= 0) || ok && time.Since(at) != want {
				t.Fatalf("%v ago, %v; want %v", time.Since(at), ok, want)
			}
		}
		step(time.Second, 0) // nobody has looked
		time.Sleep(awaitAfter)
		look(awaitAfter)
		look(-1) // told, and silent for long
		step(time.Millisecond, 1)
		step(heardEvery-1, 0) // too soon after that
		step(1, 1)
		look(0)
		step(awaitAfter, 0)
		look(0)
		step(time.Millisecond, 0)
		time.Sleep(time.Millisecond)
		look(time.Millisecond)
		time.Sleep(awaitAfter - 2*time.Millisecond)
		look(-1)
		step(time.Millisecond, 0) // not silent for long enough yet
	})
}
