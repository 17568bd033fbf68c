package playback

import (
	"bytes"
	"net"
	"slices"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// FLV is what a stream is anyway.
func FLV() Form { return flvForm }

var flvForm = Form{Name: "flv", New: func() Container { return &flvContainer{} }}

// flvContainer leaves tags what they are, and remembers those since the newest place to start.
type flvContainer struct {
	header  []byte // payload of the header in force, with the file's own header
	opening []byte // that was so at the newest place to start
	since   flv.GOP
}

// Head implements [Headed].
func (c *flvContainer) Head(_ stream.Epoch, payload []byte) { c.header = payload }

// Convert implements [Container].
func (c *flvContainer) Convert(b flv.Batch) (net.Buffers, error) {
	if b.Header {
		b.Parts, b.Header = b.Parts[1:], false // a viewer joins with it
	}
	if b.Start {
		c.opening = c.header
		c.since.Begin()
	}
	for pieces := range b.Pieces() {
		c.since.Add(pieces)
	}
	return append(net.Buffers(nil), b.Parts...), nil
}

// Join implements [Container].
func (c *flvContainer) Join(catchUp bool) (net.Buffers, error) {
	switch {
	case c.header == nil:
		return nil, nil
	case catchUp && c.since.Begun():
		return c.squashed(net.Buffers{c.opening}), nil
	}
	return net.Buffers{c.header}, nil
}

// rejoin is what a viewer gets who has fallen behind, and goes on at the newest place to start, or
// with catchUp after the pictures since then. had is the header that was in force where the
// viewer was.
func (c *flvContainer) rejoin(had []byte, catchUp bool) net.Buffers {
	var out net.Buffers
	if !bytes.Equal(had, c.opening) {
		for t := range flv.Tags(c.opening) {
			t = bytes.Clone(t)
			flv.PutTimestamp(t, c.since.Since())
			out = append(out, t)
		}
	}
	if catchUp {
		out = c.squashed(out)
	}
	return out
}

// squashed appends the pictures since the newest place to start, to be shown at once.
func (c *flvContainer) squashed(out net.Buffers) net.Buffers {
	out = slices.Grow(out, 2*c.since.Len())
	for pieces := range c.since.Squashed() {
		out = append(out, pieces...)
	}
	return out
}
