package flv

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
)

// Types of H.264's NAL units (ITU-T H.264, table 7-1).
const (
	avcSlice    = 1 // the least type of a slice
	avcIDRSlice = 5 // the greatest
	avcSPS      = 7
	avcPPS      = 8
)

// AVC turns H.264 as encoders send it into what players of FLV expect. Start codes become
// lengths in front of the NAL units. Parameter sets that come among the pictures, and are others
// than those of the configuration, become one. A picture that a decoder can start at is marked as
// a key frame. All else passes as it is. Its zero value is ready. It belongs to one goroutine.
type AVC struct {
	size    int // of the lengths that the configuration announces, 0 before the first
	sets    AVCSets
	told    []byte // the encoder's newest configuration record
	stale   bool   // pictures have told others since
	pending Tag    // it has been repeated since, and the next key frame shows whether it holds
}

// Next returns what goes on in place of the next tag: a configuration, if the tag tells a new
// one and is none itself, and the tag. Either may be nil. Nothing of t is kept.
func (a *AVC) Next(t Tag) (config, media Tag) {
	if t.Type() != Video {
		return nil, t
	}
	f, ok := frameOf(t.Body())
	switch {
	case !ok:
		return nil, t
	case f.config && len(f.data) > 4 && f.data[0] == 1: // an AVCDecoderConfigurationRecord
		return nil, a.configure(t, f.data)
	case a.coded(f.data):
		return a.convert(t, f)
	case f.config:
		return nil, t
	}
	size := a.lengths()
	if !wholeUnits(f.data, size) {
		return nil, t
	}
	units, left := framedUnits(f.data, size), len(f.data)
	for u := range units {
		left -= size + len(u)
	}
	config = a.learn(t, f, units, size)
	if left > 0 { // units of no length, or bytes behind the last one: ffmpeg takes no such picture
		t = NewTag(Video, t.Timestamp(), slices.Concat(f.head, framed(units, size)))
	}
	if !f.key && hasIDR(units) {
		t = slices.Clone(t)
		markKey(t.Body())
	}
	return config, t
}

// settle decides at a key frame whether a configuration that waits holds. It does not if the key
// frame has sets of its own.
func (a *AVC) settle(key Tag, units iter.Seq[[]byte]) (config Tag) {
	waits := a.pending
	a.pending = nil
	if waits == nil || hasType(units, avcSPS) {
		return nil
	}
	a.stale = false
	f, _ := frameOf(waits.Body())
	config = a.configure(waits, f.data)
	PutTimestamp(config, key.Timestamp())
	return config
}

// lengths is how many bytes the length in front of each unit has, as far as that is known: four
// where nothing tells, which nearly all encoders have.
func (a *AVC) lengths() int {
	if a.size == 0 {
		return 4
	}
	return a.size
}

// configure takes the encoder's own configuration. One that it repeats, although its pictures
// have told others since, has to wait for the next key frame.
func (a *AVC) configure(t Tag, record []byte) Tag {
	if a.stale && bytes.Equal(record, a.told) {
		a.pending = slices.Clone(t)
		return nil
	}
	a.told, a.stale, a.pending = bytes.Clone(record), false, nil
	a.size, a.sets = int(record[4]&3)+1, AVCSets{}
	if sets, ok := (Coded{Codec: h264, Data: record}).ParameterSets(); ok {
		a.sets.Learn(slices.Values(sets.Units))
	}
	return t
}

// coded reports whether a body has start codes. Three bytes of one may also be the length
// of a first unit of some 300 bytes; four cannot, for no picture begins with a unit of one.
func (a *AVC) coded(b []byte) bool {
	return startsWithCode(b) && (b[2] == 0 || !wholeUnits(b, a.lengths()))
}

