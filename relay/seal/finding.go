package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

const (
	// FindingSaltLen is how many bytes say where a private channel is told of in public places.
	FindingSaltLen = 20
	// FindingOverhead is how much longer a text is when it is sealed, in bytes: a nonce and a tag.
	FindingOverhead = 12 + 16

	infoFindingSalt = "relay/1 dht salt"
	infoFindingKey  = "relay/1 dht key"
)

// Finding is what it takes to find a private channel where everybody may look, and to say there where it is:
// it follows from the join part, since those that only pass the channel on have to find it, too.
type Finding struct {
	salt, key []byte // nil for a public channel
}

// Finding returns it; the zero one for a public channel. The access must be one that joins.
func (a Access) Finding(channel Channel) Finding {
	if !a.Private() {
		return Finding{}
	}
	part := a.JoinOnly(channel).secret
	return Finding{
		salt: expand(part[:], channel[:], infoFindingSalt, FindingSaltLen),
		key:  expand(part[:], channel[:], infoFindingKey, keyLen),
	}
}

// Private reports whether what is said is sealed.
func (f Finding) Private() bool { return f.key != nil }

// Salt is what tells the place from those of other channels, without saying which channel it is.
func (f Finding) Salt() []byte { return f.salt }

// Seal appends text, sealed, to dst. It opens with the same number and head alone. Two machines with one key may give
// two texts one number, so the nonce is a random one, which stands in front: 2^32 items of a channel are safe.
func (f Finding) Seal(dst []byte, number uint64, text, head []byte) []byte {
	return f.aead().Seal(dst, nil, text, numbered(number, head))
}

// Open appends what was sealed with that number to dst. The error is [ErrOpen].
func (f Finding) Open(dst []byte, number uint64, sealed, head []byte) ([]byte, error) {
	b, err := f.aead().Open(dst, nil, sealed, numbered(number, head))
	if err != nil {
		return nil, ErrOpen
	}
	return b, nil
}

func numbered(number uint64, head []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, number), head...)
}

func (f Finding) aead() cipher.AEAD {
	block, err := aes.NewCipher(f.key)
	if err != nil {
		panic("seal: " + err.Error()) // not with a key of that length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("seal: " + err.Error()) // not with AES
	}
	return aead
}
