package ingest

import (
	"context"
	"time"

	"relay/ingest/flv"
)

// maxLate is how far a paced input may fall behind its own clock before it takes
// the present for the new start, instead of catching up in a burst. A machine that
// slept is later than that.
const maxLate = time.Second

// pacer holds tags back until their time has come. Its zero value is ready; it
// belongs to one goroutine.
type pacer struct {
	timeline flv.Timeline
	begun    bool
	start    time.Time // when the tag stamped first was due
	first    uint32
}

// wait returns when t is due, or with ctx's cause.
func (p *pacer) wait(ctx context.Context, t flv.Tag) error {
	if !steers(t, flv.Classify(t)) {
		return context.Cause(ctx)
	}
	ts, now := p.timeline.Map(t.Timestamp()), time.Now()
	due := p.start.Add(time.Duration(int32(ts-p.first)) * time.Millisecond)
	if !p.begun || now.Sub(due) > maxLate {
		p.begun, p.start, p.first = true, now, ts
		return context.Cause(ctx)
	}
	if int32(ts-p.first) > rebase {
		p.start, p.first = due, ts
	}
	return sleep(ctx, due.Sub(now))
}

// rebase is how far timestamps get from the pacer's start before it moves on, in
// milliseconds: well below the 24 days at which their order turns.
const rebase = 1 << 30

// sleep waits for d, or until ctx ends, and then returns its cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
