package stream

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"relay/relay/seal"
)

// SignatureLen is the length of an Ed25519 signature (RFC 8032).
const SignatureLen = ed25519.SignatureSize

// ErrSignature says that bytes were not made by the channel's key: whoever sent
// them forged or altered them.
var ErrSignature = errors.New("signature does not verify")

// Domains keep a signature of one kind from passing for another.
const (
	domainChunk  = "relay/1 chunk\x00"
	domainHeader = "relay/1 header\x00"
	domainBeat   = "relay/1 beat\x00"
	domainSums   = "relay/1 sums\x00"
	domainAbout  = "relay/1 about\x00"
)

// digest is what gets signed: domain, channel, the fixed fields from the version
// on, and SHA-256 of the payload (of nothing, for a beat). It is small, so that
// Ed25519 passes over the payload only once.
func digest(domain string, id ChannelID, fields, payload []byte) []byte {
	sum := sha256.Sum256(payload)
	b := make([]byte, 0, len(domain)+len(id)+len(fields)+len(sum))
	b = append(b, domain...)
	b = append(b, id[:]...)
	b = append(b, fields...)
	return append(b, sum[:]...)
}

func verify(domain string, id ChannelID, fields, payload, frame []byte) error {
	sig := frame[len(frame)-SignatureLen:]
	if !ed25519.Verify(id[:], digest(domain, id, fields, payload), sig) {
		return ErrSignature
	}
	return nil
}

// Verify checks that the channel's key made the chunk.
func (c *Chunk) Verify(id ChannelID) error {
	return verify(domainChunk, id, c.signed(), c.Payload(), c.frame)
}

// Verify checks that the channel's key made the header.
func (h *Header) Verify(id ChannelID) error {
	return verify(domainHeader, id, h.signed(), h.Payload(), h.frame)
}

// Verify checks that the channel's key made the beat.
func (b *Beat) Verify(id ChannelID) error {
	return verify(domainBeat, id, b.signed(), nil, b.frame)
}

// Verify checks that the channel's key made the sums.
func (s *Sums) Verify(id ChannelID) error {
	return verify(domainSums, id, s.signed(), s.digests(), s.frame)
}

// signer makes the signed formats of one epoch.
type signer struct {
	key   ed25519.PrivateKey
	id    ChannelID
	epoch Epoch
	seal  *seal.Epoch // nil for a public channel
}

// sealed is how much sealing adds to a payload.
func (s signer) sealed() int {
	if s.seal == nil {
		return 0
	}
	return seal.Overhead
}

// put writes a payload behind the fields of a frame, as it crosses links. Payloads are sealed first and
// signed then: who passes them on checks the signature, and need not read them.
func (s signer) put(b []byte, at int, k seal.Kind, n uint64, payload []byte) {
	if s.seal == nil {
		copy(b[at:], payload)
		return
	}
	b[chunkFlags] |= byte(Enc)
	s.seal.Seal(b[at:at], k, n, payload, b[chunkVersion:at])
}

func (s signer) sign(domain string, frame []byte, payloadAt int) {
	end := len(frame) - SignatureLen
	copy(frame[end:], ed25519.Sign(s.key, digest(domain, s.id, frame[chunkVersion:payloadAt], frame[payloadAt:end])))
}

// chunk makes a chunk in b, which has room for MaxChunk bytes, or in memory of its own if that is nil.
func (s signer) chunk(b []byte, f Flags, seq, beat uint64, gen uint32, payload []byte) *Chunk {
	n := ChunkOverhead + len(payload) + s.sealed()
	if b == nil {
		b = make([]byte, n)
	}
	b = b[:n]
	PutPrelude(b, FrameChunk, len(b)-PreludeLen)
	b[chunkVersion] = Version
	b[chunkFlags] = byte(f)
	putEpoch(b[chunkEpoch:], s.epoch)
	binary.BigEndian.PutUint64(b[chunkSeq:], seq)
	binary.BigEndian.PutUint64(b[chunkBeat:], beat)
	binary.BigEndian.PutUint32(b[chunkGen:], gen)
	s.put(b, chunkPayload, seal.Chunk, seq, payload)
	s.sign(domainChunk, b, chunkPayload)
	return &Chunk{frame: b, epoch: s.epoch, seq: seq, beat: beat, gen: gen, flags: Flags(b[chunkFlags])}
}

func (s signer) header(gen uint32, payload []byte) *Header {
	b := make([]byte, headerPayload+len(payload)+s.sealed()+SignatureLen)
	PutPrelude(b, FrameHeader, len(b)-PreludeLen)
	b[chunkVersion] = Version
	putEpoch(b[headerEpoch:], s.epoch)
	binary.BigEndian.PutUint32(b[headerGen:], gen)
	s.put(b, headerPayload, seal.Header, uint64(gen), payload)
	s.sign(domainHeader, b, headerPayload)
	return &Header{frame: b, epoch: s.epoch, gen: gen}
}

func (s signer) beat(head, ms uint64) *Beat {
	b := make([]byte, BeatLen)
	PutPrelude(b, FrameBeat, len(b)-PreludeLen)
	b[chunkVersion] = Version
	putEpoch(b[chunkEpoch:], s.epoch)
	binary.BigEndian.PutUint64(b[beatHead:], head)
	binary.BigEndian.PutUint64(b[beatMs:], ms)
	s.sign(domainBeat, b, beatSig)
	return &Beat{frame: b, epoch: s.epoch, head: head, ms: ms}
}

// sums covers chunks that follow each other, and has them know it.
func (s signer) sums(chunks []*Chunk) *Sums {
	b := make([]byte, sumsDigests+len(chunks)*sha256.Size+SignatureLen)
	PutPrelude(b, FrameSums, len(b)-PreludeLen)
	b[chunkVersion] = Version
	putEpoch(b[chunkEpoch:], s.epoch)
	binary.BigEndian.PutUint64(b[sumsFirst:], chunks[0].seq)
	for i, c := range chunks {
		sum := sha256.Sum256(c.frame)
		copy(b[sumsDigests+i*sha256.Size:], sum[:])
	}
	s.sign(domainSums, b, sumsDigests)
	all := &Sums{frame: b, first: chunks[0].Position()}
	for _, c := range chunks {
		c.sums = all
	}
	return all
}
