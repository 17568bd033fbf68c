package portmap

import "time"

// epoch follows the clock that a router tells in each answer: seconds since it began to
// keep mappings. Its zero value has seen nothing.
type epoch struct {
	value uint32
	at    time.Time
}

// lost takes over a value that was told at now, and reports whether the router has lost
// its mappings since the one before: its clock went back, or went much slower or faster
// than ours (RFC 6887 §8.5). A laptop that slept takes the latter for a loss, which costs
// one request.
func (e *epoch) lost(now time.Time, value uint32) bool {
	was := *e
	*e = epoch{value, now}
	if was.at.IsZero() {
		return false
	}
	if value+1 < was.value {
		return true
	}
	ours := int64(now.Sub(was.at) / time.Second)
	theirs := int64(value) - int64(was.value)
	return ours+2 < theirs-theirs/16 || theirs+2 < ours-ours/16
}

// youngest is how long a router's clock must have run for a restart to show: what it lost of less
// passes for a clock that is slower than ours, in the minute between two checks.
const youngest = 8 // seconds

// young reports whether a restart right after the newest value would not show.
func (e *epoch) young() bool { return !e.at.IsZero() && e.value < youngest }
