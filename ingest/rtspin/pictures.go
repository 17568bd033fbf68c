//go:build !lean

package rtspin

import (
	"slices"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/pion/rtp"

	"relay/ingest/convert"
)

// pictures is how the packets of one format become pictures.
type pictures struct {
	track convert.Track
	take  func(p *rtp.Packet, gap bool, whole func(unit convert.Unit, ts uint32))
}

// picturesOf returns how a format is taken, false for one that cannot be carried.
func picturesOf(f format.Format) (p pictures, ok bool) {
	switch f := f.(type) {
	case *format.H264:
		return byNALs(convert.Track{Format: convert.H264, Config: startCodes(f.SPS, f.PPS)}, func() (nalDecoder, error) { return f.CreateDecoder() })
	case *format.H265:
		return byNALs(convert.Track{Format: convert.HEVC, Config: startCodes(f.VPS, f.SPS, f.PPS)}, func() (nalDecoder, error) { return f.CreateDecoder() })
	case *format.AV1:
		return byFrames(convert.AV1, func() (frameDecoder, error) {
			d, err := f.CreateDecoder()
			return func(p *rtp.Packet) ([]byte, error) {
				units, err := d.Decode(p)
				if err != nil {
					return nil, err
				}
				return av1.Bitstream(units).Marshal()
			}, err
		})
	case *format.VP9:
		return byFrames(convert.VP9, func() (frameDecoder, error) {
			d, err := f.CreateDecoder()
			if err != nil {
				return nil, err
			}
			return d.Decode, nil
		})
	}
	return p, false
}

// startCodes is the sets that are there, with start codes in front.
func startCodes(sets ...[]byte) string {
	var b []byte
	for _, s := range sets {
		if len(s) > 0 {
			b = append(append(b, 0, 0, 0, 1), s...)
		}
	}
	return string(b)
}

type nalDecoder interface {
	Decode(*rtp.Packet) ([][]byte, error)
}

// byNALs puts pictures together out of NAL units.
func byNALs(track convert.Track, decoder func() (nalDecoder, error)) (pictures, bool) {
	d, err := decoder()
	if err != nil {
		return pictures{}, false
	}
	of := &assembly{hevc: track.Format == convert.HEVC}
	return pictures{track, func(p *rtp.Packet, gap bool, whole func(convert.Unit, uint32)) {
		if gap {
			of.gap(p.Timestamp)
			if fresh, err := decoder(); err == nil {
				d = fresh // the old one has the beginning of what never ends
			}
		}
		marker := p.Marker
		p.Marker = true // or it would put pictures together itself, without telling of those that are not whole
		nals, err := d.Decode(p)
		p.Marker = marker
		if err != nil && !marker {
			return
		}
		of.add(nals, p.Timestamp, marker, func(a access) {
			whole(convert.Unit{NALs: a.nals, Lost: a.lost}, a.ts)
		})
	}}, true
}

type frameDecoder func(*rtp.Packet) ([]byte, error)

// byFrames takes pictures that the library puts together. One of which something is missing is dropped with all up to
// the next marker.
func byFrames(f convert.Format, decoder func() (frameDecoder, error)) (pictures, bool) {
	d, err := decoder()
	if err != nil {
		return pictures{}, false
	}
	lost, broken := false, false
	return pictures{convert.Track{Format: f}, func(p *rtp.Packet, gap bool, whole func(convert.Unit, uint32)) {
		if gap {
			lost, broken = true, true
		}
		if broken {
			if p.Marker {
				if fresh, err := decoder(); err == nil {
					d, broken = fresh, false
				}
			}
			return
		}
		b, err := d(p)
		if err != nil || len(b) == 0 {
			return
		}
		whole(convert.Unit{Data: slices.Clip(b), Lost: lost}, p.Timestamp)
		lost = false
	}}, true
}
