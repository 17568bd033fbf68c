package convert

import "github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

const (
	opusRate = 48000
	// opusLongest is how long a packet is at most, in samples (RFC 6716, 3.2.5: 120 ms).
	opusLongest = opusRate * 120 / 1000
	// opusSkip is how many samples at the beginning say nothing, as libopus has it (RFC 7845, 4.2).
	opusSkip = 312
	// opusStereo is the number of channels where nobody tells: an encoder of one channel can be
	// decoded to two, but not the other way round.
	opusStereo = 2
)

// opusSurround is what an identification header says of more than two channels, after their number:
// streams, those of two channels, and which channel is which (RFC 7845, 5.1.1.2).
var opusSurround = [...][]byte{
	3: {2, 1, 0, 2, 1},
	4: {2, 2, 0, 1, 2, 3},
	5: {3, 2, 0, 4, 1, 2, 3},
	6: {4, 2, 0, 4, 1, 2, 3, 5},
	7: {4, 3, 0, 4, 1, 2, 3, 5, 6},
	8: {5, 3, 0, 6, 1, 2, 3, 4, 5, 7},
}

// opusSound knows Opus, whose packets say by themselves how long they are.
type opusSound struct{ told soundInfo }

func newOpus(channels int) *opusSound {
	if channels <= 0 || channels >= len(opusSurround) {
		channels = opusStereo
	}
	// Of the identification header (RFC 7845, 5.1), numbers have their lowest byte first.
	head := append([]byte("OpusHead"), 1, byte(channels), opusSkip&0xff, opusSkip>>8, opusRate&0xff, opusRate>>8&0xff, 0, 0, 0, 0)
	if s := opusSurround[channels]; s != nil {
		head = append(append(head, 1), s...)
	} else {
		head = append(head, 0)
	}
	return &opusSound{soundInfo{head, opusRate, channels}}
}

func (o *opusSound) sync() byte                { return 0 }
func (o *opusSound) info() soundInfo           { return o.told }
func (o *opusSound) head(b []byte) (int, bool) { return len(b), true }

func (o *opusSound) take(b []byte, into []frame) []frame {
	n := opus.PacketDuration2(b)
	if n <= 0 || n > opusLongest {
		return into
	}
	return append(into, frame{b, n})
}
