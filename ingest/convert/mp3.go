package convert

import "github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"

// mp3 knows MPEG audio, layer III, at 16 kHz and more. Layer II, which broadcasters send, has no
// place in FLV: its frames are found and left out.
type mp3 struct {
	told  soundInfo
	layer uint8 // of the newest frame
}

const (
	mpegHead    = 5 // what the library wants of a frame, in bytes
	layerIII    = 3
	bitsPerByte = 8
)

func (m *mp3) sync() byte      { return 0xff }
func (m *mp3) info() soundInfo { return m.told }

func (m *mp3) head(b []byte) (n int, ok bool) {
	switch {
	case b[0] != 0xff, len(b) > 1 && b[1]&0xf0 != 0xf0:
		return 0, false
	case len(b) < mpegHead:
		return 0, true
	}
	var h mpeg1audio.FrameHeader
	if h.Unmarshal(b) != nil {
		return 0, false
	}
	n = h.SampleCount() / bitsPerByte * h.Bitrate / h.SampleRate
	if h.Padding {
		n++
	}
	return n, n >= mpegHead
}

func (m *mp3) take(b []byte, into []frame) []frame {
	var h mpeg1audio.FrameHeader
	if h.Unmarshal(b) != nil {
		return into
	}
	if m.layer = h.Layer; h.Layer != layerIII {
		return into
	}
	m.told = soundInfo{nil, h.SampleRate, 2}
	if h.ChannelMode == mpeg1audio.ChannelModeMono {
		m.told.channels = 1
	}
	return append(into, frame{b, int64(h.SampleCount())})
}
