package words

import (
	"strings"
	"testing"
	"time"

	"relay/relay/stream"
)

// A clock that was ahead once would keep all viewers out afterwards, and the source would look as if it were live.
func TestASourceWhoseRunBeginsInTheFutureIsTold(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	run := func(ahead time.Duration) stream.Epoch {
		return stream.NextEpoch(stream.Epoch{Ms: uint64(now.Add(ahead).UnixMilli())}, now, 1)
	}
	for _, ahead := range []time.Duration{-time.Hour, 0, stream.MaxEpochAhead - time.Second} {
		if w, is := BegunAhead(run(ahead), now); is {
			t.Errorf("%v ahead: %+v", ahead, w)
		}
	}
	w, is := BegunAhead(run(time.Hour), now)
	if !is || !strings.Contains(w.Text, "started last at 2026-07-01 13:00:00, and this machine's clock says 2026-07-01 12:00:00") {
		t.Errorf("an hour ahead: %+v", w)
	}
}
