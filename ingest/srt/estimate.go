package srt

import "time"

// roundTrip is how long it takes there and back, smoothed (draft-sharabayko-srt-01, 4.10).
type roundTrip struct{ mean, deviation time.Duration }

func newRoundTrip() roundTrip { return roundTrip{100 * time.Millisecond, 50 * time.Millisecond} }

func (r *roundTrip) add(d time.Duration) {
	off := r.mean - d
	r.deviation = (3*r.deviation + max(off, -off)) / 4
	r.mean = (7*r.mean + d) / 8
}

// reportEvery is how often what is missing is asked for again, in microseconds (4.8.2).
func (r *roundTrip) reportEvery() uint64 {
	return uint64(max((r.mean+4*r.deviation)/2, 20*time.Millisecond).Microseconds())
}

// acks are the acknowledgements whose answers tell how long the way is. What is not answered is
// forgotten.
type acks struct {
	number   uint32
	seq      uint32
	begun    bool
	at       time.Time     // of the newest
	answer   bool          // it was answered
	recently [64]time.Time // of each, by its number
}

// next returns the number of an acknowledgement up to seq, and whether it is to be sent now.
func (a *acks) next(seq uint32, now time.Time, rtt time.Duration) (uint32, bool) {
	if a.begun && seq == a.seq && (a.answer || now.Sub(a.at) < max(rtt, 20*time.Millisecond)) {
		return 0, false
	}
	if a.number++; a.number == 0 {
		a.number++
	}
	a.begun, a.seq, a.at, a.answer = true, seq, now, false
	a.recently[a.number%uint32(len(a.recently))] = now
	return a.number, true
}

// answered notes an answer, and returns how long it took.
func (a *acks) answered(number uint32, now time.Time) (time.Duration, bool) {
	if number == 0 || number > a.number || a.number-number >= uint32(len(a.recently)) {
		return 0, false
	}
	if number == a.number {
		a.answer = true
	}
	at := &a.recently[number%uint32(len(a.recently))]
	if at.IsZero() {
		return 0, false
	}
	d := now.Sub(*at)
	*at = time.Time{}
	return d, true
}

// reports bounds how many reports of losses are looked at.
type reports struct {
	since time.Time
	n     int
}

const (
	// maxReports is how many are looked at in reportTime: one each 20 ms is what the protocol has, and one
	// for each gap.
	maxReports = 20
	reportTime = 100 * time.Millisecond
)

func (r *reports) allow(now time.Time) bool {
	if now.Sub(r.since) >= reportTime {
		r.since, r.n = now, 0
	}
	r.n++
	return r.n <= maxReports
}
