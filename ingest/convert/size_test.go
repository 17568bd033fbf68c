package convert

import (
	"bytes"
	"slices"
	"testing"

	"relay/ingest/ingesttest"
)

// TestLargeInputCostsInProportion has units that are large in one way each: what is allocated may not grow faster than
// they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	repeat := func(p string, n int) []byte { return bytes.Repeat([]byte(p), n/len(p)+1) }
	for name, c := range map[string]struct {
		format Format
		make   func(n int) []byte
	}{
		"one NAL unit of H.264":          {H264, func(n int) []byte { return slices.Concat(key, repeat("\xab", n)) }},
		"one NAL unit of HEVC":           {HEVC, func(n int) []byte { return slices.Concat([]byte("\x00\x00\x01\x26\x01"), repeat("\xab", n)) }},
		"many NAL units":                 {H264, func(n int) []byte { return slices.Concat(key, repeat("\x00\x00\x01\x41\x9a", n)) }},
		"start codes of nothing":         {H264, func(n int) []byte { return repeat("\x00\x00\x01", n) }},
		"zeros":                          {H264, func(n int) []byte { return repeat("\x00", n) }},
		"bytes that are to be escaped":   {H264, func(n int) []byte { return slices.Concat(sps, repeat("\x00\x00\x03", n), pps, idr) }},
		"parameter sets of one number":   {H264, func(n int) []byte { return repeat(string(sps)+string(otherSPS)+string(pps)+string(idr), n) }},
		"messages beside a picture":      {H264, func(n int) []byte { return slices.Concat(key, []byte{0, 0, 1, 6}, repeat("\x05\xff", n)) }},
		"many messages beside a picture": {H264, func(n int) []byte { return slices.Concat(key, []byte{0, 0, 1, 6}, repeat("\x06\x00", n)) }},
		"units of AV1 of nothing":        {AV1, func(n int) []byte { return repeat("\x32\x00", n) }},
		"a unit of AV1":                  {AV1, func(n int) []byte { return slices.Concat([]byte{0x30}, repeat("\xab", n)) }},
		"sequences of AV1":               {AV1, func(n int) []byte { return repeat("\x0a\x0b\x00\x00\x00\x24\xcf\xbf\x0d\xef\x70\x04\x04", n) }},
		"a frame of VP9": {VP9, func(n int) []byte {
			return slices.Concat([]byte("\x82\x49\x83\x42\x00\x13\xf0\x0e\xf6\x00"), repeat("\x38", n))
		}},
		"sync bytes of ADTS":           {ADTS, func(n int) []byte { return repeat("\xff", n) }},
		"heads of ADTS":                {ADTS, func(n int) []byte { return repeat(string(aac(1000, 7)[:adtsHead]), n) }},
		"frames of ADTS":               {ADTS, func(n int) []byte { return repeat(string(aac(20, 7)), n) }},
		"noise between frames of ADTS": {ADTS, func(n int) []byte { return repeat(string(aac(20, 7))+"\xff\xf1\x00", n) }},
		"sync words of LATM":           {LOAS, func(n int) []byte { return repeat("\x56\xe0\x00", n) }},
		"frames of LATM":               {LOAS, func(n int) []byte { return repeat("\x56\xe0\x04\x20\x00\x11\x90", n) }},
		"sync bytes of MP3":            {MP3, func(n int) []byte { return repeat("\xff\xfb", n) }},
		"sync words of AC-3":           {AC3, func(n int) []byte { return repeat("\x0b\x77", n) }},
		"a packet of Opus":             {Opus, func(n int) []byte { return slices.Concat([]byte{0xfc}, repeat("\xff", n)) }},
		"frames in a packet of Opus":   {Opus, func(n int) []byte { return slices.Concat([]byte{0xff, 0x3f}, repeat("\x01", n)) }},
	} {
		// The shortest frames, each of which is a tag with a head, cost most.
		ingesttest.InProportion(t, name, 64<<10, 64*8*64<<10, c.make, func(b []byte) {
			s := newSession(Track{Format: c.format}, Track{})
			if !c.format.Pictures() {
				s = newSession(Track{}, Track{Format: c.format})
				s.sound(0, b)
			} else {
				s.picture(0, -1, b)
			}
			s.Flush()
		})
	}
}
