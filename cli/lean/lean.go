package lean

import (
	"os"
	"sync"
	"time"
)

// Collect has garbage collected every few seconds, for as long as the process lives, unless the user has
// decided by GOGC how often. Only the first call does anything.
func Collect() { collect() }

var collect = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" {
		newCollector(time.Now()).watch()
	}
})
