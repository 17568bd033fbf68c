package convert

import (
	"bytes"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// aacSamples is how many samples a frame of AAC has, at the rate of its core (ISO/IEC 14496-3).
const aacSamples = 1024

// adtsRates are those that a head of ADTS has a number for, in Hz (ISO/IEC 14496-3, table 1.18).
var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// adts knows AAC with heads of ADTS (ISO/IEC 14496-3, 1.A.3.2). SBR is told by none of them: rate
// and samples are those of the core, as FLV has it too.
type adts struct{ told soundInfo }

const adtsHead, adtsCRC = 7, 2

func (a *adts) sync() byte      { return 0xff }
func (a *adts) info() soundInfo { return a.told }

func (a *adts) head(b []byte) (n int, ok bool) {
	switch {
	case b[0] != 0xff, len(b) > 1 && b[1]&0xf6 != 0xf0, len(b) > 2 && int(b[2]>>2&15) >= len(adtsRates):
		return 0, false
	case len(b) < adtsHead:
		return 0, true
	}
	n = int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	return n, n > headOfADTS(b)
}

func headOfADTS(b []byte) int {
	if b[1]&1 == 0 {
		return adtsHead + adtsCRC
	}
	return adtsHead
}

// take leaves out frames of several blocks, which cannot be told apart without decoding them, and
// those whose channels are told in their data.
func (a *adts) take(b []byte, into []frame) []frame {
	kind, index, channels := b[2]>>6+1, b[2]>>2&15, b[2]&1<<2|b[3]>>6
	if b[6]&3 != 0 || channels == 0 {
		return into
	}
	config := [2]byte{kind<<3 | index>>1, index<<7 | channels<<3}
	if !bytes.Equal(config[:], a.told.config) {
		a.told = soundInfo{config[:], adtsRates[index], channelsOf(channels)}
	}
	return append(into, frame{b[headOfADTS(b):], aacSamples})
}

// channelsOf is the number of channels that a channel configuration stands for, 0 if the frames tell
// (ISO/IEC 14496-3, table 1.19).
func channelsOf(config uint8) int {
	if config == 7 {
		return 8
	}
	return int(config)
}

// rawAAC is AAC in frames alone.
type rawAAC struct {
	told    soundInfo
	samples int64
}

// newAAC returns what knows nothing of its frames if the AudioSpecificConfig is malformed.
func newAAC(config string) *rawAAC {
	a := &rawAAC{}
	a.told, a.samples = infoOf([]byte(config))
	return a
}

// infoOf reads an AudioSpecificConfig. The rate is that of the core, whether SBR is told or not.
func infoOf(config []byte) (soundInfo, int64) {
	var c mpeg4audio.AudioSpecificConfig
	if c.Unmarshal(config) != nil || c.SampleRate <= 0 {
		return soundInfo{}, 0
	}
	samples := int64(aacSamples)
	if c.FrameLengthFlag {
		samples = 960
	}
	return soundInfo{config, c.SampleRate, channelsOf(c.ChannelConfig)}, samples
}

func (a *rawAAC) sync() byte                { return 0 }
func (a *rawAAC) info() soundInfo           { return a.told }
func (a *rawAAC) head(b []byte) (int, bool) { return len(b), true }

func (a *rawAAC) take(b []byte, into []frame) []frame {
	if a.told.config == nil || len(b) == 0 {
		return into
	}
	return append(into, frame{b, a.samples})
}

// loas knows AAC in LATM, in an AudioSyncStream (ISO/IEC 14496-3, 1.7.2).
type loas struct {
	element mpeg4audio.AudioMuxElement // with the newest configuration
	told    soundInfo
	samples int64
}

const loasHead = 3

func (l *loas) sync() byte      { return 0x56 }
func (l *loas) info() soundInfo { return l.told }

func (l *loas) head(b []byte) (n int, ok bool) {
	switch {
	case b[0] != 0x56, len(b) > 1 && b[1]&0xe0 != 0xe0:
		return 0, false
	case len(b) < loasHead:
		return 0, true
	}
	return loasHead + int(b[1]&0x1f)<<8 + int(b[2]), true
}

func (l *loas) take(b []byte, into []frame) []frame {
	l.element.MuxConfigPresent = true
	was := l.element.StreamMuxConfig
	if l.element.Unmarshal(b[loasHead:]) != nil {
		l.element.StreamMuxConfig = was // of one that is cut, the library keeps half, and reads the next element by it
		return into
	}
	if c := l.element.StreamMuxConfig; !l.element.UseSameStreamMux || l.told.config == nil {
		if len(c.Programs) == 0 || len(c.Programs[0].Layers) == 0 || c.Programs[0].Layers[0].AudioSpecificConfig == nil {
			return into
		}
		config, err := c.Programs[0].Layers[0].AudioSpecificConfig.Marshal()
		if err != nil {
			return into
		}
		if !bytes.Equal(config, l.told.config) {
			l.told, l.samples = infoOf(config)
		}
	}
	if l.told.config == nil {
		return into
	}
	for _, sub := range l.element.Payloads {
		if len(sub) > 0 && len(sub[0]) > 0 && len(sub[0][0]) > 0 {
			into = append(into, frame{sub[0][0], l.samples})
		}
	}
	return into
}
