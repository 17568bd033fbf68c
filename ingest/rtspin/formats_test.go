//go:build !lean

package rtspin

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"relay/ingest/convert"
)

// AAC in LATM, described in the SDP or in each element, comes as its frames, or with a sync word in front.
func TestLATMIsTaken(t *testing.T) {
	config := &mpeg4audio.StreamMuxConfig{Programs: []*mpeg4audio.StreamMuxConfigProgram{{Layers: []*mpeg4audio.StreamMuxConfigLayer{{
		AudioSpecificConfig: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}, LatmBufferFullness: 255,
	}}}}}
	frame := bytes.Repeat([]byte{0x21}, 300)
	for _, present := range []bool{false, true} {
		e := mpeg4audio.AudioMuxElement{MuxConfigPresent: present, StreamMuxConfig: config, Payloads: [][][][]byte{{{frame}}}}
		payload := must(e.Marshal())
		f := &format.MPEG4AudioLATM{PayloadTyp: 97, CPresent: present, ProfileLevelID: 1}
		if !present {
			f.StreamMuxConfig = config
		}
		s, ok := soundOf(f)
		if !ok {
			t.Fatal("it is not taken")
		}
		half := len(payload) / 2
		frames := s.frames(&rtp.Packet{Header: rtp.Header{SequenceNumber: 1}, Payload: payload[:half]})
		frames = append(frames, s.frames(&rtp.Packet{Header: rtp.Header{SequenceNumber: 2, Marker: true}, Payload: payload[half:]})...)
		if len(frames) != 1 {
			t.Fatalf("%d frames", len(frames))
		}
		c := convert.New(nil)
		c.Configure(convert.Track{}, s.track)
		n := 0
		for i := range int64(5) {
			for _, u := range s.units(slices.Clone(frames), i*1920, false) {
				for _, tag := range c.Sound(u) {
					if bytes.Contains(tag, frame) {
						n++
					}
				}
			}
		}
		if n != 5 {
			t.Errorf("%d frames of 5 with the description in the element: %t", n, present)
		}
		if garbage := s.frames(&rtp.Packet{Header: rtp.Header{SequenceNumber: 9, Marker: true}, Payload: []byte{0xff}}); !present && len(garbage) > 0 {
			t.Errorf("garbage is %x", garbage)
		}
	}
}

// Of AV1 and VP9, which come in frames, one that lacks a packet is dropped with all up to the next marker.
func TestFramesWithoutAPacketAreDropped(t *testing.T) {
	unit := func(n byte) [][]byte { return [][]byte{append([]byte{0x30, n}, bytes.Repeat([]byte{n}, 5000)...)} }
	f := &format.AV1{PayloadTyp: 96}
	e := must(f.CreateEncoder())
	var packets []*rtp.Packet
	for n := range byte(4) {
		all := must(e.Encode(unit(n)))
		for _, p := range all {
			p.Timestamp = uint32(n) * 3000
		}
		packets = append(packets, all...)
	}
	p, ok := picturesOf(f)
	if !ok {
		t.Fatal("it is not taken")
	}
	lost := len(packets)/4 + 1 // in the second picture
	var got []uint32
	for i, packet := range packets {
		if i == lost {
			continue
		}
		p.take(packet, i == lost+1, func(u convert.Unit, ts uint32) {
			n := byte(ts / 3000)
			want := must(av1.Bitstream(unit(n)).Marshal())
			if !bytes.Equal(u.Data, want) || u.Lost != (n == 2) {
				t.Errorf("picture %d has %d bytes, want %d; something is lost: %t", n, len(u.Data), len(want), u.Lost)
			}
			got = append(got, ts)
		})
	}
	if !slices.Equal(got, []uint32{0, 6000, 9000}) {
		t.Errorf("pictures at %d", got)
	}
}

// What is taken of a camera is what the table of the design has under RTSP.
func TestTheTableOfWhatCamerasBringIsTrue(t *testing.T) {
	b := must(os.ReadFile("../design.md"))
	latm := &mpeg4audio.StreamMuxConfig{Programs: []*mpeg4audio.StreamMuxConfigProgram{{Layers: []*mpeg4audio.StreamMuxConfigLayer{{
		AudioSpecificConfig: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2},
	}}}}}
	config := latm.Programs[0].Layers[0].AudioSpecificConfig
	for codec, formats := range map[string][]format.Format{
		"H.264": {&format.H264{PayloadTyp: 96, PacketizationMode: 1}},
		"HEVC":  {&format.H265{PayloadTyp: 96}},
		"AV1":   {&format.AV1{PayloadTyp: 96}},
		"VP9":   {&format.VP9{PayloadTyp: 96}},
		"AAC": {
			&format.MPEG4Audio{PayloadTyp: 97, Config: config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3},
			&format.MPEG4AudioLATM{PayloadTyp: 97, StreamMuxConfig: latm},
		},
		"Opus":   {&format.Opus{PayloadTyp: 97, ChannelCount: 2}},
		"MP3":    {&format.MPEG1Audio{}},
		"AC-3":   {&format.AC3{PayloadTyp: 97, SampleRate: 48000, ChannelCount: 2}},
		"E-AC-3": {&format.Generic{PayloadTyp: 97, RTPMa: "EAC3/48000", ClockRat: 48000}},
	} {
		_, row, _ := strings.Cut(string(b), "\n| "+codec+" | as sent | ")
		cells := strings.Split(row, " | ")
		if len(cells) < 2 {
			t.Fatalf("ingest/design.md has no row of %s", codec)
		}
		for _, f := range formats {
			_, seen := picturesOf(f)
			_, heard := soundOf(f)
			if said := !strings.HasPrefix(cells[1], "left out"); said != (seen || heard) {
				t.Errorf("%T is taken: %t; ingest/design.md says %q", f, seen || heard, cells[1])
			}
		}
	}
}
