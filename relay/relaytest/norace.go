//go:build !race

package relaytest

// Raced says that the race detector is on.
const Raced = false
