package flv

import (
	"bytes"
	"math"

	"github.com/nareix/joy4/format/flv/flvio"
)

// Metadata is what onMetaData says of a stream. Encoders say it with varying care:
// these are hints. A zero field was not said.
type Metadata struct {
	HasVideo, HasAudio     bool
	VideoCodec, AudioCodec string // as [Kind].Codec
	Width, Height          int    // pixels
	FrameRate              float64
	SampleRate             int    // of the sound, Hz
	Channels               int    // of the sound
	Encoder                string // printable, at most 128 characters
	Title                  string // printable, at most [MaxTitle] characters
	Unlisted               bool   // see [SetUnlisted]
	Recording              string // the ID of a channel, at most 64 printable characters; see [SetRecording]
}

const (
	maxDimension = 1 << 16 // pixels; above, it is no picture but a mistake
	maxFrameRate = 1000    // Hz, likewise
	maxSample    = 192_000 // Hz, likewise
	maxChannels  = 8       // likewise
	maxEncoder   = 128     // characters; the string goes to status pages and logs
)

var (
	onMetaData   = amfText("onMetaData")
	setDataFrame = amfText("@setDataFrame")
)

// amfText returns s as an AMF0 string value.
func amfText(s string) []byte {
	b := make([]byte, flvio.LenAMF0Val(s))
	flvio.FillAMF0Val(b, s)
	return b
}

// IsMetadata reports whether a script body is an onMetaData.
func IsMetadata(body []byte) bool { return bytes.HasPrefix(body, onMetaData) }

// StripSetDataFrame returns the script body inside an RTMP data message: an
// encoder puts "@setDataFrame" in front, meant for the server only.
func StripSetDataFrame(body []byte) []byte { return bytes.TrimPrefix(body, setDataFrame) }

// ParseMetadata returns what a script body says of the stream. It reports false if the
// body is no onMetaData, is outside [CheckAMF0]'s bounds, or says nothing of this.
func ParseMetadata(body []byte) (Metadata, bool) {
	fields := metadataFields(body)
	if fields == nil {
		return Metadata{}, false
	}
	m := Metadata{
		Width:      int(number(fields["width"], maxDimension)),
		Height:     int(number(fields["height"], maxDimension)),
		FrameRate:  number(fields["framerate"], maxFrameRate),
		SampleRate: int(number(fields["audiosamplerate"], maxSample)),
		Channels:   channels(fields),
		Encoder:    encoder(fields["encoder"]),
		Title:      title(fields[titleField]),
		Unlisted:   fields[unlistedField] == true,
		Recording:  recordingOf(fields[recordingField]),
	}
	var video, audio bool
	m.VideoCodec, video = codecHint(fields["videocodecid"], legacyVideo)
	m.AudioCodec, audio = codecHint(fields["audiocodecid"], legacyAudio)
	m.HasVideo = announced(fields["hasVideo"], video || m.Width > 0 && m.Height > 0)
	m.HasAudio = announced(fields["hasAudio"], audio)
	return m, m != Metadata{}
}

// metadataFields returns what is in an onMetaData; nil if the body is none, or outside [CheckAMF0]'s bounds.
func metadataFields(body []byte) flvio.AMFMap {
	if !IsMetadata(body) || CheckAMF0(body) != nil {
		return nil
	}
	v, _, err := flvio.ParseAMF0Val(body[len(onMetaData):])
	fields, _ := v.(flvio.AMFMap)
	if err != nil {
		return nil
	}
	return fields
}

func channels(fields flvio.AMFMap) int {
	if n := int(number(fields["audiochannels"], maxChannels)); n > 0 {
		return n
	}
	if stereo, ok := fields["stereo"].(bool); ok && stereo {
		return 2
	} else if ok {
		return 1
	}
	return 0
}

func number(v any, most float64) float64 {
	if f, ok := v.(float64); ok && f > 0 && f <= most {
		return f
	}
	return 0
}

func announced(v any, otherwise bool) bool {
	if b, ok := v.(bool); ok {
		return b
	}
	return otherwise
}

// codecHint names the codec that a codec ID stands for, and reports whether one is
// announced at all. It may be a legacy ID, a FourCC as a number (enhanced RTMP) or
// a name. Linear PCM has the ID 0, but 0 is what writers put for no track.
func codecHint(v any, legacy map[byte]string) (string, bool) {
	switch v := v.(type) {
	case float64:
		if !(v > 0 && v <= math.MaxUint32) {
			return "", false
		}
		n := uint32(v)
		if n <= math.MaxUint8 {
			return legacy[byte(n)], true
		}
		return fourCCs[string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})], true
	case string:
		return fourCCs[v], v != ""
	}
	return "", false
}

func encoder(v any) string {
	s, _ := v.(string)
	return shortLine(s, maxEncoder)
}

func title(v any) string {
	s, _ := v.(string)
	return CleanTitle(s)
}

func recordingOf(v any) string {
	s, _ := v.(string)
	return shortLine(s, maxRecording)
}
