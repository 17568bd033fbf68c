package dht

import (
	"crypto/ed25519"
	"crypto/sha1"
	"errors"
)

const (
	// maxSalt and maxValue are BEP 44's: bytes of a salt, and of a value as it is bencoded.
	maxSalt  = 64
	maxValue = 1000
)

// errSignature says that a record is not signed by its key.
var errSignature = errors.New("the signature does not verify")

// ID is the place of a node or of a record: 160 bits, of which the distance is the exclusive or.
type ID [20]byte

// nearer reports whether a is nearer to an ID than b.
func (id ID) nearer(a, b ID) bool { return id.compare(a, b) < 0 }

// compare orders two IDs by their distance to id.
func (id ID) compare(a, b ID) int {
	for i := range id {
		if x, y := a[i]^id[i], b[i]^id[i]; x != y {
			return int(x) - int(y)
		}
	}
	return 0
}

// name is what a record is stored by.
type name struct {
	key  [ed25519.PublicKeySize]byte
	salt string // maxSalt bytes at most
}

// target is where the record is: at the nodes nearest to it.
func (n name) target() ID { return sha1.Sum(append(n.key[:], n.salt...)) }

// Record is a mutable item of BEP 44 as the nodes keep it: a bencoded string, its number, and the
// signature. Anybody may put it again as it is.
type Record struct {
	name  name
	seq   int64
	value []byte // without its length; with it, maxValue bytes at most
	sig   [ed25519.SignatureSize]byte
}

// sign makes a record. The value must not be longer than maxValue with its length.
func sign(key ed25519.PrivateKey, salt string, seq int64, value []byte) Record {
	r := Record{name: name{key: [ed25519.PublicKeySize]byte(key.Public().(ed25519.PublicKey)), salt: salt}, seq: seq, value: value}
	copy(r.sig[:], ed25519.Sign(key, r.signed()))
	return r
}

// signed is what the signature is over: the salt, if there is one, number and value, as they stand in a
// message.
func (r Record) signed() []byte {
	var b []byte
	if r.name.salt != "" {
		b = appendText(append(b, "4:salt"...), r.name.salt)
	}
	b = appendInteger(append(b, "3:seq"...), r.seq)
	return appendText(append(b, "1:v"...), r.value)
}

func (r Record) verify() error {
	if !ed25519.Verify(r.name.key[:], r.signed(), r.sig[:]) {
		return errSignature
	}
	return nil
}
