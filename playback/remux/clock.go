package remux

// audioSlack is how far an audio frame's timestamp may be from the end of the frame
// before it and still follow it, as 1/x of a second: FLV rounds to milliseconds, and
// encoders drift that much before they correct themselves.
const audioSlack = 25

// wrap turns timestamps, milliseconds in 32 bits that wrap, into some that do not. All of a
// stream's go through the same one, so that a track that begins after weeks is in time with the
// other.
type wrap struct {
	begun bool
	in    uint32
	ms    int64
}

// at is the time of ts, in milliseconds.
func (w *wrap) at(ts uint32) int64 {
	if !w.begun {
		*w = wrap{true, ts, int64(ts)}
	}
	w.ms += int64(int32(ts - w.in))
	w.in = ts
	return max(w.ms, 0)
}

// clock turns a track's times, in milliseconds, into those of any rate, which never go back. The
// zero clock is ready.
type clock struct{ next int64 } // the least time of the next frame; after audio its end

// video returns the time of a picture.
func (c *clock) video(ms int64) int64 {
	at := max(ms*videoRate/1000, c.next)
	c.next = at + 1
	return at
}

// audio returns the time of a frame that lasts for n at rate. Frames that follow each
// other are joined without a gap.
func (c *clock) audio(ms int64, rate, n int64) int64 {
	at := ms * rate / 1000
	if d := at - c.next; d < 0 || c.next > 0 && d < rate/audioSlack {
		at = c.next
	}
	c.next = at + n
	return at
}
