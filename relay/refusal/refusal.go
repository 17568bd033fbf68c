// Package refusal counts what strangers asked for and did not get, by reason. The rooms that
// refuse name their own reasons; a node puts them together.
package refusal

import (
	"maps"
	"sync"
)

// Reason is why something was refused: lower case words with underscores between, as a label
// of a metric has them.
type Reason string

// Counts counts refusals. Its zero value is ready, and a nil one counts nothing. It is safe for
// concurrent use. The reasons are the program's own, so that their number is bounded.
type Counts struct {
	mu sync.Mutex
	of map[Reason]uint64
}

// Add counts one refusal.
func (c *Counts) Add(why Reason) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[Reason]uint64)
	}
	c.of[why]++
}

// All returns the counts of those reasons for which something was refused, and of those that are
// shown in any case.
func (c *Counts) All(shown ...Reason) map[Reason]uint64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := maps.Clone(c.of)
	if all == nil && len(shown) > 0 {
		all = make(map[Reason]uint64, len(shown))
	}
	for _, why := range shown {
		all[why] += 0
	}
	return all
}

// Labels returns counts by their labels, as JSON and metrics have them.
func Labels(counts map[Reason]uint64) map[string]uint64 {
	if counts == nil {
		return nil
	}
	all := make(map[string]uint64, len(counts))
	for why, n := range counts {
		all[string(why)] = n
	}
	return all
}
