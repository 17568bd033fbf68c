package playback

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"relay/playback/api"
	"relay/relay/archive"
	"relay/relay/stream"
)

// kept is what a node keeps of a channel on disk.
type kept struct {
	archive  *archive.Archive
	unsealer func() *stream.Unsealer // nil if the chunks are not sealed
}

// Keeps says that the channel is kept in an archive, so that viewers can begin before the newest
// pictures. unsealer, for a private channel, returns what opens its chunks; it is nil for another. Call
// it before the channel is shown.
func (c *Channel) Keeps(a *archive.Archive, unsealer func() *stream.Unsealer) {
	c.kept = &kept{a, unsealer}
}

// ErrSealed says that what was kept of a private channel cannot be opened with what is known of its secret.
var ErrSealed = errors.New("it is of a private channel, and does not open without the channel's secret")

// plain returns what opens chunks for one reader.
func (k *kept) plain() func(stream.Item) (stream.Item, error) {
	if k.unsealer == nil {
		return func(it stream.Item) (stream.Item, error) {
			if it.Header.Sealed() {
				return it, ErrSealed
			}
			return it, nil
		}
	}
	u := k.unsealer()
	var sealed, opened *stream.Header
	return func(it stream.Item) (_ stream.Item, err error) {
		if it.Header != sealed {
			if opened, err = u.Header(it.Header); err != nil {
				return it, fmt.Errorf("%w: %w", ErrSealed, err)
			}
			sealed = it.Header
		}
		it.Header = opened
		it.Chunk, err = u.Chunk(it.Chunk)
		return it, err
	}
}

// span says which part of the channel is kept, nil if none is.
func (k *kept) span() *api.Kept {
	if k == nil {
		return nil
	}
	st := k.archive.Stats()
	if st.From.IsZero() {
		return nil
	}
	return &api.Kept{FromMs: st.From.UnixMilli(), ToMs: st.To.UnixMilli(), Bytes: st.Bytes}
}

// errNotKept turns away who asks for what came before, where it was not kept.
const errNotKept = denial("This node keeps nothing of what has been: relay was started without --keep. Ask without ?at= for what comes now.")

// moment is a wish where to begin, as ?at= has it. The zero moment is the present.
type moment struct {
	ago   time.Duration // before the newest picture
	at    time.Time     // by the source's clock
	start bool          // with all that is kept
}

func (m moment) present() bool { return m == moment{} }

// parseMoment reads "", "live", "start", "-10m", "-1h30m", "1796001012" (Unix seconds) and times as in RFC 3339.
func parseMoment(s string) (moment, error) {
	switch strings.ToLower(s) {
	case "", "live", "now":
		return moment{}, nil
	case "start":
		return moment{start: true}, nil
	}
	if ago, ok := strings.CutPrefix(s, "-"); ok {
		d, err := time.ParseDuration(ago)
		if n, bad := strconv.ParseFloat(ago, 64); err != nil && bad == nil && n < math.MaxInt32 {
			d, err = time.Duration(n*float64(time.Second)), nil
		}
		if err == nil && d >= 0 {
			return moment{ago: d}, nil
		}
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && s[0] != '+' && n >= 0 && n < 1<<40 {
		return moment{at: time.UnixMilli(int64(n * 1000))}, nil
	}
	if t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1)); err == nil { // a + in a URL is a space
		return moment{at: t}, nil
	}
	return moment{}, denial(fmt.Sprintf("There is no at=%.40q: write at=-10m for ten minutes ago, at=start for all that is kept, or a time such as at=2026-11-30T20:15:00Z.", s))
}

// rewind returns what a viewer reads who begins at a moment, nil if that is the present after all. It has to be closed.
func (c *Channel) rewind(m moment) (*timeshift, error) {
	past, err := c.past(m)
	if past == nil || err != nil {
		return nil, err
	}
	return newTimeshift(c.kept, c.ring, past), nil
}

// past returns what is kept from a moment on, nil if that is the present after all: as nothing was kept yet, or the
// moment is still to come. It has to be closed.
func (c *Channel) past(m moment) (*archive.Reader, error) {
	switch {
	case m.present():
		return nil, nil
	case c.kept == nil:
		return nil, errNotKept
	}
	at, ok := c.momentOf(m)
	if !ok {
		return nil, nil
	}
	return c.kept.archive.At(at)
}

// momentOf returns when by the source's clock a moment is that is not the present, at the latest when the
// newest chunk was made that is kept. It reports false if none is, or the moment is still to come.
func (c *Channel) momentOf(m moment) (time.Time, bool) {
	st := c.kept.archive.Stats()
	at := m.at
	switch {
	case m.start:
		at = st.From
	case m.ago > 0:
		at = st.To.Add(-m.ago)
	}
	if at.Before(st.From) {
		at = st.From
	}
	return at, !st.From.IsZero() && !at.After(st.To) && !m.present()
}
