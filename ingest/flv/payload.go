package flv

import (
	"bytes"
	"iter"

	"github.com/nareix/joy4/format/flv/flvio"
)

// Tags returns the tags of a payload that begins with a file header, as
// [Header.Payload] makes it, or with a tag. They share the payload's memory. It
// stops at what is cut short or malformed.
func Tags(payload []byte) iter.Seq[Tag] {
	return func(yield func(Tag) bool) {
		b := skipFileHeader(payload)
		for len(b) >= TagHeaderLen {
			n := TagHeaderLen + BodyLen(b) + TagTrailerLen
			if n > len(b) || !yield(Tag(b[:n:n])) {
				return
			}
			b = b[n:]
		}
	}
}

func skipFileHeader(b []byte) []byte {
	if len(b) < FileHeaderLen || !bytes.HasPrefix(b, []byte("FLV")) {
		return b
	}
	_, skip, err := flvio.ParseFileHeader(b)
	if err != nil || skip > len(b)-flvio.FileHeaderLength {
		return nil
	}
	return b[flvio.FileHeaderLength+skip:]
}

// Info is what a header tells of its stream, for status pages. A zero field is not
// known.
type Info struct {
	VideoCodec, AudioCodec string // as [Kind].Codec
	Width, Height          int    // pixels
	FrameRate              float64
	HasVideo, HasAudio     bool
	Encoder                string // printable
	Title                  string // printable, at most [MaxTitle] characters
	Unlisted               bool   // see [SetUnlisted]
	Recording              string // of a channel with this ID, on the source's word; "" if of none. See [SetRecording]
}

// Describe reads a header's payload. Configurations win over what the metadata
// says. It never fails: what is malformed tells nothing.
func Describe(headerPayload []byte) Info {
	var info Info
	if len(headerPayload) >= FileHeaderLen {
		flags := headerPayload[4]
		info.HasVideo = flags&flvio.FILE_HAS_VIDEO != 0
		info.HasAudio = flags&flvio.FILE_HAS_AUDIO != 0
	}
	var video, audio string
	for t := range Tags(headerPayload) {
		k := Classify(t)
		switch {
		case t.Type() == Video && video == "":
			video = k.Codec
		case t.Type() == Audio && audio == "":
			audio = k.Codec
		case t.Type() == Script:
			if m, ok := ParseMetadata(t.Body()); ok {
				info.VideoCodec, info.AudioCodec = m.VideoCodec, m.AudioCodec
				info.Width, info.Height, info.FrameRate = m.Width, m.Height, m.FrameRate
				info.Encoder, info.Title, info.Unlisted, info.Recording = m.Encoder, m.Title, m.Unlisted, m.Recording
			}
		}
	}
	if video != "" {
		info.VideoCodec = video
	}
	if audio != "" {
		info.AudioCodec = audio
	}
	return info
}
