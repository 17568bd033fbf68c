package lean

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"
)

// calm is how often it is looked whether there is somebody, and so how long all processors are used at least
// once something has happened. To change their number stops all goroutines for some tens of microseconds.
const calm = 5 * time.Second

// Threads has Go run on one processor while nobody takes anything from this process, unless the user has decided by
// GOMAXPROCS. Otherwise the runtime wakes a second thread whenever something is to do, which finds that the first has
// done it.
//
// busy reports whether there is somebody. news returns what is closed when somebody may have come since it was called:
// all processors are used again at once. Threads returns when ctx ends.
func Threads(ctx context.Context, news func() <-chan struct{}, busy func() bool) {
	if os.Getenv("GOMAXPROCS") == "" {
		process.run(ctx, news, busy)
	}
}

var process = threads{one: func() { runtime.GOMAXPROCS(1) }, all: runtime.SetDefaultGOMAXPROCS}

// threads sets how many processors Go runs on, for all nodes in a process.
type threads struct {
	one, all func()

	mu   sync.Mutex
	busy int // nodes that want all, of those that have begun
}

// run looks after one node. When it ends, the node counts as busy: it has last words to say.
func (t *threads) run(ctx context.Context, news func() <-chan struct{}, busy func() bool) {
	t.want(1)
	tick := time.NewTicker(calm)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		came := news() // ahead of the look, so that nobody comes in between
		if busy() {
			continue
		}
		tick.Stop() // it would wake the process
		t.want(-1)
		select {
		case <-came:
		case <-ctx.Done():
		}
		t.want(1)
		tick.Reset(calm)
	}
}

// want notes that one node more or less wants all processors.
func (t *threads) want(more int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.busy += more; {
	case t.busy == 0:
		t.one()
	case t.busy == 1 && more > 0:
		t.all()
	}
}
