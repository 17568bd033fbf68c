package sample

import (
	"encoding/binary"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

// Most is how long a sample may be, in bytes; longer ones are left out: tags are no longer.
const Most = flv.MaxBody

// mostUnits bounds the NAL units in a sample: several hundred slices are the most a level allows.
const mostUnits = 1024

// Codec is how a track is coded.
type Codec struct {
	Track  convert.Track
	Prefix []byte // what stands in front of each sample, and was left out of it

	lengths  int    // bytes of the length in front of each NAL unit
	sequence []byte // of AV1: what the configuration has that a key frame may lack
	guess    bool   // there was no configuration: samples may have start codes

	units  [][]byte // of one sample
	joined []byte   // a sample with what was left out
}

// Pictures is a codec of pictures, described by the record of that codec: that of avcC, hvcC or av1C,
// or none.
func Pictures(f convert.Format, record []byte) Codec {
	c := Codec{Track: convert.Track{Format: f}}
	switch f {
	case convert.H264, convert.HEVC:
		c.lengths, c.guess = 4, len(record) == 0
		at := 4 // where the record has the length of a length
		if f == convert.HEVC {
			at = 21
		}
		if len(record) > at {
			c.lengths = int(record[at]&3) + 1
		}
		if sets, ok := (flv.Coded{Codec: f.Codec(), Data: record}).ParameterSets(); ok {
			c.Track.Config = startCodes(sets.Units)
		} else if len(record) > 0 && len(record) <= at {
			c.guess = true
		}
	case convert.AV1:
		const head = 4 // AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3)
		if len(record) > head {
			c.sequence = record[head:]
		}
	}
	return c
}

// startCodes are units as a byte stream has them.
func startCodes(units [][]byte) string {
	var b strings.Builder
	for _, u := range units {
		b.WriteString("\x00\x00\x00\x01")
		b.Write(u)
	}
	return b.String()
}

// AAC is AAC, described by an AudioSpecificConfig, or, if there is none, by its rate in Hz and its
// channels. It reports false for kinds of AAC that are not carried.
func AAC(config []byte, rate, channels int) (Codec, bool) {
	if len(config) == 0 {
		made := mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: rate, ChannelConfig: uint8(min(max(channels, 1), 7))}
		if channels == 8 {
			made.ChannelConfig = 7
		}
		config, _ = made.Marshal() // a rate of 0 is refused below
	}
	var c mpeg4audio.AudioSpecificConfig
	ok := c.Unmarshal(config) == nil && c.SampleRate > 0
	return Codec{Track: convert.Track{Format: convert.AAC, Config: string(config)}}, ok
}

// Sound is a codec of sound that says by itself how it sounds, but for the channels of Opus.
func Sound(f convert.Format, channels int) Codec {
	if f != convert.Opus {
		channels = 0
	}
	return Codec{Track: convert.Track{Format: f, Channels: channels}}
}

// Unit makes a unit of a sample, without its times; key says that the sample is one to start at. Its
// memory is good until the next one.
func (c *Codec) Unit(b []byte, key bool) convert.Unit {
	if len(c.Prefix) > 0 {
		c.joined = append(append(c.joined[:0], c.Prefix...), b...)
		b = c.joined
	}
	switch {
	case c.lengths > 0 && c.guess && len(b) > 4 && binary.BigEndian.Uint32(b) == 1:
		return convert.Unit{Data: b}
	case c.lengths > 0:
		return convert.Unit{NALs: c.split(b)}
	case key && len(c.sequence) > 0 && !hasSequence(b):
		c.joined = append(append(c.joined[:0], c.sequence...), b...)
		b = c.joined
	}
	return convert.Unit{Data: b}
}

// split finds the NAL units of a sample by their lengths. What is cut short is left out.
func (c *Codec) split(b []byte) [][]byte {
	c.units = c.units[:0]
	for len(b) > c.lengths && len(c.units) < mostUnits {
		n := 0
		for _, d := range b[:c.lengths] {
			n = n<<8 | int(d)
		}
		if b = b[c.lengths:]; n > len(b) {
			break
		}
		c.units, b = append(c.units, b[:n]), b[n:]
	}
	return c.units
}

// hasSequence reports whether a temporal unit of AV1 begins with a sequence header, behind a temporal
// delimiter (AV1, 5.3.1, 6.2.2).
func hasSequence(b []byte) bool {
	const sequenceHeader, delimiter, hasSize = 1, 2, 2
	if len(b) > 2 && b[0]>>3&15 == delimiter && b[0]&hasSize != 0 && b[1] == 0 {
		b = b[2:]
	}
	return len(b) > 0 && b[0]>>3&15 == sequenceHeader
}
