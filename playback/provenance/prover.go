package provenance

import (
	"bytes"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// A proof covers the chunks before the next key chunk, and no more than these.
const (
	gathered = 32   // chunks
	lasts    = 4000 // milliseconds; see maxLasts
)

// Prover gathers what shows that the tags which go out were signed by another channel. It belongs to one goroutine.
type Prover struct {
	of     stream.ChannelID
	header *stream.Header
	chunks []Chunk
	tags   []flv.Tag // as they were signed
	last   uint64    // number of the last chunk
}

// NewProver returns a prover for tags of a channel.
func NewProver(of stream.ChannelID) *Prover { return &Prover{of: of} }

// Add takes chunks that follow each other, which have been verified and are not sealed, and the whole tags which they
// hold, as they were signed. It keeps both.
func (p *Prover) Add(h *stream.Header, chunks []*stream.Chunk, tags []flv.Tag) {
	p.header = h
	for _, c := range chunks {
		var k Chunk
		f := c.Frame()
		copy(k.Head[:], f)
		copy(k.Signature[:], f[len(f)-stream.SignatureLen:])
		p.chunks = append(p.chunks, k)
		p.last = c.Seq()
	}
	p.tags = append(p.tags, tags...)
}

// Follows reports whether a chunk may be added to those there are, of a header that is in force.
func (p *Prover) Follows(h *stream.Header, c *stream.Chunk) bool {
	return len(p.chunks) == 0 || h == p.header && c.Seq() == p.last+1 && len(p.chunks) < gathered && !c.Has(stream.Key)
}

// Late reports whether a tag comes so long after those there are that their proof must not wait for it.
func (p *Prover) Late(t flv.Tag) bool {
	return len(p.tags) > 0 && apart(p.tags[0], t) > lasts
}

// Tag returns the proof of what was added since the last one, as a tag that goes behind those with a timestamp; nil if
// there is nothing, or too much for a proof.
func (p *Prover) Tag(ts uint32) flv.Tag {
	if len(p.chunks) == 0 {
		return nil
	}
	proof := Proof{Of: p.of, Header: p.header.Frame(), Chunks: p.chunks}
	for _, t := range p.tags {
		if flv.Classify(t).Config {
			proof.Configs = append(proof.Configs, Config{Before: len(proof.Stamps), Tag: bytes.Clone(t)})
			continue
		}
		proof.Stamps = append(proof.Stamps, t.Timestamp())
	}
	tag, err := proof.Tag(ts)
	p.chunks, p.tags = p.chunks[:0], nil
	if err != nil {
		return nil // the tags go out, and nobody can tell whose they are
	}
	return tag
}
