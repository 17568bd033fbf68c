package stream

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Epoch is one run of a channel's source. A later epoch replaces an earlier one.
// Its zero value is no epoch.
type Epoch struct {
	Ms   uint64 // when the run began, Unix milliseconds
	Rand uint64 // tells apart two runs of the same millisecond
}

// MaxEpochAhead is how far an epoch may lie in a node's future: more than any
// reasonable clock error, less than would lock a channel out for long.
const MaxEpochAhead = 5 * time.Minute

// ErrClock is what [Epoch.Check] wraps for an epoch from the future.
var ErrClock = errors.New("the source's clock and this machine's differ")

// NextEpoch returns the epoch of a run that starts at now, after the stored one:
// later than it even when the clock was set back since.
func NextEpoch(stored Epoch, now time.Time, rand uint64) Epoch {
	return Epoch{Ms: max(stored.Ms+1, uint64(now.UnixMilli())), Rand: rand}
}

// Compare returns -1, 0 or +1 as e is before, equal to or after f.
func (e Epoch) Compare(f Epoch) int {
	return cmp.Or(cmp.Compare(e.Ms, f.Ms), cmp.Compare(e.Rand, f.Rand))
}

// IsZero reports whether e is no epoch.
func (e Epoch) IsZero() bool { return e == Epoch{} }

// String returns the epoch as ms-rand, in decimal and hexadecimal.
func (e Epoch) String() string { return fmt.Sprintf("%d-%016x", e.Ms, e.Rand) }

// Check refuses an epoch that begins more than [MaxEpochAhead] after now.
func (e Epoch) Check(now time.Time) error {
	// In unsigned milliseconds: as a duration, an epoch millions of years ahead
	// would overflow and pass.
	latest := uint64(now.Add(MaxEpochAhead).UnixMilli())
	if e.Ms > latest {
		return fmt.Errorf("%w: the stream says that it began later than %v from now; set the clocks of both machines", ErrClock, MaxEpochAhead)
	}
	return nil
}
