package flv

import (
	"encoding/binary"
	"math"
	"slices"
)

// fourCCOf are the codecs that FLV has only as FourCC of enhanced RTMP. The others are written as
// Adobe's FLV has them, which every reader knows.
var fourCCOf = map[string]string{
	hevc: "hvc1", av1: "av01", "vp9": "vp09",
	"opus": "Opus", "ac3": "ac-3", "eac3": "ec-3", "flac": "fLaC",
}

// Encode returns the tag that carries c, timestamped in milliseconds: [Decode] gives c back. H.264,
// AAC and MP3 become the tags of Adobe's FLV, the others those of enhanced RTMP. It reports false
// for a codec that it does not write, and for what is longer than a tag.
func Encode(typ Type, ts uint32, c Coded) (Tag, bool) {
	head := headOf(typ, c)
	if head == nil || len(head)+len(c.Data) > MaxBody {
		return nil, false
	}
	return tagOf(nil, typ, ts, head, c.Data), true
}

// headOf is what FLV has in front of c, nil for what it has no place for.
func headOf(typ Type, c Coded) []byte {
	offset := min(max(c.Offset, -1<<23), 1<<23-1)
	frame := byte(frameInter)
	if c.Key || c.Config {
		frame = frameKey
	}
	packet := byte(packetCodedFrames)
	if c.Config {
		packet, offset = packetSequenceStart, 0
	}
	fourCC := fourCCOf[c.Codec]
	switch {
	case typ == Video && c.Codec == h264:
		return append([]byte{frame<<4 | legacyAVC, packet}, byte(offset>>16), byte(offset>>8), byte(offset))
	case typ == Video && fourCC != "":
		if !c.Config && hasOffset[fourCC] && offset == 0 {
			packet = packetCodedFramesX
		}
		b := append([]byte{videoEnhancedBit | frame<<4 | packet}, fourCC...)
		if packet == packetCodedFrames && hasOffset[fourCC] {
			b = append(b, byte(offset>>16), byte(offset>>8), byte(offset))
		}
		return b
	case typ == Audio && c.Codec == aac:
		return []byte{plainSound(legacyAAC, 3, true), packet}
	case typ == Audio && c.Codec == mp3 && len(c.Data) >= 4 && !c.Config:
		return []byte{mp3Head(c.Data)}
	case typ == Audio && fourCC != "":
		return append([]byte{soundFormatEnhanced<<4 | packet}, fourCC...)
	}
	return nil
}

// plainSound is the first byte of a tag of sound (annex E.4.2.1), of 16 bits: rate is 0 for 5.5 kHz
// to 3 for 44.1 kHz.
func plainSound(format, rate byte, stereo bool) byte {
	b := format<<4 | rate<<2 | 1<<1
	if stereo {
		b |= 1
	}
	return b
}

// mp3Head is that of a frame of MP3, which says by itself how it sounds (ISO/IEC 11172-3, 2.4.1.3).
// What has no rate in FLV, as 48 kHz, is said to have the highest.
func mp3Head(frame []byte) byte {
	const legacyMP3, mono = 2, 3
	rate := byte(3)
	switch version := frame[1] >> 3 & 3; {
	case version == 2 && frame[2]>>2&3 == 0:
		rate = 2 // 22.05 kHz
	case version == 0 && frame[2]>>2&3 == 0:
		rate = 1 // 11.025 kHz
	}
	return plainSound(legacyMP3, rate, frame[3]>>6 != mono)
}

// Body returns the script body of an onMetaData that says this. Title, Unlisted and Recording are left to
// [SetTitle], [SetUnlisted] and [SetRecording].
func (m Metadata) Body() []byte {
	number := func(v float64) []byte {
		return binary.BigEndian.AppendUint64([]byte{amfNumber}, math.Float64bits(v))
	}
	yes := func(v bool) []byte {
		if v {
			return []byte{amfBoolean, 1}
		}
		return []byte{amfBoolean, 0}
	}
	var props []byte
	n := uint32(0)
	add := func(name string, value []byte) { props, n = appendProperty(props, name, value), n+1 }
	add("hasVideo", yes(m.HasVideo))
	add("hasAudio", yes(m.HasAudio))
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"width", float64(m.Width)},
		{"height", float64(m.Height)},
		{"framerate", m.FrameRate},
		{"videocodecid", codecID(m.VideoCodec)},
		{"audiocodecid", codecID(m.AudioCodec)},
		{"audiosamplerate", float64(m.SampleRate)},
		{"audiochannels", float64(m.Channels)},
	} {
		if p.value > 0 {
			add(p.name, number(p.value))
		}
	}
	if m.Encoder != "" {
		add("encoder", amfText(shortLine(m.Encoder, maxEncoder)))
	}
	b := append(slices.Clone(onMetaData), amfECMAArray)
	return endObject(append(binary.BigEndian.AppendUint32(b, n), props...))
}

// codecID is what stands for a codec in an onMetaData, 0 for one that [Encode] does not write.
func codecID(codec string) float64 {
	switch codec {
	case h264:
		return legacyAVC
	case aac:
		return legacyAAC
	case mp3:
		return 2
	}
	if fourCC := fourCCOf[codec]; fourCC != "" {
		return float64(binary.BigEndian.Uint32([]byte(fourCC)))
	}
	return 0
}