// convert puts lengths in place of start codes.
func (a *AVC) convert(t Tag, f avcFrame) (config, media Tag) {
	const size = 4
	units, ok := SplitUnits(f.data)
	if !ok {
		return nil, t
	}
	known := len(a.sets.sps) > 0
	config = a.learn(t, f, slices.Values(units), size)
	if f.config {
		if config == nil && !known {
			return nil, t // it tells nothing
		}
		return config, nil
	}
	if !slices.ContainsFunc(units, isSlice) {
		return config, nil // parameter sets that came by themselves
	}
	body := slices.Clone(f.head)
	if !f.key && hasIDR(slices.Values(units)) {
		markKey(body)
	}
	body = append(body, framed(slices.Values(units), size)...)
	if len(body) > MaxBody {
		return config, t
	}
	return config, NewTag(Video, t.Timestamp(), body)
}

// learn takes the parameter sets among units, and makes a configuration of them if they are
// enough for a decoder, and others than before. One that waits may come instead.
func (a *AVC) learn(t Tag, f avcFrame, units iter.Seq[[]byte], size int) (config Tag) {
	if hasIDR(units) {
		config = a.settle(t, units)
	}
	if !a.sets.Learn(units) || !a.sets.Whole() {
		return config
	}
	a.size, a.stale = size, true
	return NewTag(Video, t.Timestamp(), slices.Concat(f.configHead, a.sets.Record(size)))
}

// framedUnits are the NAL units of a picture that are not empty, each with its length in size
// bytes in front.
func framedUnits(b []byte, size int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for b := b; len(b) >= size; {
			n := 0
			for _, c := range b[:size] {
				n = n<<8 | int(c)
			}
			if b = b[size:]; n > len(b) || n > 0 && !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// framed puts a length in size bytes in front of each unit.
func framed(units iter.Seq[[]byte], size int) (b []byte) {
	for u := range units {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(u)))
		b = append(append(b, n[4-size:]...), u...)
	}
	return b
}

func isSlice(u []byte) bool { typ := u[0] & 0x1f; return typ >= avcSlice && typ <= avcIDRSlice }

// hasIDR reports whether a decoder can start at a picture of these units.
func hasIDR(units iter.Seq[[]byte]) bool { return hasType(units, avcIDRSlice) }

func hasType(units iter.Seq[[]byte], typ byte) bool {
	for u := range units {
		if u[0]&0x1f == typ {
			return true
		}
	}
	return false
}

// markKey makes the frame that a body begins with a key frame.
func markKey(body []byte) { body[0] = body[0]&(videoEnhancedBit|0x0f) | frameKey<<4 }

// avcFrame is the H.264 in a video tag's body.
type avcFrame struct {
	config     bool
	key        bool   // it is marked as a key frame, or is none that could be
	head       []byte // FLV's own framing
	configHead []byte // that of a configuration
	data       []byte
}

// frameOf takes a body apart. It reports false if it is no H.264, or has several tracks.
func frameOf(b []byte) (avcFrame, bool) {
	const plain = legacyShortest + offsetLen
	switch {
	case len(b) >= plain && b[0]&videoEnhancedBit == 0 && b[0]&0x0f == legacyAVC && b[0]>>4 != frameCommand && b[1] <= legacyCodedFrames:
		return avcFrame{b[1] == legacySequenceStart, marked(b[0] >> 4), b[:plain], []byte{frameKey<<4 | legacyAVC, legacySequenceStart, 0, 0, 0}, b[plain:]}, true
	case len(b) == 0 || b[0]&videoEnhancedBit == 0:
		return avcFrame{}, false
	}
	frame := b[0] >> 4 & frameTypeMask
	h, ok := parseEx(b[1:], b[0]&0x0f, packetVideoMultitrack)
	if !ok || h.fourCC != "avc1" || h.length > 0 || h.track != 0 || frame == frameCommand {
		return avcFrame{}, false
	}
	n := 1 + h.at
	switch h.packet {
	case packetCodedFrames:
		n = min(n+offsetLen, len(b))
	case packetSequenceStart, packetCodedFramesX:
	default:
		return avcFrame{}, false
	}
	head := append([]byte{videoEnhancedBit | frameKey<<4 | packetSequenceStart}, "avc1"...)
	return avcFrame{h.packet == packetSequenceStart, marked(frame), b[:n], head, b[n:]}, true
}

func marked(frame byte) bool { return frame != frameInter && frame != frameDisposable }
