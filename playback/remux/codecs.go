package remux

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
)

// codecText says what is in a track, as CODECS of a playlist has it (RFC 6381, and where what is said differs, what
// Apple's players take).
func codecText(t *track) string {
	switch c := t.codec.(type) {
	case *codecs.H264:
		return fmt.Sprintf("avc1.%02x%02x%02x", c.SPS[1], c.SPS[2], c.SPS[3])
	case *codecs.H265:
		return hevcText(t.raw)
	case *codecs.AV1: // AV1 in ISOBMFF, 5: what av1C has in its second and third byte
		depth := 8
		switch t.raw[2] >> 5 & 3 { // more than 8, and twelve
		case 2:
			depth = 10
		case 3:
			depth = 12
		}
		return fmt.Sprintf("av01.%d.%02d%c.%02d", t.raw[1]>>5, t.raw[1]&31, "MH"[t.raw[2]>>7], depth)
	case *codecs.VP9:
		return fmt.Sprintf("vp09.%02d.10.%02d", c.Profile, c.BitDepth) // of the level of what vpcC says
	case *codecs.MPEG4Audio:
		if c.Config.ExtensionType != 0 {
			return fmt.Sprintf("mp4a.40.%d", c.Config.ExtensionType)
		}
		return fmt.Sprintf("mp4a.40.%d", c.Config.Type)
	case *codecs.MPEG1Audio:
		return "mp4a.40.34"
	case *codecs.Opus:
		return "opus"
	}
	return ""
}

// hevcText is the text for an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, E.3). Parameter sets are in it and in
// no sample's stead, so it is hvc1: Apple's players take no hev1.
func hevcText(r []byte) string {
	const fixed = 13
	if len(r) < fixed {
		return ""
	}
	compatible := bits.Reverse32(uint32(r[2])<<24 | uint32(r[3])<<16 | uint32(r[4])<<8 | uint32(r[5]))
	var b strings.Builder
	fmt.Fprintf(&b, "hvc1.%s%d.%X.%c%d", [4]string{"", "A", "B", "C"}[r[1]>>6], r[1]&31, compatible, "LH"[r[1]>>5&1], r[12])
	constraints := r[6:12]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, c := range constraints {
		fmt.Fprintf(&b, ".%X", c)
	}
	return b.String()
}

// sizeOfPictures is their width and height, 0 if a track has none or they are not known.
func sizeOfPictures(t *track) (width, height int) {
	switch c := t.codec.(type) {
	case *codecs.H264:
		var sps h264.SPS
		if sps.Unmarshal(c.SPS) == nil {
			return sps.Width(), sps.Height()
		}
	case *codecs.H265:
		var sps h265.SPS
		if sps.Unmarshal(c.SPS) == nil {
			return sps.Width(), sps.Height()
		}
	case *codecs.VP9:
		return c.Width, c.Height
	}
	return 0, 0
}
