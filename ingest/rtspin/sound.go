//go:build !lean

package rtspin

import (
	"bytes"
	"encoding/binary"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"relay/ingest/convert"
)

// sound is how the packets of one format become units of sound: those that one packet completes.
type sound struct {
	track  convert.Track
	frames func(*rtp.Packet) [][]byte // nil for a packet that completes none
	lasts  int64                      // one of frames, in convert.Rate; 0 if a unit has all of them
}

// soundOf returns how a format is taken, false for one that cannot be carried.
func soundOf(f format.Format) (s sound, ok bool) {
	switch f := f.(type) {
	case *format.MPEG4Audio:
		if f.Config == nil || f.Config.SampleRate <= 0 {
			return s, false
		}
		config, err := f.Config.Marshal()
		d, derr := f.CreateDecoder()
		if err != nil || derr != nil {
			return s, false
		}
		s.track = convert.Track{Format: convert.AAC, Config: string(config)}
		s.lasts = aacLasts(f.Config)
		s.frames = func(p *rtp.Packet) [][]byte { all, _ := d.Decode(p); return all }
	case *format.MPEG4AudioLATM:
		return latmOf(f)
	case *format.Opus:
		d, err := f.CreateDecoder()
		if err != nil {
			return s, false
		}
		s.track = convert.Track{Format: convert.Opus, Channels: f.ChannelCount}
		s.frames = func(p *rtp.Packet) [][]byte {
			if one, err := d.Decode(p); err == nil {
				return [][]byte{one}
			}
			return nil
		}
	case *format.MPEG1Audio:
		d, err := f.CreateDecoder()
		if err != nil {
			return s, false
		}
		s.track = convert.Track{Format: convert.MP3}
		s.frames = func(p *rtp.Packet) [][]byte { all, _ := d.Decode(p); return all }
	case *format.AC3:
		d, err := f.CreateDecoder()
		if err != nil {
			return s, false
		}
		s.track = convert.Track{Format: convert.AC3}
		s.frames = func(p *rtp.Packet) [][]byte { all, _ := d.Decode(p); return all }
	default:
		return s, false
	}
	return s, true
}

// aacLasts is how long a frame is: 1024 samples of its core, or 960.
func aacLasts(c *mpeg4audio.AudioSpecificConfig) int64 {
	samples := int64(1024)
	if c.FrameLengthFlag {
		samples = 960
	}
	return samples * convert.Rate / int64(c.SampleRate)
}

// latmOf takes AAC in LATM (RFC 6416, 6): described in the SDP, or, with cpresent=1, in each element, which is then
// given on as in MPEG-TS, with a sync word.
func latmOf(f *format.MPEG4AudioLATM) (s sound, ok bool) {
	d, err := f.CreateDecoder()
	if err != nil {
		return s, false
	}
	if f.CPresent {
		const most = 1<<13 - 1 // bytes in an element with a sync word
		s.track = convert.Track{Format: convert.LOAS}
		s.frames = func(p *rtp.Packet) [][]byte {
			e, err := d.Decode(p)
			if err != nil || len(e) > most {
				return nil
			}
			head := uint32(0x2b7)<<13 | uint32(len(e)) // ISO/IEC 14496-3, 1.7.2
			return [][]byte{append(binary.BigEndian.AppendUint32(nil, head)[1:], e...)}
		}
		return s, true
	}
	c := f.StreamMuxConfig
	if c == nil || len(c.Programs) != 1 || len(c.Programs[0].Layers) != 1 || c.Programs[0].Layers[0].AudioSpecificConfig == nil {
		return s, false
	}
	config := c.Programs[0].Layers[0].AudioSpecificConfig
	b, err := config.Marshal()
	if err != nil || config.SampleRate <= 0 {
		return s, false
	}
	s.track, s.lasts = convert.Track{Format: convert.AAC, Config: string(b)}, aacLasts(config)
	s.frames = func(p *rtp.Packet) (all [][]byte) {
		e, err := d.Decode(p)
		in := mpeg4audio.AudioMuxElement{StreamMuxConfig: c}
		if err != nil || in.Unmarshal(e) != nil {
			return nil
		}
		for _, sub := range in.Payloads {
			all = append(all, sub[0][0])
		}
		return all
	}
	return s, true
}

// units makes the units of a packet's frames, at a time.
func (s sound) units(frames [][]byte, at int64, lost bool) (all []convert.Unit) {
	if len(frames) == 0 {
		return nil
	}
	if s.lasts == 0 && len(frames) > 1 {
		frames = [][]byte{bytes.Join(frames, nil)}
	}
	for i, f := range frames {
		all = append(all, convert.Unit{PTS: at + int64(i)*s.lasts, HasPTS: true, Lost: lost && i == 0, Data: f})
	}
	return all
}
