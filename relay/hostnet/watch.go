package hostnet

import (
	"context"
	"time"
)

const (
	// lookEvery is how often the interfaces are looked at where the system does not tell
	// of changes.
	lookEvery = 2 * time.Second
	// lookAnyway is how often that is done where it does tell.
	lookAnyway = 10 * time.Second
	// LookLeast is the least time between two looks: a look at a machine with a hundred
	// interfaces takes tens of milliseconds.
	LookLeast = 50 * time.Millisecond
)

// Watch calls look at once, whenever the machine's interfaces, their addresses or the ways
// out may have changed, and from time to time, until ctx ends. Where the system does not
// tell of changes they are noticed within 2 s. Look may be called without a change: routers
// announce the same again and again. It is never called twice at the same time.
func Watch(ctx context.Context, look func()) {
	changed, every := Changes(ctx), lookAnyway
	if changed == nil {
		every = lookEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		look()
		select {
		case <-ctx.Done():
			return
		case <-time.After(LookLeast):
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
	}
}
