package convert

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/eac3"
)

// dolby knows AC-3 and, if it is enhanced, E-AC-3 (ETSI TS 102 366).
type dolby struct {
	enhanced bool
	told     soundInfo
}

const (
	dolbyHead     = 8 // what the library wants of a frame, in bytes
	ac3Samples    = 1536
	blockSamples  = 256 // of E-AC-3
	dependentType = 1   // strmtyp of what extends the frame before it
)

func (d *dolby) sync() byte      { return 0x0b }
func (d *dolby) info() soundInfo { return d.told }

func (d *dolby) head(b []byte) (n int, ok bool) {
	switch {
	case b[0] != 0x0b, len(b) > 1 && b[1] != 0x77:
		return 0, false
	case len(b) < dolbyHead:
		return 0, true
	case d.enhanced:
		var s eac3.SyncInfo
		if s.Unmarshal(b) != nil {
			return 0, false
		}
		return s.FrameSize(), s.FrameSize() >= dolbyHead
	}
	var s ac3.SyncInfo
	if s.Unmarshal(b) != nil {
		return 0, false
	}
	return s.FrameSize(), true
}

// take leaves out frames that extend the one before them, and other programs beside the first: a
// decoder plays the first without.
func (d *dolby) take(b []byte, into []frame) []frame {
	if d.enhanced {
		var s eac3.SyncInfo
		if s.Unmarshal(b) != nil || s.Strmtyp == dependentType || s.Substreamid != 0 || s.SampleRate() == 0 {
			return into
		}
		d.told = soundInfo{nil, s.SampleRate(), s.ChannelCount()}
		return append(into, frame{b, int64(s.NumBlocks()) * blockSamples})
	}
	var s ac3.SyncInfo
	var bsi ac3.BSI
	if s.Unmarshal(b) != nil {
		return into
	}
	channels := 2
	if bsi.Unmarshal(b[5:]) == nil {
		channels = bsi.ChannelCount()
	}
	d.told = soundInfo{nil, s.SampleRate(), channels}
	return append(into, frame{b, ac3Samples})
}
