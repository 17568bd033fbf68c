package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

const (
	// Overhead is what sealing adds to a payload, in bytes.
	Overhead = 16

	infoEpoch = "relay/1 epoch"
	keyLen    = 32 // AES-256
	nonceLen  = 12
)

// ErrOpen says that a payload is not of this key, position and head.
var ErrOpen = errors.New("the payload does not open with this channel's secret")

// Kind is what a payload is of. Each kind numbers its payloads for itself.
type Kind uint8

// Kinds.
const (
	Chunk  Kind = 1 // numbered by seq
	Header Kind = 2 // numbered by generation
)

// Content is the key that the keys of all epochs follow from. The zero Content is none.
type Content struct {
	key [keyLen]byte
	has bool
}

// Content returns the channel's content key; the zero Content if the access does not read.
func (a Access) Content(channel Channel) Content {
	if !a.CanRead() {
		return Content{}
	}
	return Content{[keyLen]byte(a.derive(channel, infoContent, keyLen)), true}
}

// IsZero reports whether there is no key.
func (c Content) IsZero() bool { return !c.has }

// Epoch is the key of one run of the source. It is safe for concurrent use.
type Epoch struct{ aead cipher.AEAD }

// Epoch returns the key of an epoch: its start and its random bytes. Two runs have different
// epochs, also on two machines with one channel key, and so their numbers may be the same.
func (c Content) Epoch(epoch [16]byte) *Epoch {
	block, err := aes.NewCipher(expand(c.key[:], epoch[:], infoEpoch, keyLen))
	if err != nil {
		panic("seal: " + err.Error()) // not with a key of that length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: " + err.Error()) // not with AES
	}
	return &Epoch{aead}
}

// nonce is never the same twice in an epoch, because a number is not.
func nonce(k Kind, n uint64) (b [nonceLen]byte) {
	b[0] = byte(k)
	binary.BigEndian.PutUint64(b[nonceLen-8:], n)
	return b
}

// Seal appends the sealed payload to dst. head is what goes with it in the clear, and has to be the
// same when it is opened. A number must not be used twice with one kind.
func (e *Epoch) Seal(dst []byte, k Kind, n uint64, payload, head []byte) []byte {
	at := nonce(k, n)
	return e.aead.Seal(dst, at[:], payload, head)
}

// Open appends the payload to dst.
func (e *Epoch) Open(dst []byte, k Kind, n uint64, sealed, head []byte) ([]byte, error) {
	at := nonce(k, n)
	b, err := e.aead.Open(dst, at[:], sealed, head)
	if err != nil {
		return nil, ErrOpen
	}
	return b, nil
}
