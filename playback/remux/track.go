package remux

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

const (
	videoRate = 90000 // Hz, of a video track's times
	opusRate  = 48000 // Hz, always (RFC 7845)
	// aacFrame is how many samples an AAC frame has, but for those of 960.
	aacFrame = 1024
	// maxChannels and maxSampleRate bound what a configuration may claim.
	maxChannels   = 8
	maxSampleRate = 192000
)

// CodecError refuses media that a container cannot carry.
type CodecError struct {
	Codec     string // "" if it is not known
	Container string
}

func (e *CodecError) Error() string {
	codec := e.Codec
	if codec == "" {
		codec = "an unknown codec"
	}
	return fmt.Sprintf("%s cannot go into %s", codec, e.Container)
}

// track is the first video or audio track as it was configured last.
type track struct {
	name  string // of the codec, as in flv.Kind
	codec codecs.Codec
	rate  int64 // Hz, of its times
	sets  flv.ParameterSets
	raw   []byte // the configuration
	fresh bool   // the container has not been opened with it yet

	frame int64 // samples in a frame, of AAC
	clock clock
}

// decoded are the codecs of pictures of which newTrack makes tracks.
var decoded = map[string]bool{"h264": true, "hevc": true, "av1": true, "vp9": true}

// newTrack makes a track of a configuration, or of a frame where the codec has no
// configuration or one that says too little. It returns nil for a codec that no
// container here takes.
func newTrack(c flv.Coded) (*track, error) {
	t := &track{name: c.Codec, fresh: true, rate: videoRate}
	var err error
	switch c.Codec {
	case "h264", "hevc":
		err = t.setNAL(c)
	case "av1":
		err = t.setAV1(c.Data)
	case "vp9":
		err = t.setVP9(c.Data)
	case "aac":
		err = t.setAAC(c.Data)
	case "opus":
		err = t.setOpus(c.Data)
	case "mp3":
		err = t.setMP3(c.Data)
	default:
		return nil, nil
	}
	return t, err
}

func (t *track) setNAL(c flv.Coded) error {
	var ok bool
	if t.sets, ok = c.ParameterSets(); !ok {
		return fmt.Errorf("%s configuration is malformed", c.Codec)
	}
	t.raw = bytes.Clone(c.Data)
	if c.Codec == "h264" {
		codec := &codecs.H264{}
		for _, u := range t.sets.Units {
			switch h264.NALUType(u[0] & 0x1f) {
			case h264.NALUTypeSPS:
				codec.SPS = first(codec.SPS, u)
			case h264.NALUTypePPS:
				codec.PPS = first(codec.PPS, u)
			}
		}
		t.codec = codec
		var sps h264.SPS
		if codec.PPS == nil {
			return fmt.Errorf("h264 configuration without picture parameters")
		}
		return sps.Unmarshal(codec.SPS)
	}
	codec := &codecs.H265{}
	for _, u := range t.sets.Units {
		switch h265.NALUType(u[0] >> 1 & 0x3f) {
		case h265.NALUType_VPS_NUT:
			codec.VPS = first(codec.VPS, u)
		case h265.NALUType_SPS_NUT:
			codec.SPS = first(codec.SPS, u)
		case h265.NALUType_PPS_NUT:
			codec.PPS = first(codec.PPS, u)
		}
	}
	t.codec = codec
	if codec.VPS == nil || codec.PPS == nil {
		return fmt.Errorf("hevc configuration without all parameter sets")
	}
	var sps h265.SPS
	return sps.Unmarshal(codec.SPS)
}

func first(have, b []byte) []byte {
	if have != nil {
		return have
	}
	return bytes.Clone(b)
}

// setAV1 reads an AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3).
func (t *track) setAV1(b []byte) error {
	const fixed = 4
	if len(b) < fixed {
		return fmt.Errorf("av1 configuration is cut short")
	}
	var units av1.Bitstream
	if err := units.Unmarshal(b[fixed:]); err != nil {
		return err
	}
	for _, u := range units {
		var seq av1.SequenceHeader
		if err := seq.Unmarshal(u); err == nil {
			t.codec, t.raw = &codecs.AV1{SequenceHeader: bytes.Clone(u)}, bytes.Clone(b)
			return nil
		}
	}
	return fmt.Errorf("av1 configuration without a sequence header")
}

// setVP9 reads a key frame: VP9's own configuration does not tell the size.
func (t *track) setVP9(frame []byte) error {
	var h vp9.Header
	if err := h.Unmarshal(frame); err != nil {
		return err
	}
	if h.ColorConfig == nil || h.FrameSize == nil {
		return fmt.Errorf("vp9 key frame without a size")
	}
	t.codec = &codecs.VP9{
		Width: h.Width(), Height: h.Height(), Profile: h.Profile, BitDepth: h.ColorConfig.BitDepth,
		ChromaSubsampling: h.ChromaSubsampling(), ColorRange: h.ColorConfig.ColorRange,
	}
	t.raw = fmt.Append(nil, *t.codec.(*codecs.VP9))
	return nil
}

func (t *track) setAAC(b []byte) error {
	codec := &codecs.MPEG4Audio{}
	if err := codec.Config.Unmarshal(b); err != nil {
		return err
	}
	if r := codec.Config.SampleRate; r <= 0 || r > maxSampleRate {
		return fmt.Errorf("aac at %d Hz", r)
	}
	t.codec, t.raw, t.rate = codec, bytes.Clone(b), int64(codec.Config.SampleRate)
	t.frame = aacFrame
	if codec.Config.FrameLengthFlag {
		t.frame = 960
	}
	return nil
}

// setOpus reads an identification header (RFC 7845, 5.1).
func (t *track) setOpus(b []byte) error {
	var id opus.IDHeader
	if err := id.Unmarshal(b); err != nil {
		return err
	}
	if id.ChannelCount == 0 || id.ChannelCount > maxChannels {
		return fmt.Errorf("opus with %d channels", id.ChannelCount)
	}
	t.codec, t.raw, t.rate = &codecs.Opus{ChannelCount: int(id.ChannelCount)}, bytes.Clone(b), opusRate
	return nil
}

func (t *track) setMP3(frame []byte) error {
	var h mpeg1audio.FrameHeader
	if err := h.Unmarshal(frame); err != nil {
		return err
	}
	n := 2
	if h.ChannelMode == mpeg1audio.ChannelModeMono {
		n = 1
	}
	t.mp3(h.SampleRate, n)
	return nil
}

func (t *track) mp3(rate, channels int) {
	t.codec, t.rate = &codecs.MPEG1Audio{SampleRate: rate, ChannelCount: channels}, int64(rate)
	t.raw = fmt.Append(nil, rate, channels)
}

// samples is how many samples an audio frame has, 0 for one that is malformed.
func (t *track) samples(frame []byte) int64 {
	switch t.name {
	case "aac":
		return t.frame
	case "opus":
		return opus.PacketDuration2(frame)
	case "mp3":
		var h mpeg1audio.FrameHeader
		if h.Unmarshal(frame) != nil || int64(h.SampleRate) != t.rate {
			return 0
		}
		return int64(h.SampleCount())
	}
	return 0
}
