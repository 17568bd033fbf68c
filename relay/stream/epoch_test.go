package stream

import (
	"errors"
	"testing"
	"time"
)

func TestNextEpochIsLaterWhateverTheClockSays(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	for _, stored := range []Epoch{{}, {Ms: 999_999, Rand: ^uint64(0)}, {Ms: 1_000_000}, {Ms: 2_000_000, Rand: 5}} {
		next := NextEpoch(stored, now, 0)
		if next.Compare(stored) <= 0 || stored.Compare(next) >= 0 || next.Ms < uint64(now.UnixMilli()) {
			t.Errorf("%v follows %v", next, stored)
		}
	}
}

func TestEpochFromTheFutureIsRefused(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	at := func(d time.Duration) Epoch { return Epoch{Ms: uint64(now.Add(d).UnixMilli())} }
	for name, tc := range map[string]struct {
		epoch Epoch
		err   error
	}{
		"past":           {at(-24 * time.Hour), nil},
		"now":            {at(0), nil},
		"just allowed":   {at(MaxEpochAhead), nil},
		"just too far":   {at(MaxEpochAhead + time.Millisecond), ErrClock},
		"end of time":    {Epoch{Ms: ^uint64(0)}, ErrClock},
		"largest signed": {Epoch{Ms: 1<<63 - 1}, ErrClock},
		"overflows":      {Epoch{Ms: 1 << 62}, ErrClock},
	} {
		if err := tc.epoch.Check(now); !errors.Is(err, tc.err) {
			t.Errorf("%s: error %v, want %v", name, err, tc.err)
		}
	}
}
