package ingest

import (
	"errors"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/ingest/mpegts"
)

// payloads makes tags of MPEG-TS that comes in datagrams.
type payloads struct {
	*origin
	demux *mpegts.Demuxer
	unfit string // why what came was told to be of no use
}

func newPayloads(o *origin) *payloads {
	return &payloads{origin: o, demux: mpegts.NewDemuxer(o.program, o.told)}
}

// take takes a payload and hands over its tags. What is of no use is told, once for each reason.
func (p *payloads) take(b []byte, to func(flv.Tag) error) error {
	packets := packetsIn(b)
	if packets == nil {
		p.cannot(errNoTS)
	}
	for ; len(packets) >= tsPacket; packets = packets[tsPacket:] {
		tags, err := p.demux.Packet(packets[:tsPacket])
		for _, t := range tags {
			if err := to(t); err != nil {
				return err
			}
		}
		if err != nil {
			p.cannot(err)
		}
	}
	return nil
}

func (p *payloads) cannot(err error) {
	if p.unfit != err.Error() {
		p.unfit = err.Error()
		p.log.Warn("what is sent there is of no use", zap.String("from", p.name), zap.Error(err))
	}
}

// errNoTS says that datagrams are none of MPEG-TS.
var errNoTS = errors.New("it is no MPEG-TS")

const (
	tsPacket = 188
	tsSync   = 0x47
)

// packetsIn returns the packets in a datagram, behind a head of RTP (RFC 3550, 5.1; RFC 2250) if
// there is one; nil if there are none.
func packetsIn(b []byte) []byte {
	const fixed, extension = 12, 4
	if len(b) >= fixed+tsPacket && b[0]>>6 == 2 {
		at := fixed + 4*int(b[0]&15)
		if b[0]&0x10 != 0 {
			if len(b) < at+extension {
				return nil
			}
			at += extension + 4*(int(b[at+2])<<8|int(b[at+3]))
		}
		if at > len(b) {
			return nil
		}
		b = b[at:]
	}
	if len(b) < tsPacket || b[0] != tsSync {
		return nil
	}
	return b
}
