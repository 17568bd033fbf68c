package flv

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Announce returns the script body of an onMetaData that says what of m is known: what [ParseMetadata]
// reads. Codecs are named by their FourCC, or by the number that they have without one.
func Announce(m Metadata) []byte {
	var props []byte
	n := uint32(0)
	add := func(name string, value []byte) {
		props = appendProperty(props, name, value)
		n++
	}
	number := func(name string, v float64) {
		if v > 0 {
			add(name, amfDouble(v))
		}
	}
	text := func(name, v string) {
		if v != "" {
			add(name, amfText(v))
		}
	}
	number("width", float64(m.Width))
	number("height", float64(m.Height))
	number("framerate", m.FrameRate)
	number("videocodecid", codecNumber(m.VideoCodec, legacyVideo))
	number("audiocodecid", codecNumber(m.AudioCodec, legacyAudio))
	number("audiosamplerate", float64(m.SampleRate))
	number("audiochannels", float64(m.Channels))
	text("encoder", shortLine(m.Encoder, maxEncoder))
	text(titleField, CleanTitle(m.Title))
	b := append(bytes.Clone(onMetaData), amfECMAArray)
	b = binary.BigEndian.AppendUint32(b, n)
	return endObject(append(b, props...))
}

func amfDouble(v float64) []byte {
	return binary.BigEndian.AppendUint64([]byte{amfNumber}, math.Float64bits(v))
}

// codecNumber is the inverse of codecHint; 0 for a codec that is not known.
func codecNumber(codec string, legacy map[byte]string) float64 {
	for _, id := range []byte{legacyAVC, legacyAAC} { // which every reader knows
		if legacy[id] == codec && codec != "" {
			return float64(id)
		}
	}
	for fourCC, name := range fourCCs {
		if name == codec && codec != "" {
			return float64(binary.BigEndian.Uint32([]byte(fourCC)))
		}
	}
	return 0
}
