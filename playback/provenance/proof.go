package provenance

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// Proof is what shows that tags were signed by another channel's source: the signatures, and what was signed but is
// not in the stream as it was. In the stream it is script data that goes behind the tags which it covers.
type Proof struct {
	Of     stream.ChannelID
	Header []byte   // the frame of the header that the chunks need
	Chunks []Chunk  // that held the tags, one behind the other
	Stamps []uint32 // the timestamps of the tags as they were signed, milliseconds; those of Configs are not among them
	// Configs are the configurations and metadata among the tags, as they were signed. In the stream the source says its own
	// title, and repeats configurations for those who come late; so they do not count there.
	Configs []Config
}

// Chunk is a chunk's frame without its payload (relay/wire/spec.md).
type Chunk struct {
	Head      [headLen]byte // up to the payload, prelude included
	Signature [stream.SignatureLen]byte
}

// Config is a configuration that was signed.
type Config struct {
	Before int // of how many of the other tags it went before
	Tag    flv.Tag
}

const (
	headLen = stream.ChunkOverhead - stream.SignatureLen
	version = 1
	// maxProof bounds a proof, in bytes: as script data it has to be within [flv.MaxScript].
	maxProof = 44 << 10
	// maxChunks is the most chunks of a proof: those of a picture of 6 MB. A larger one has none.
	maxChunks = 384
	// maxTags is the most tags of a proof.
	maxTags = 4096
)

var (
	errProof = errors.New("malformed proof")
	errLarge = errors.New("the proof is too large")
)

// name begins the script data: an AMF0 string, "onProvenance", and a long one follows, with base64 of:
//
//	 0  version, 1
//	 1  channel ID of who has signed, 32 bytes
//	33  length of the header's frame, u32; the frame
//	    number of chunks, u16; of each the 42 bytes before its payload, and its signature, 64
//	    number of tags, u16; the timestamp of each, u32
//	    number of configurations, u16; of each, before how many tags it went, u16; its length, u32; the tag
//
// Integers are big-endian. Other programs see text, and leave it alone.
var name = append([]byte{0x02, 0, 12}, "onProvenance"...)

const longString = 0x0c

// Is reports whether a tag is a proof.
func Is(t flv.Tag) bool { return t.Type() == flv.Script && bytes.HasPrefix(t.Body(), name) }

// Tag returns the proof as script data with a timestamp, or an error if it is too large for that.
func (p *Proof) Tag(ts uint32) (flv.Tag, error) {
	b := append([]byte{version}, p.Of[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.Header)))
	b = append(b, p.Header...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Chunks)))
	for _, c := range p.Chunks {
		b = append(append(b, c.Head[:]...), c.Signature[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Stamps)))
	for _, at := range p.Stamps {
		b = binary.BigEndian.AppendUint32(b, at)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Configs)))
	for _, c := range p.Configs {
		b = binary.BigEndian.AppendUint16(b, uint16(c.Before))
		b = binary.BigEndian.AppendUint32(b, uint32(len(c.Tag)))
		b = append(b, c.Tag...)
	}
	if len(b) > maxProof || len(p.Chunks) > maxChunks || len(p.Stamps) > maxTags {
		return nil, errLarge
	}
	body := append(bytes.Clone(name), longString)
	body = binary.BigEndian.AppendUint32(body, uint32(base64.StdEncoding.EncodedLen(len(b))))
	return flv.NewTag(flv.Script, ts, base64.StdEncoding.AppendEncode(body, b)), nil
}

// Parse takes a tag apart for which [Is] holds. Nothing is checked but the form.
func Parse(t flv.Tag) (*Proof, error) {
	body := t.Body()[len(name):]
	if len(body) < 5 || body[0] != longString || uint64(binary.BigEndian.Uint32(body[1:])) != uint64(len(body)-5) || base64.StdEncoding.DecodedLen(len(body)-5) > maxProof+2 {
		return nil, errProof
	}
	b, err := base64.StdEncoding.AppendDecode(nil, body[5:])
	if err != nil {
		return nil, errProof
	}
	r := reader{b: b}
	p := &Proof{}
	if v := r.take(1); r.bad || v[0] != version {
		return nil, errProof
	}
	copy(p.Of[:], r.take(len(p.Of)))
	p.Header = r.take(r.u32())
	for n := r.count(headLen+stream.SignatureLen, maxChunks); n > 0; n-- {
		var c Chunk
		copy(c.Head[:], r.take(headLen))
		copy(c.Signature[:], r.take(stream.SignatureLen))
		p.Chunks = append(p.Chunks, c)
	}
	for n := r.count(4, maxTags); n > 0; n-- {
		p.Stamps = append(p.Stamps, uint32(r.u32()))
	}
	for n := r.count(6+flv.TagHeaderLen+flv.TagTrailerLen, maxTags); n > 0 && !r.bad; n-- {
		c := Config{Before: r.u16()}
		c.Tag = flv.Tag(r.take(r.u32()))
		if len(c.Tag) < flv.TagHeaderLen+flv.TagTrailerLen || len(c.Tag) != flv.TagHeaderLen+flv.BodyLen(c.Tag)+flv.TagTrailerLen {
			return nil, errProof
		}
		p.Configs = append(p.Configs, c)
	}
	if r.bad || len(r.b) > 0 || len(p.Chunks) == 0 {
		return nil, errProof
	}
	return p, nil
}

// reader takes bytes from the front; bad says that there were too few.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) u32() int {
	if b := r.take(4); b != nil {
		return int(binary.BigEndian.Uint32(b))
	}
	return 0
}

// count is a number of things of size bytes at least, of which there may be most.
func (r *reader) count(size, most int) int {
	n := r.u16()
	if n > most || n*size > len(r.b) {
		r.bad = true
		return 0
	}
	return n
}
