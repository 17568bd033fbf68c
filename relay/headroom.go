package relay

import (
	"slices"
	"time"
)

const (
	// UploadShare is the part of the upload that chunks may fill; the rest is for
	// headers of every layer, control, and the bit rate's ups and downs.
	UploadShare = 0.9
	// farStart is how many far children a node takes before it knows its upload:
	// three streams of 3 Mb/s are what a home's 10 Mb/s upload carries. Less would
	// make every crowd wait for the first to prove themselves.
	farStart = 3
	// growAfter is how long every far link must have kept up, with no far slot free,
	// before there is one more. A new child that catches up and TCP's own search for
	// the rate of its path are over by then.
	growAfter = 5 * time.Second
	// keptUp is the most that a chunk may wait on a link that keeps up: a large
	// keyframe takes as long on a link twice as fast as its stream.
	keptUp = 200 * time.Millisecond
	// A link that keeps up has been owed nothing within the last idleWithin. One that lacks a
	// few per cent of the rate falls behind slowly, but is never idle.
	idleWithin = time.Second
	// fallsBehind is how long a chunk waits on a link that does not keep up: well
	// below the second in which children notice themselves.
	fallsBehind = 500 * time.Millisecond
	// takenWindow is the time over which the rate of the far links is averaged. The average
	// is used when they are behind. They take a steady rate then, so a short time is enough,
	// and there is little in it of the time before.
	takenWindow = time.Second
	// After the far links fell behind, there is no further shrinking for shrinkSettles: they
	// may still be behind for the same reason. The children that leave have left by then.
	shrinkSettles = 5 * time.Second
	// After the far links fell behind, there is no growth for growHold: the backlogs of the
	// children that stay are gone by then.
	growHold = 30 * time.Second
	// A number of far children that was too many is tried again after probeFirst. If it still
	// is, it is tried after twice as long as before, up to probeMost. Uploads change when
	// others in the house come and go, but each probe costs a child a second.
	probeFirst = 5 * time.Minute
	probeMost  = time.Hour
	// catchUpLoad is how long a new child's backlog says nothing: it is what the
	// child begins with.
	catchUpLoad = 5 * time.Second
	// blameAfter is how many far children in a row must have fallen behind, each while it
	// was the only one, before this node takes the fault for its own. Then there is no
	// far slot at all until the next probe.
	blameAfter = 2
)

// childLoad is one child's link at one moment.
type childLoad struct {
	Link    uint64        // tells it from others
	Near    bool          // in one of this machine's own subnets
	Age     time.Duration // since it pulled
	Caught  bool          // it has had everything at least once
	Backlog time.Duration // how long the oldest chunk that it was not sent has waited
	Busy    time.Duration // since it was last owed nothing
	Sent    uint64        // bytes of the stream so far
}

// headroom finds how many children this node can carry. Children in its own subnets are
// bounded by Slots alone. Far ones share an upload, which the user states or which is
// found: while they keep up there is room for more, and when they fall behind together
// the upload is full. If one falls behind alone, its own line is narrow, which says
// nothing about the upload.
type headroom struct {
	Slots  int // most children in all; static
	Upload int // bit/s for far children: this channel's share of it; 0 if it is to be found

	far     int       // found so far
	keeping time.Time // since when all far links have kept up with no far slot free
	settled time.Time // no shrinking before this
	hold    time.Time // no growth before this
	ceiling int       // that many were too many; 0 if no number was
	probeAt time.Time // when that may be tried again
	probes  int       // times that it was too many
	single  []uint64  // far children that fell behind while they were the only one, in a row

	taken []taken // what the far links took, the oldest first
	sent  map[uint64]uint64
}

// taken is what far links took in one interval.
type taken struct {
	at    time.Time
	bytes uint64
}

// newHeadroom returns the headroom of a node with no children yet.
func newHeadroom(slots, upload int) *headroom {
	return &headroom{Slots: slots, Upload: upload, far: min(slots, farStart), sent: make(map[uint64]uint64)}
}

