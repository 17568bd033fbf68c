package playback

import "relay/ingest/flv"

// squash lets a reader who starts at a picture of the past begin at the present: the
// pictures it needs to catch up come 1 ms apart and end at the newest one's timestamp,
// so that a player shows them at once instead of playing them out and staying behind
// for ever. They are shown in the order in which they are decoded, and without sound,
// which could not be hurried.
//
// Only the starts of the tags are this reader's own bytes; the rest is shared.
type squash struct {
	on    bool
	tags  []squashed
	shown int // pictures among tags
}

type squashed struct {
	head    []byte // the start of the tag, this reader's own
	picture bool
}

// begin has the tags from the next one on squashed, up to end.
func (s *squash) begin() { *s = squash{on: true} }

// add takes the start of a tag, stamped as if it were not squashed.
func (s *squash) add(head []byte, picture bool) {
	s.tags = append(s.tags, squashed{head, picture})
	if !picture {
		return
	}
	s.shown++
	body := head[flv.TagHeaderLen:]
	if f, ok := flv.FramingOf(body); ok {
		f.ClearOffset(body)
	}
}

// end stamps the tags: the last picture keeps its time, none is before the first one's.
// Without a begin before it does nothing.
func (s *squash) end() {
	if !s.on {
		return
	}
	var first, last uint32
	for i, begun := 0, false; i < len(s.tags); i++ {
		if t := s.tags[i]; t.picture {
			last = flv.Timestamp(t.head)
			if !begun {
				first, begun = last, true
			}
		}
	}
	ts := last - uint32(max(s.shown-1, 0))
	for _, t := range s.tags {
		if s.shown > 0 {
			at := ts
			if int32(at-first) < 0 {
				at = first
			}
			flv.PutTimestamp(t.head, at)
		}
		if t.picture {
			ts++
		}
	}
	*s = squash{}
}
