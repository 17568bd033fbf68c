package flv

// Flaw says why no decoder can use a tag: a word for counters. It is "" if nothing wrong can be
// seen without decoding.
type Flaw string

// Flaws of tags.
const (
	// EmptyPicture and EmptySound are frames without a byte behind FLV's own framing.
	EmptyPicture Flaw = "empty_picture"
	EmptySound   Flaw = "empty_sound"
	// CutPicture and CutSound end before what they themselves declare.
	CutPicture Flaw = "cut_picture"
	// StartCodes are in pictures of HEVC, or of H.264 in one track of several, where FLV has
	// lengths. [AVC] makes these of the rest.
	StartCodes Flaw = "start_codes"
	CutSound   Flaw = "cut_sound"
	// BadVideoConfig and BadSoundConfig are configurations with which no decoder can begin,
	// as an H.264 one without parameter sets.
	BadVideoConfig Flaw = "bad_video_config"
	BadSoundConfig Flaw = "bad_sound_config"
)

// Flaws counts tags by what is wrong with them.
type Flaws map[Flaw]uint64

// ByName returns the counts as the API has them; nil if there are none.
func (f Flaws) ByName() map[string]uint64 {
	var named map[string]uint64
	for flaw, n := range f {
		if named == nil {
			named = make(map[string]uint64)
		}
		named[string(flaw)] = n
	}
	return named
}

// leastASC is how long an AudioSpecificConfig is at least, in bytes (ISO/IEC 14496-3, 1.6.2.1).
const leastASC = 2

// leastCoded is how long a start code and the head of a NAL unit are at most, in bytes.
const leastCoded = 5

// Judge says what each tag of one run is, in order: a picture can be understood only with
// the configuration before it. Its zero value is ready. It belongs to one goroutine.
type Judge struct {
	sets  ParameterSets // of the first video track
	codec string        // of its newest configuration, "" before
}

// Next is [Classify] of the run's next tag, with its flaw. It looks at NAL units' lengths and
// types, and decodes nothing.
func (j *Judge) Next(t Tag) Kind {
	k := Classify(t)
	switch t.Type() {
	case Video:
		k.Flaw = j.video(t, &k)
		if k.Config && k.Flaw == "" && k.Slot == (Slot{Type: Video}) {
			j.codec = k.Codec
		}
		// Nobody starts at a stray picture of a codec that nobody knows.
		k.Key = k.Key && (k.Codec != "" || j.codec == "")
	case Audio:
		k.Flaw = flawOfSound(t.Body())
	}
	return k
}

func (j *Judge) video(t Tag, k *Kind) Flaw {
	b := t.Body()
	if len(b) == 0 {
		return EmptyPicture
	}
	p := takeVideo(b)
	switch {
	case p.cut && k.Config:
		return BadVideoConfig
	case p.cut:
		return CutPicture
	case !p.media || k.Slot.Part == Extra:
		return ""
	case len(p.data) == 0 && k.Config:
		return BadVideoConfig
	case len(p.data) == 0:
		return EmptyPicture
	case p.track != 0:
		return ""
	}
	if k.Codec != h264 && k.Codec != hevc {
		return ""
	}
	if k.Config {
		sets, ok := Coded{Codec: k.Codec, Data: p.data}.ParameterSets()
		if !ok {
			return BadVideoConfig
		}
		j.sets = sets
		return ""
	}
	known := k.Codec == j.sets.Codec // else it is not known how its units are framed
	switch {
	case len(p.data) > leastCoded && startsWithCode(p.data) && (p.data[2] == 0 || known && !wholeUnits(p.data, j.sets.LenSize)):
		return StartCodes // three bytes of one may be a length, too
	case !known:
		return ""
	case !wholeUnits(p.data, j.sets.LenSize):
		return CutPicture
	}
	k.Recovery = !k.Key && recovers(k.Codec, p.data, j.sets.LenSize)
	return ""
}

// videoPart is what a video tag has behind FLV's own framing.
type videoPart struct {
	media bool // it is a frame or a decoder configuration
	cut   bool // it ends within the framing
	track uint8
	data  []byte
}

func takeVideo(b []byte) videoPart {
	if b[0]&videoEnhancedBit == 0 {
		return takePlainVideo(b)
	}
	if b[0]>>4&frameTypeMask == frameCommand {
		return videoPart{} // the command stands where the FourCC would be
	}
	h, ok := parseEx(b[1:], b[0]&0x0f, packetVideoMultitrack)
	if !ok {
		return videoPart{cut: true}
	}
	p := videoPart{media: true, track: h.track, data: h.body}
	switch {
	case h.packet == packetCodedFrames && hasOffset[h.fourCC]:
		p.cut = len(h.body) < offsetLen
		p.data = h.body[min(offsetLen, len(h.body)):]
	case h.packet == packetSequenceStart, h.packet == packetCodedFrames, h.packet == packetCodedFramesX:
	default:
		return videoPart{}
	}
	return p
}

func takePlainVideo(b []byte) videoPart {
	if b[0]>>4 == frameCommand {
		return videoPart{}
	}
	switch b[0] & 0x0f {
	case legacyAVC, legacyHEVC, legacyAV1:
		switch {
		case len(b) < legacyShortest:
			return videoPart{cut: true}
		case b[1] > legacyCodedFrames:
			return videoPart{} // the end of a sequence
		case len(b) < legacyShortest+offsetLen:
			return videoPart{cut: true}
		}
		return videoPart{media: true, data: b[legacyShortest+offsetLen:]}
	}
	return videoPart{media: true, data: b[1:]}
}

// wholeUnits reports whether a picture consists of whole NAL units, each with its length in
// size bytes in front, and at least one that is not empty. Fewer bytes than a length has may
// follow the last.
func wholeUnits(b []byte, size int) bool {
	some := false
	for len(b) >= size {
		n := 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		if b = b[size:]; n > len(b) {
			return false
		}
		some = some || n > 0
		b = b[n:]
	}
	return some
}

func flawOfSound(b []byte) Flaw {
	if len(b) == 0 {
		return EmptySound
	}
	var config, frame bool
	data := b[1:]
	switch b[0] >> 4 {
	case legacyAAC:
		if len(b) < legacyShortest {
			return CutSound
		}
		data = b[legacyShortest:]
		config, frame = b[1] == legacySequenceStart, b[1] == legacyCodedFrames
		if config && len(data) < leastASC {
			return BadSoundConfig
		}
	case soundFormatEnhanced:
		h, ok := parseEx(b[1:], b[0]&0x0f, packetAudioMultitrack)
		if !ok {
			return CutSound
		}
		data = h.body
		config, frame = h.packet == packetSequenceStart, h.packet == packetCodedFrames
		if config && h.codec == aac && len(data) < leastASC {
			return BadSoundConfig
		}
	default:
		frame = true
	}
	if frame && len(data) == 0 {
		return EmptySound
	}
	return ""
}
