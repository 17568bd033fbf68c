//go:build race

package relaytest

// Raced says that the race detector is on, under which a sync.Pool forgets at random, and computing takes ten times as
// long. What a test leaves out there, `make allocs` does without it.
const Raced = true
