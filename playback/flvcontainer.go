package playback

import (
	"bytes"
	"net"

	"relay/ingest/flv"
)

// flvForm is what a stream is anyway.
var flvForm = Form{Name: "flv", New: func() Container { return &flvContainer{} }}

// flvContainer leaves tags what they are, and remembers those since the newest place to start.
type flvContainer struct {
	header []byte // payload of the header in force, with the file's own header
	since  record
}

// announce says which header is in force from the next batch on.
func (c *flvContainer) announce(header []byte) { c.header = header }

// Convert implements [Container].
func (c *flvContainer) Convert(b flv.Batch) (net.Buffers, error) {
	if b.Header {
		b.Parts, b.Header = b.Parts[1:], false // a viewer joins with it
	}
	if b.Start {
		c.since = record{on: true, opening: c.header}
	}
	c.since.add(b)
	return append(net.Buffers(nil), b.Parts...), nil
}

// Join implements [Container].
func (c *flvContainer) Join(catchUp bool) (net.Buffers, error) {
	switch {
	case c.header == nil:
		return nil, nil
	case catchUp && c.since.on:
		return append(net.Buffers{c.since.opening}, c.since.squashed()...), nil
	}
	return net.Buffers{c.header}, nil
}

// rejoin is what a viewer gets who has fallen behind, and goes on at the newest place to start, or
// with catchUp after the pictures since then. had is the header that was in force where the
// viewer was.
func (c *flvContainer) rejoin(had []byte, catchUp bool) net.Buffers {
	var out net.Buffers
	if !bytes.Equal(had, c.since.opening) {
		for t := range flv.Tags(c.since.opening) {
			t = bytes.Clone(t)
			flv.PutTimestamp(t, c.since.begins())
			out = append(out, t)
		}
	}
	if catchUp {
		out = append(out, c.since.squashed()...)
	}
	return out
}