// measure takes the children's links at now into account and returns the most far
// children to have. rate is the stream's, bit/s, 0 if it is not known yet.
func (h *headroom) measure(now time.Time, rate int, children []childLoad) int {
	if h.Upload > 0 {
		if rate > 0 {
			return min(h.Slots, int(float64(h.Upload)*UploadShare/float64(rate)))
		}
		return h.Slots
	}
	h.count(now, children)
	var far, kept int
	var behind []uint64
	for _, c := range children {
		if c.Near {
			continue
		}
		far++
		switch {
		case c.Caught && c.Backlog <= keptUp && c.Busy <= idleWithin:
			kept++
			if c.Age >= growAfter {
				h.single = h.single[:0] // this node can carry one
			}
		case c.Backlog > fallsBehind && (c.Caught || c.Age >= catchUpLoad):
			behind = append(behind, c.Link)
		}
	}
	switch {
	case len(behind) >= 2 && 2*len(behind) >= far:
		h.shrink(now, rate, far)
	case far == 1 && len(behind) == 1:
		h.singleBehind(now, behind[0])
	}
	h.grow(now, far, kept)
	return h.far
}

// count keeps the record of what the far links took.
func (h *headroom) count(now time.Time, children []childLoad) {
	var bytes uint64
	sent := make(map[uint64]uint64, len(children))
	for _, c := range children {
		if !c.Near {
			bytes += c.Sent - min(h.sent[c.Link], c.Sent)
			sent[c.Link] = c.Sent
		}
	}
	h.sent = sent
	h.taken = append(h.taken, taken{now, bytes})
	h.taken = slices.DeleteFunc(h.taken, func(t taken) bool { return now.Sub(t.at) > takenWindow })
}

// uploadSeen is what the far links have taken of late, bit/s.
func (h *headroom) uploadSeen() float64 {
	n := len(h.taken)
	if n < 2 {
		return 0
	}
	var bytes uint64
	for _, t := range h.taken[1:] { // the first one's bytes are of the time before it
		bytes += t.bytes
	}
	return float64(bytes) * 8 / h.taken[n-1].at.Sub(h.taken[0].at).Seconds()
}

// shrink takes the upload for full: n far children are too many for it.
func (h *headroom) shrink(now time.Time, rate, n int) {
	if now.Before(h.settled) {
		return
	}
	fit, most := n-1, n-1
	if rate > 0 {
		streams := h.uploadSeen() / float64(rate)
		fit, most = min(fit, int(streams*UploadShare)), min(most, int(streams))
	}
	h.far = min(h.far, max(1, fit))
	// If there are only a few too many, they fall behind slowly, and by then there may be
	// more than that. What has gone through tells how many the upload carries.
	h.bar(now, max(h.far, most)+1)
}

// singleBehind takes note of a child that falls behind while it is the only far one.
func (h *headroom) singleBehind(now time.Time, link uint64) {
	h.keeping = time.Time{}
	if !slices.Contains(h.single, link) {
		h.single = append(h.single, link)
	}
	if len(h.single) >= blameAfter && h.far > 0 {
		h.far = 0
		h.bar(now, 1)
	}
}

// bar remembers that n far children were too many.
func (h *headroom) bar(now time.Time, n int) {
	if !now.Before(h.hold) { // else it is the same event still
		h.probes++
	}
	h.ceiling = n
	h.probeAt = now.Add(min(probeFirst<<min(max(0, h.probes-1), 10), probeMost))
	h.settled, h.hold = now.Add(shrinkSettles), now.Add(growHold)
	h.keeping = time.Time{}
}

// grow adds a far slot when all have been taken for a while by links that keep up,
// or when there is none at all and it is time to try again.
func (h *headroom) grow(now time.Time, far, kept int) {
	full := far >= h.far && kept == far
	barred := h.ceiling > 0 && h.far+1 >= h.ceiling && now.Before(h.probeAt)
	switch {
	case !full || barred || h.far >= h.Slots || now.Before(h.hold):
		h.keeping = time.Time{}
	case h.keeping.IsZero():
		h.keeping = now
	case now.Sub(h.keeping) >= growAfter:
		h.far++
		h.keeping = time.Time{}
		if h.far > h.ceiling {
			h.ceiling, h.probes = 0, 0 // that many were no longer too many
		}
	}
}
