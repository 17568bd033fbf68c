package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
)

const (
	// ProofLen is the length of a proof, in bytes: HMAC-SHA256.
	ProofLen = 32
	// LabelLen is the length of the label that stands for a channel in its gossip.
	LabelLen = 16
	// PacketOverhead is what sealing adds to a packet of gossip, in bytes.
	PacketOverhead = saltLen + Overhead

	infoProof  = "relay/1 proof"
	infoLabel  = "relay/1 gossip label"
	infoPacket = "relay/1 gossip packet"
	// exporter names what is taken from a TLS session (RFC 8446 §7.5); nothing else is taken so.
	exporter = "EXPORTER-relay-1-join"
	saltLen  = 24
)

// ErrPacket says that a packet was not made with the channel's secret.
var ErrPacket = errors.New("the packet is not of this channel")

// Join proves that a node may be in a channel, and has others prove it. The zero Join is that of
// a channel nobody is in: it has a key that nobody else has, and takes as long.
type Join struct{ proof, label, packet []byte }

// Join returns the keys of the join part; they are of use only if a.CanJoin().
func (a Access) Join(channel Channel) Join {
	part := a.JoinOnly(channel).secret
	return Join{
		proof:  expand(part[:], channel[:], infoProof, keyLen),
		label:  expand(part[:], channel[:], infoLabel, LabelLen),
		packet: expand(part[:], channel[:], infoPacket, keyLen),
	}
}

// Nobody returns keys that no link leads to. A node that has no channel of the ID that it was asked
// for compares with these, so that the time it takes does not tell.
func Nobody() Join { return New().Join(Channel{}) }

// Side is an end of a TLS connection, as TLS has it.
type Side string

// Sides. Each has proofs of its own, so that none can be sent back.
const (
	Client Side = "client"
	Server Side = "server"
)

// Proof is what the side shows on this very connection: it is of no use on any other, not even to
// somebody in between who has a connection with each.
func (j Join) Proof(cs *tls.ConnectionState, by Side) (p [ProofLen]byte, err error) {
	session, err := cs.ExportKeyingMaterial(exporter, nil, keyLen)
	if err != nil {
		return p, fmt.Errorf("prove the secret: %w", err)
	}
	m := hmac.New(sha256.New, j.proof)
	m.Write([]byte(by))
	m.Write(session)
	return [ProofLen]byte(m.Sum(nil)), nil
}

// Proves reports whether p is that proof, in the same time whatever is wrong with it.
func (j Join) Proves(p [ProofLen]byte, cs *tls.ConnectionState, by Side) bool {
	want, err := j.Proof(cs, by)
	return err == nil && hmac.Equal(p[:], want[:])
}

// Label is what stands for the channel in front of its gossip.
func (j Join) Label() [LabelLen]byte { return [LabelLen]byte(j.label) }

// SealPacket appends a sealed packet to dst, and what stands in front of it as head. Each packet
// has a random salt of 192 bits, and by that a key of its own: nodes share the long key and could
// not agree on numbers.
func (j Join) SealPacket(dst, packet, head []byte) []byte {
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:]) // never fails
	dst = append(dst, salt[:]...)
	return j.packetKey(salt).Seal(dst, make([]byte, nonceLen), packet, head)
}

// OpenPacket returns the packet that was sealed.
func (j Join) OpenPacket(sealed, head []byte) ([]byte, error) {
	if len(sealed) < PacketOverhead {
		return nil, ErrPacket
	}
	b, err := j.packetKey([saltLen]byte(sealed)).Open(nil, make([]byte, nonceLen), sealed[saltLen:], head)
	if err != nil {
		return nil, ErrPacket
	}
	return b, nil
}

// packetKey is used once, so that its nonce may be always the same.
func (j Join) packetKey(salt [saltLen]byte) cipher.AEAD {
	m := hmac.New(sha256.New, j.packet)
	m.Write(salt[:])
	block, err := aes.NewCipher(m.Sum(nil))
	if err != nil {
		panic("seal: " + err.Error()) // not with a key of that length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: " + err.Error()) // not with AES
	}
	return aead
}
