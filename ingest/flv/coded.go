package flv

// StartLen is how many bytes of a body hold all that FLV itself puts in front of an
// elementary stream's bytes: with several tracks, and up to three modifiers of the only kind
// that there is (a nanosecond offset, 5 bytes), 26.
const StartLen = 1 + 3*5 + 1 + fourCCLen + 1 + trackLenLen + offsetLen

// offsetLen is the length of a composition time offset, in bytes.
const offsetLen = 3

// Coded is what one audio or video tag carries, without FLV's own framing.
type Coded struct {
	Codec  string // as [Kind].Codec; never ""
	Config bool   // Data is a decoder configuration, as MP4 has it
	Key    bool   // a decoder may start here
	// Offset is how much later than the tag's timestamp the picture is shown, in
	// milliseconds, from -2^23 on; 0 for audio.
	Offset int32
	Data   []byte // of the first track; shares the tag's memory
}

// Decode takes t apart. It reports false if t has no media of the first track that
// could be played: script data, the end of a sequence, colour information, an unknown
// codec, a tag that is cut short.
func Decode(t Tag) (Coded, bool) {
	body := t.Body()
	c, from, to, ok := DecodeStart(t.Type(), body, len(body))
	c.Data = body[from:to]
	return c, ok
}

// DecodeStart is [Decode] for a tag of which only the start of the body is at hand, [StartLen]
// bytes or all; n is how long the body is. In the place of Data it returns where in the body that
// begins and ends.
func DecodeStart(typ Type, start []byte, n int) (c Coded, from, to int, ok bool) {
	if len(start) < 1 {
		return Coded{}, 0, 0, false
	}
	k := ClassifyStart(typ, start)
	if k.Codec == "" || k.Slot.Part == Extra || k.Slot.Track != 0 {
		return Coded{}, 0, 0, false
	}
	c = Coded{Codec: k.Codec, Config: k.Config, Key: k.Key || typ == Audio && !k.Config}
	switch typ {
	case Video:
		from, to, c.Offset, ok = videoData(start, n)
	case Audio:
		from, to, ok = audioData(start, n)
	}
	if !ok || from >= to {
		return c, 0, 0, false
	}
	return c, from, to, true
}

// videoData returns where in a video tag's body of n bytes, which starts with b, what it carries of
// its first track is, and its composition time offset.
func videoData(b []byte, n int) (from, to int, offset int32, ok bool) {
	if b[0]&videoEnhancedBit == 0 {
		switch b[0] & 0x0f {
		case legacyAVC, legacyHEVC, legacyAV1:
			if len(b) < legacyShortest+offsetLen || b[1] > legacyCodedFrames {
				return 0, 0, 0, false
			}
			if b[1] == legacyCodedFrames {
				offset = offsetOf(b[legacyShortest:])
			}
			return legacyShortest + offsetLen, n, offset, true
		}
		return 0, 0, 0, false // nothing that is in use any more
	}
	h, ok := parseEx(b[1:], b[0]&0x0f, packetVideoMultitrack)
	if !ok || h.track != 0 {
		return 0, 0, 0, false
	}
	from, to = h.extent(b, n)
	switch {
	case h.packet == packetSequenceStart, h.packet == packetCodedFramesX:
		return from, to, 0, true
	case h.packet == packetCodedFrames && hasOffset[h.fourCC]:
		if to-from < offsetLen || len(b)-from < offsetLen {
			return 0, 0, 0, false
		}
		return from + offsetLen, to, offsetOf(b[from:]), true
	case h.packet == packetCodedFrames:
		return from, to, 0, true
	}
	return 0, 0, 0, false
}

// offsetOf reads a composition time offset, 24 bits with a sign.
func offsetOf(b []byte) int32 {
	return int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8) >> 8
}

func audioData(b []byte, n int) (from, to int, ok bool) {
	switch format := b[0] >> 4; format {
	case legacyAAC:
		return legacyShortest, n, len(b) >= legacyShortest && b[1] <= legacyCodedFrames
	case soundFormatEnhanced:
		h, ok := parseEx(b[1:], b[0]&0x0f, packetAudioMultitrack)
		from, to = h.extent(b, n)
		return from, to, ok && h.track == 0 && h.packet <= packetCodedFrames
	default:
		return 1, n, legacyAudio[format] == mp3
	}
}

// hasOffset are the codecs whose coded frames carry a composition time offset.
var hasOffset = map[string]bool{"avc1": true, "hvc1": true, "vvc1": true}
