//go:build e2e && linux

package netns

import "time"

// tick is how often the watchdog looks at the clock.
const tick = 5 * time.Millisecond

// watchdog measures the longest time that this process is held up until the caller calls the
// returned function. A long one shows that the machine is busy with something else, and then
// other measurements say little about relay.
func watchdog() (stalled func() time.Duration) {
	quit, most := make(chan struct{}), make(chan time.Duration)
	go func() { // ends with stalled
		var worst time.Duration
		t := time.NewTicker(tick)
		defer t.Stop()
		for last := time.Now(); ; {
			select {
			case <-quit:
				most <- worst
				return
			case <-t.C:
			}
			now := time.Now()
			worst = max(worst, now.Sub(last)-tick)
			last = now
		}
	}()
	return func() time.Duration {
		close(quit)
		return <-most
	}
}
