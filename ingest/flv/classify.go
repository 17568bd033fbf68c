package flv

// Kind is what a tag means to someone who starts to watch. The zero Kind is a tag
// that passes and means nothing more.
type Kind struct {
	// Config marks what a late joiner needs before the first frame: a decoder
	// configuration, colour information, a channel layout, onMetaData.
	Config bool
	// Slot says which earlier configuration this one replaces.
	Slot Slot
	// Key marks a frame of the first video track at which a decoder may start.
	Key bool
	// Codec is the codec's name in lower case, "" if it is not known.
	Codec string
	// Recovery marks a picture that is no key frame, from which a decoder can start none the
	// less: it shows whole pictures soon after. Only a [Judge] finds it.
	Recovery bool
	// Flaw is why no decoder can use the tag. Only a [Judge] finds it.
	Flaw Flaw
}

// Slot is a place for one configuration: a later one in the same place replaces
// the one before, whatever its codec. Legacy tags count as track 0.
type Slot struct {
	Type  Type
	Track uint8
	Part  Part
}

// Part tells apart the configurations of one track.
type Part uint8

const (
	// Decoder is a track's decoder configuration.
	Decoder Part = iota
	// Extra is what a track has besides: colour information, channel layout.
	Extra
)

// Frame types of a video tag that matter here (annex E.4.3.1).
const (
	frameKey          = 1
	frameInter        = 2
	frameDisposable   = 3
	frameGeneratedKey = 4
	frameCommand      = 5
	// frameTypeMask leaves the frame type of an enhanced tag's upper half byte.
	frameTypeMask = 7
)

// Packet types of the legacy codecs that have one, and the bytes that hold it.
const (
	legacySequenceStart = 0
	legacyCodedFrames   = 1
	legacyShortest      = 2
)

// Classify looks at the first bytes of t's body. It never fails: what it does not
// understand is the zero Kind, or has no Codec.
func Classify(t Tag) Kind { return ClassifyStart(t.Type(), t.Body()) }

// ClassifyStart is [Classify] for a tag of which only the start of the body is at
// hand; [StartLen] bytes tell all there is to tell but for script data and for tags
// with more than three modifiers.
func ClassifyStart(typ Type, body []byte) Kind {
	if len(body) == 0 {
		return Kind{}
	}
	switch typ {
	case Video:
		if body[0]&videoEnhancedBit != 0 {
			return enhancedVideo(body)
		}
		return plainVideo(body)
	case Audio:
		if body[0]>>4 == soundFormatEnhanced {
			return enhancedAudio(body)
		}
		return plainAudio(body)
	case Script:
		if IsMetadata(body) {
			return Kind{Config: true, Slot: Slot{Type: Script}}
		}
	}
	return Kind{}
}

func startsAt(frame byte) bool { return frame == frameKey || frame == frameGeneratedKey }

func plainVideo(b []byte) Kind {
	frame, codec := b[0]>>4, b[0]&0x0f
	if frame == frameCommand {
		return Kind{}
	}
	k := Kind{Codec: legacyVideo[codec]}
	switch codec {
	case legacyAVC, legacyHEVC, legacyAV1:
		if len(b) < legacyShortest {
			return Kind{}
		}
		switch b[1] {
		case legacySequenceStart:
			k.Config, k.Slot = true, Slot{Type: Video}
		case legacyCodedFrames:
			k.Key = startsAt(frame)
		}
	default:
		k.Key = startsAt(frame)
	}
	return k
}

func plainAudio(b []byte) Kind {
	format := b[0] >> 4
	k := Kind{Codec: legacyAudio[format]}
	if format == legacyAAC {
		if len(b) < legacyShortest {
			return Kind{}
		}
		if b[1] == legacySequenceStart {
			k.Config, k.Slot = true, Slot{Type: Audio}
		}
	}
	return k
}

func enhancedVideo(b []byte) Kind {
	frame := b[0] >> 4 & frameTypeMask
	h, ok := parseEx(b[1:], b[0]&0x0f, packetVideoMultitrack)
	if !ok {
		return Kind{}
	}
	if frame == frameCommand && h.packet != packetMetadata {
		return Kind{} // a command byte stands where the FourCC would
	}
	k := Kind{Codec: h.codec}
	switch h.packet {
	case packetSequenceStart, packetMPEG2TSStart:
		k.Config, k.Slot = true, Slot{Type: Video, Track: h.track}
	case packetMetadata:
		k.Config, k.Slot = true, Slot{Type: Video, Track: h.track, Part: Extra}
	case packetCodedFrames, packetCodedFramesX:
		k.Key = h.track == 0 && startsAt(frame)
	}
	return k
}

func enhancedAudio(b []byte) Kind {
	h, ok := parseEx(b[1:], b[0]&0x0f, packetAudioMultitrack)
	if !ok {
		return Kind{}
	}
	k := Kind{Codec: h.codec}
	switch h.packet {
	case packetSequenceStart:
		k.Config, k.Slot = true, Slot{Type: Audio, Track: h.track}
	case packetMultichannelConfig:
		k.Config, k.Slot = true, Slot{Type: Audio, Track: h.track, Part: Extra}
	}
	return k
}
