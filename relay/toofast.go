package relay

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/tree"
)

const (
	// rateWindow is the time over which a stream's bit rate is measured for Config.MaxRate, and
	// rateStrikes how many measurements in a row have to be above it: pictures with much in them
	// are no reason to drop a channel.
	rateWindow  = 10 * time.Second
	rateStrikes = 2
	// rateExcused is how many measurements in a row do not count because the node is catching up
	// with the source: all that a ring holds may come at once then, as fast as the line is.
	rateExcused = 6
	// TooFastFor is how long a channel that was dropped for its bit rate is not taken again.
	TooFastFor = 2 * time.Minute
	// maxTooFast bounds those that are remembered for that.
	maxTooFast = 1024
)

// TooFastError ends a channel whose stream is above Config.MaxRate.
type TooFastError struct{ Rate, Most int } // bit/s, as measured, and as may be

func (e *TooFastError) Error() string {
	return fmt.Sprintf("its stream of %d bit/s is above the %d that are taken here", e.Rate, e.Most)
}

// speedCheck measures the bit rate of what has come.
type speedCheck struct {
	at      time.Time
	bytes   uint64 // that had come then
	late    bool   // the node was behind the source then
	strikes int
	excused int
}

// look takes the bytes that have come by now into account, and how far the node is behind the source.
// It returns the stream's bit rate once that has been above most for too long, else 0.
func (s *speedCheck) look(now time.Time, bytes uint64, behind time.Duration, most int) int {
	took := now.Sub(s.at)
	if !s.at.IsZero() && took < rateWindow {
		return 0
	}
	bps := int(float64(bytes-s.bytes) * 8 / took.Seconds())
	switch {
	case s.at.IsZero():
	case s.late && s.excused < rateExcused:
		s.excused++
	case bps > most:
		s.strikes++
	default:
		s.strikes, s.excused = 0, 0
	}
	s.at, s.bytes, s.late = now, bytes, behind > caughtUp
	if s.strikes >= rateStrikes {
		return bps
	}
	return 0
}

// checkSpeed has the channel leave if its stream is above Config.MaxRate. It runs on the channel's
// goroutine.
func (c *Channel) checkSpeed(now time.Time) {
	most := c.node.cfg.MaxRate
	if most == 0 || c.writer != nil || c.tooFast != nil {
		return
	}
	came := c.ring.Stats().Bytes + c.intake.headers.Load()
	if bps := c.speed.look(now, came, c.behind, most); bps > 0 {
		c.tooFast = &TooFastError{bps, most}
		c.log.Info("stream is too fast", zap.Int("bit/s", bps), zap.Int("most", most))
		c.node.tooFast.add(now, c.id, c.pass.private)
		c.offers.turnAway(tree.ReasonTooFast)
		c.handle(tree.Leave{})
	}
}

// turnAway says why to all who wait, and takes no more.
func (o *offers) turnAway(why tree.Reason) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.kept {
		go func() { // ends with the deadline, or when the connection is closed
			_ = d.conn.SetDeadline(time.Now().Add(closeTime)) // the write fails if this does
			sayBye(d.conn, why)
			d.conn.NetConn().Close()
		}()
	}
	o.kept, o.closed = nil, true
}

// tooFast are the channels that were dropped for their bit rate of late.
type tooFast struct {
	mu      sync.Mutex
	until   map[stream.ChannelID]time.Time
	private map[stream.ChannelID]bool // those of until of which strangers are not told
}

func (f *tooFast) add(now time.Time, id stream.ChannelID, private bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until == nil {
		f.until, f.private = make(map[stream.ChannelID]time.Time), make(map[stream.ChannelID]bool)
	}
	for old, until := range f.until {
		if !now.Before(until) || len(f.until) >= maxTooFast {
			delete(f.until, old)
			delete(f.private, old)
		}
	}
	f.until[id] = now.Add(TooFastFor)
	f.private[id] = private
}

func (f *tooFast) has(now time.Time, id stream.ChannelID) (is, private bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.until[id]), f.private[id]
}
