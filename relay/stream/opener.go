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

// Unsealer opens the sealed payloads of a private channel. It belongs to one goroutine.
type Unsealer struct {
	content seal.Content
	epoch   Epoch
	key     *seal.Epoch
}

// NewUnsealer returns an unsealer with the channel's content key.
func NewUnsealer(content seal.Content) *Unsealer { return &Unsealer{content: content} }

func (u *Unsealer) keyOf(e Epoch) *seal.Epoch {
	if u.key == nil || u.epoch != e {
		u.epoch, u.key = e, sealOf(u.content, e)
	}
	return u.key
}

// Chunk returns the chunk with its payload in the clear. It has no frame.
func (u *Unsealer) Chunk(c *Chunk) (*Chunk, error) {
	if !c.Has(Enc) {
		return nil, errClear
	}
	sealed := c.Payload()
	plain, err := u.keyOf(c.epoch).Open(make([]byte, 0, len(sealed)), seal.Chunk, c.seq, sealed, c.signed())
	if err != nil {
		return nil, fmt.Errorf("chunk %d: %w", c.seq, err)
	}
	return &Chunk{plain: plain, epoch: c.epoch, seq: c.seq, beat: c.beat, gen: c.gen, flags: c.flags &^ Enc}, nil
}

// Header returns the header with its payload in the clear. It has no frame.
func (u *Unsealer) Header(h *Header) (*Header, error) {
	if !h.Sealed() {
		return nil, errClear
	}
	sealed := h.Payload()
	plain, err := u.keyOf(h.epoch).Open(make([]byte, 0, len(sealed)), seal.Header, uint64(h.gen), sealed, h.signed())
	if err != nil {
		return nil, fmt.Errorf("header %d: %w", h.gen, err)
	}
	return &Header{plain: plain, epoch: h.epoch, gen: h.gen}, nil
}

// Opener opens a private channel once for all who play it on this machine. It stands between two rings: one
// that has what crosses links, and one for players. It belongs to one goroutine.
type Opener struct {
	Unsealer
	from *Cursor
	to   *Ring
}

// NewOpener returns an opener with the channel's content key, for what comes to one ring from now on.
// It puts that into the other.
func NewOpener(content seal.Content, from, to *Ring) *Opener {
	return &Opener{Unsealer{content: content}, from.Cursor(), to}
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
