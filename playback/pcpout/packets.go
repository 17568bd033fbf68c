package pcpout

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// gatherTime is how long tags are put together. A PeerCast keeps 64 packets for those it
// serves: with one of each tag that would be a second.
const gatherTime = 100 * time.Millisecond

// told is what is said of a channel.
type told struct {
	info  pcp.Info
	track pcp.Track
}

// form is the channel in PCP's packets. about says what there is to say of it, and must be quick.
func form(id pcp.ID, about func() *told) playback.Form {
	return playback.Form{Name: "pcp", New: func() playback.Container { return &packets{id: id, about: about} }, Gather: gatherTime, AsSigned: true}
}

// resumed is form for one peer that has all up to a position in a run of the source.
func resumed(id pcp.ID, about func() *told, epoch stream.Epoch, from uint64) playback.Form {
	f := form(id, about)
	f.New = func() playback.Container {
		return &packets{id: id, about: about, from: from, until: epoch, resumes: true}
	}
	return f
}

// packets puts tags into packets, as [playback.Container] asks. Data is shared with the ring: only the
// heads of packets are made.
type packets struct {
	id      pcp.ID
	about   func() *told
	from    uint64       // tags that begin before it are left out
	until   stream.Epoch // in this run of the source
	resumes bool         // nothing has come yet: it begins where the peer goes on, which is no place to start

	epoch   stream.Epoch
	header  []byte // payload of the header in force
	changed bool   // since the newest batch
	said    *told
}

// Head implements [playback.Headed].
func (p *packets) Head(of stream.Epoch, payload []byte) {
	if p.header != nil && (of != p.epoch || !bytes.Equal(payload, p.header)) {
		p.changed = true
	}
	p.epoch, p.header = of, payload
}

var errHead = errors.New("what decoders need before the stream is more than a PeerCast takes")

// head returns the packet that a reader needs before all others. It has position 0, at which a PeerCast begins
// anew.
func (p *packets) head() (*pcp.Packet, error) {
	data := p.header
	if len(data) > pcp.MostHead { // without what is said of the stream
		data = slices.Clone(data[:flv.FileHeaderLen])
		for t := range flv.Tags(p.header) {
			if t.Type() != flv.Script {
				data = append(data, t...)
			}
		}
	}
	if len(data) > pcp.MostHead {
		return nil, errHead
	}
	return &pcp.Packet{Kind: pcp.Head, Data: data}, nil
}

// Join implements [playback.Container]. Nobody catches up by it: a PeerCast gets everything as it was
// sent.
func (p *packets) Join(bool) (net.Buffers, error) {
	if p.header == nil {
		return nil, nil
	}
	head, err := p.head()
	if err != nil {
		return nil, err
	}
	now := p.about()
	all := pcp.Chan{ID: p.id, Info: &now.info, Track: &now.track, Packet: head}.Append(nil)
	if len(all) <= pcp.MostSent {
		return net.Buffers{all}, nil
	}
	return net.Buffers{
		pcp.Chan{ID: p.id, Info: &now.info, Track: &now.track}.Append(nil),
		pcp.Chan{ID: p.id, Packet: head}.Append(nil),
	}, nil
}

// Convert implements [playback.Container].
func (p *packets) Convert(b flv.Batch) (out net.Buffers, err error) {
	if b.Header {
		b.Parts, b.Header = b.Parts[1:], false // who joins gets it
	}
	if p.changed {
		head, err := p.head()
		if err != nil {
			return nil, err
		}
		out, p.changed = append(out, pcp.Chan{ID: p.id, Packet: head}.Append(nil)), false
	}
	now := p.about()
	if p.said != nil && *now != *p.said {
		out = append(out, pcp.Chan{ID: p.id, Info: &now.info, Track: &now.track}.Append(nil))
	}
	p.said = now
	return p.pack(out, b), nil
}

// pack appends the packets of a batch.
func (p *packets) pack(out net.Buffers, b flv.Batch) net.Buffers {
	var (
		from, to int    // of the packet in the batch's bytes
		pos      uint64 // of its first byte in the stream
		cont     byte
	)
	flush := func() {
		if to > from {
			out = append(out, pcp.AppendDataHead(nil, p.id, uint32(pos), cont, to-from))
			out = flv.AppendCut(out, b.Parts, from, to)
			from, cont = to, pcp.Cont
		}
	}
	if cont = pcp.Cont; b.Start && !p.resumes {
		cont = 0 // a reader may start with the batch
	}
	p.resumes = false
	for i, n := range b.Lens {
		at := b.At[i]
		if at < p.from && p.epoch == p.until {
			to += n
			from = to
			continue
		}
		if to-from+n > pcp.MostData {
			flush()
		}
		if to == from {
			pos = at
		}
		for to += n; to-from > pcp.MostData; {
			rest := to
			to = from + pcp.MostData
			flush()
			pos, to = pos+pcp.MostData, rest
		}
	}
	flush()
	return out
}
