package remux

// audioSlack is how far an audio frame's timestamp may be from the end of the frame
// before it and still follow it, as 1/x of a second: FLV rounds to milliseconds, and
// encoders drift that much before they correct themselves.
const audioSlack = 25

// clock turns a track's timestamps, milliseconds in 32 bits that wrap, into times of
// any rate, which do not, and never go back.
type clock struct {
	begun bool
	in    uint32
	ms    int64
	next  int64 // the least time of the next frame
}

// unwrap is the time of ts, in milliseconds.
func (c *clock) unwrap(ts uint32) int64 {
	if !c.begun {
		c.begun, c.in, c.ms = true, ts, int64(ts)
		c.next = -1
	}
	c.ms += int64(int32(ts - c.in))
	c.in = ts
	return c.ms
}

// video returns the time of a picture.
func (c *clock) video(ts uint32) int64 {
	at := max(c.unwrap(ts)*videoRate/1000, c.next)
	c.next = at + 1
	return at
}

// audio returns the time of a frame that lasts for n at rate. Frames that follow each
// other are joined without a gap.
func (c *clock) audio(ts uint32, rate, n int64) int64 {
	at := c.unwrap(ts) * rate / 1000
	if d := at - c.next; c.next >= 0 && (d < rate/audioSlack && d > -rate/audioSlack || d < 0) {
		at = c.next
	}
	c.next = at + n
	return at
}
