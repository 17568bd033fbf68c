package stream

import (
	"errors"
	"fmt"

	"relay/relay/seal"
)

// errClear says that somebody who has the channel's key has sent in the clear what should be sealed.
// Who plays it would take it for private.
var errClear = errors.New("the payload is not sealed, and the channel is private")

// sealOf returns the key of an epoch.
func sealOf(c seal.Content, e Epoch) *seal.Epoch {
	var b [16]byte
	putEpoch(b[:], e)
	return c.Epoch(b)
}

// Opener opens the sealed payloads of a private channel, once for all who play them on this machine.
// It is the only place where they become plain, and stands between two rings: one that has what
// crosses links, and one for players. It belongs to one goroutine.
type Opener struct {
	content seal.Content
	from    *Cursor
	to      *Ring
	epoch   Epoch
	key     *seal.Epoch
}

// NewOpener returns an opener with the channel's content key, for what comes to one ring from now on.
// It puts that into the other.
func NewOpener(content seal.Content, from, to *Ring) *Opener {
	return &Opener{content: content, from: from.Cursor(), to: to}
}

func (o *Opener) keyOf(e Epoch) *seal.Epoch {
	if o.key == nil || o.epoch != e {
		o.epoch, o.key = e, sealOf(o.content, e)
	}
	return o.key
}

// Chunk returns the chunk with its payload in the clear. It has no frame.
func (o *Opener) Chunk(c *Chunk) (*Chunk, error) {
	if !c.Has(Enc) {
		return nil, errClear
	}
	sealed := c.Payload()
	plain, err := o.keyOf(c.epoch).Open(make([]byte, 0, len(sealed)), seal.Chunk, c.seq, sealed, c.signed())
	if err != nil {
		return nil, fmt.Errorf("chunk %d: %w", c.seq, err)
	}
	return &Chunk{plain: plain, epoch: c.epoch, seq: c.seq, beat: c.beat, gen: c.gen, flags: c.flags &^ Enc}, nil
}

// Header returns the header with its payload in the clear. It has no frame.
func (o *Opener) Header(h *Header) (*Header, error) {
	if !h.Sealed() {
		return nil, errClear
	}
	sealed := h.Payload()
	plain, err := o.keyOf(h.epoch).Open(make([]byte, 0, len(sealed)), seal.Header, uint64(h.gen), sealed, h.signed())
	if err != nil {
		return nil, fmt.Errorf("header %d: %w", h.gen, err)
	}
	return &Header{plain: plain, epoch: h.epoch, gen: h.gen}, nil
}

// Run opens what comes until the ring that it comes from is closed, and then closes the other. What
// does not open is left out, and failed is told.
func (o *Opener) Run(failed func(error)) {
	defer o.to.Close()
	var header *Header // that was opened last
	for {
		it, wait, err := o.from.Poll()
		if err != nil {
			return
		}
		if wait != nil {
			<-wait
			continue
		}
		if it.Header != header {
			plain, err := o.Header(it.Header)
			if err != nil {
				failed(err)
				continue
			}
			header = it.Header
			o.to.SetHeader(plain)
		}
		plain, err := o.Chunk(it.Chunk)
		if err == nil {
			_, err = o.to.Append(plain)
		}
		if err != nil {
			failed(err)
		}
	}
}
