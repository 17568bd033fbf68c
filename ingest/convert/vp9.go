package convert

import (
	"bytes"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"
)

// vp9Pictures knows VP9.
type vp9Pictures struct {
	record []byte
	shows  size
}

func (v *vp9Pictures) config() ([]byte, size) { return v.record, v.shows }

func (v *vp9Pictures) next(u Unit) (p picture, ok bool) {
	var h vp9.Header
	if h.Unmarshal(u.Data) != nil {
		return p, false
	}
	p.data, p.key = u.Data, !h.NonKeyFrame && h.FrameSize != nil && h.ColorConfig != nil
	if !p.key {
		return p, true
	}
	full := byte(0)
	if h.ColorConfig.ColorRange {
		full = 1
	}
	// VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding): the colours are not told.
	const level, notTold = 0, 2
	record := []byte{h.Profile, level, h.ColorConfig.BitDepth<<4 | h.ChromaSubsampling()<<1 | full, notTold, notTold, notTold, 0, 0}
	v.shows = size{width: h.Width(), height: h.Height()}
	if !bytes.Equal(record, v.record) {
		v.record = record
	}
	return p, true
}
