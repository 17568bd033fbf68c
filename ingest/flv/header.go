package flv

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/nareix/joy4/format/flv/flvio"
)

const (
	// MaxHeader bounds a header's payload, in bytes.
	MaxHeader = 256 << 10
	// maxSlots is how many configurations a header holds: a dozen tracks and
	// metadata, with room.
	maxSlots = 16
	// maxSlot is the longest configuration a header takes, in bytes of body. Real
	// ones have some hundred.
	maxSlot = MaxScript
	// settleAfter is how long, in milliseconds of stream time, a stream without
	// metadata may take to show that it has video as well as audio.
	settleAfter = 1000
)

// Header collects what a late joiner needs before the first frame: a file header,
// onMetaData and the decoder configurations in force. Its zero value is ready. It
// belongs to one goroutine.
type Header struct {
	configs []config
	hints   Metadata
	hinted  bool

	video, audio bool // kinds of tags seen
	begun        bool
	first        uint32 // timestamp of the first frame, once begun
	settled      bool   // long enough to go by what was seen
}

type config struct {
	slot Slot
	tag  Tag
}

// Add looks at the next tag of the stream, which it leaves as it is, and reports
// whether it has changed [Header.Payload].
func (h *Header) Add(t Tag, k Kind) bool {
	before := h.flags()
	h.see(t, k)
	changed := false
	if k.Config {
		changed = h.set(k.Slot, t)
		if t.Type() == Script {
			h.hints, h.hinted = ParseMetadata(t.Body())
			h.hinted = h.hinted && (h.hints.HasVideo || h.hints.HasAudio)
		}
	}
	return changed || h.flags() != before
}

func (h *Header) see(t Tag, k Kind) {
	if t.Type() != Video && t.Type() != Audio {
		return
	}
	h.video = h.video || t.Type() == Video
	h.audio = h.audio || t.Type() == Audio
	switch {
	case k.Config: // often stamped 0, whatever the media are
	case !h.begun:
		h.first, h.begun = t.Timestamp(), true
	case int32(t.Timestamp()-h.first) > settleAfter:
		h.settled = true
	}
}

// HasVideo reports whether the stream has shown video or its metadata announces
// some.
func (h *Header) HasVideo() bool { return h.video || h.hinted && h.hints.HasVideo }

// flags are the file header's: what was seen and what is announced. Where nothing
// is announced both are set for a while, because a player that is told of one kind
// only never looks for the other.
func (h *Header) flags() uint8 {
	if !h.hinted && !h.settled {
		return flvio.FILE_HAS_VIDEO | flvio.FILE_HAS_AUDIO
	}
	var f uint8
	if h.HasVideo() {
		f |= flvio.FILE_HAS_VIDEO
	}
	if h.audio || h.hinted && h.hints.HasAudio {
		f |= flvio.FILE_HAS_AUDIO
	}
	return f
}

// set puts t into its slot. A configuration that is too long, or one too many, is
// left out, and so is the one it replaces: it would mislead a decoder.
func (h *Header) set(slot Slot, t Tag) bool {
	at := slices.IndexFunc(h.configs, func(c config) bool { return c.slot == slot })
	size := h.size() + len(t)
	if at >= 0 {
		if bytes.Equal(h.configs[at].tag.Body(), t.Body()) {
			return false
		}
		size -= len(h.configs[at].tag)
	}
	fits := len(t.Body()) <= maxSlot && size <= MaxHeader
	switch {
	case fits && at >= 0:
		h.configs[at].tag = atZero(t)
	case fits && len(h.configs) < maxSlots:
		h.configs = append(h.configs, config{slot, atZero(t)})
		slices.SortStableFunc(h.configs, func(a, b config) int { return cmp.Compare(rank(a.slot), rank(b.slot)) })
	case !fits && at >= 0:
		h.configs = slices.Delete(h.configs, at, at+1)
	default:
		return false
	}
	return true
}

func atZero(t Tag) Tag {
	t = slices.Clone(t)
	PutTimestamp(t, 0)
	return t
}

// rank orders a header: metadata, video, audio.
func rank(s Slot) int {
	switch s.Type {
	case Script:
		return 0
	case Video:
		return 1
	}
	return 2
}

func (h *Header) size() int {
	n := FileHeaderLen
	for _, c := range h.configs {
		n += len(c.tag)
	}
	return n
}

// Payload returns the header as bytes, at most [MaxHeader]: a file header with its
// back pointer, then tags with timestamp 0.
func (h *Header) Payload() []byte {
	b := make([]byte, FileHeaderLen, h.size())
	flvio.FillFileHeader(b, h.flags())
	for _, c := range h.configs {
		b = append(b, c.tag...)
	}
	return b
}
