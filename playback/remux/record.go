package remux

// Bounds of what is recorded for readers who come later. What goes beyond them is not recorded:
// such a reader then begins at the next place to start.
const (
	// maxRecorded is in bytes of frames, which are the container's own: 15 s at 12 Mb/s.
	maxRecorded = 24 << 20
	// maxRecordedPictures are 17 s of 240 Hz; each costs a reader who comes some 200 bytes.
	maxRecordedPictures = 4096
)

// squashStep is how far apart squashed pictures are, in [videoRate]: a millisecond.
const squashStep = videoRate / 1000

// record is the pictures since the newest place to start, as the container has them, for readers
// who join. Nothing in it is copied. Its zero value records nothing until begin.
type record struct {
	on       bool
	size     int // bytes of pictures
	pictures []recorded
}

// recorded is one picture.
type recorded struct {
	at    int64 // its time, in videoRate
	lasts int64 // likewise, as far as it can be guessed
	key   bool
	data  [][]byte
}

// begin forgets what there is and records from the next place to start on.
func (r *record) begin() { *r = record{on: true} }

// clear forgets what there is: it cannot be played in front of what comes next.
func (r *record) clear() { *r = record{on: r.on} }

// add records a picture. It reports false if it does not.
func (r *record) add(p recorded) bool {
	if !r.on || len(r.pictures) == 0 && !p.key {
		return false
	}
	if r.size += sizeOf(p.data); r.size > maxRecorded || len(r.pictures) == maxRecordedPictures {
		*r = record{}
		return false
	}
	r.pictures = append(r.pictures, p)
	return true
}

// squashed is the time of the i-th picture for a reader who joins, in videoRate. It follows
// [flv.Squashed], but where there are more pictures than milliseconds: no two have the same time.
func (r *record) squashed(i int) int64 {
	last := len(r.pictures) - 1
	return max(r.pictures[0].at+int64(i), r.pictures[last].at-int64(last-i)*squashStep)
}
