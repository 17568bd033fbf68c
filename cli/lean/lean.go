package lean

import (
	"context"
	"os"
	"sync"
	"time"
)

// settled is how long a node takes until it does what it does from then on.
const settled = time.Minute

var collecting = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" { // else the user has decided
		newCollector(time.Now()).watch()
	}
})

// Run has garbage collected every few seconds, for as long as the process lives, and gives the pages of
// the program's file back once, when it has begun. It ends when that is done, or with ctx.
func Run(ctx context.Context) {
	collecting()
	select {
	case <-time.After(settled):
		givePagesBack()
	case <-ctx.Done():
	}
}
