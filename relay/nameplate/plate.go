package nameplate

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// Layout of a plate, in bytes; integers big-endian.
//
//	 0  the node's public key
//	32  when it was made, u64: Unix ms by the node's own clock
//	40  flags: 1 home
//	41  length of the name
//	42  name
//	    signature
const (
	plateAt    = ed25519.PublicKeySize
	plateFlags = plateAt + 8
	plateLen   = plateFlags + 1
	plateName  = plateLen + 1

	// MinLen and MaxLen bound a plate, in bytes.
	MinLen = plateName + ed25519.SignatureSize
	MaxLen = MinLen + MaxName
)

// home is the flag of a plate that is for the node's own network.
const home = 1

// Plate is a node's name as it has signed it. It is "" or has a sound form: see [Cut].
type Plate string

// domain keeps these signatures from passing for others.
const domain = "relay/1 name\x00"

// Sign makes a node's plate in a channel. The name is cleaned. One without a name takes back what an
// earlier one said. atHome says that only nodes in each other's own networks may tell it on.
func Sign(channel stream.ChannelID, key ed25519.PrivateKey, now time.Time, name string, atHome bool) Plate {
	name = Clean(name)
	b := make([]byte, 0, MinLen+len(name))
	b = append(b, key.Public().(ed25519.PublicKey)...)
	b = binary.BigEndian.AppendUint64(b, uint64(now.UnixMilli()))
	flags := byte(0)
	if atHome {
		flags = home
	}
	b = append(b, flags, byte(len(name)))
	b = append(b, name...)
	return Plate(append(b, ed25519.Sign(key, signed(channel, string(b)))...))
}

// signed is what is signed: the domain, the channel's ID, and all of the plate ahead of the signature.
func signed(channel stream.ChannelID, fields string) []byte {
	b := make([]byte, 0, len(domain)+len(channel)+len(fields))
	b = append(b, domain...)
	b = append(b, channel[:]...)
	return append(b, fields...)
}

// Cut takes a plate from the front of b, and returns the rest. It reports false if there is none of sound
// form. The signature is not checked.
func Cut(b []byte) (p Plate, rest []byte, ok bool) {
	if len(b) < MinLen {
		return "", b, false
	}
	n := MinLen + int(b[plateLen])
	if b[plateFlags]&^home != 0 || b[plateLen] > MaxName || len(b) < n {
		return "", b, false
	}
	return Plate(b[:n]), b[n:], true
}

// Verify reports whether the node whose plate it says to be has signed it in that channel.
func (p Plate) Verify(channel stream.ChannelID) bool {
	end := len(p) - ed25519.SignatureSize
	return len(p) >= MinLen && ed25519.Verify(ed25519.PublicKey(p[:plateAt]), signed(channel, string(p[:end])), []byte(p[end:]))
}

// Node is whose plate it says to be.
func (p Plate) Node() tree.ID { return sha256.Sum256([]byte(p[:plateAt])) }

// At is when it was made, in Unix ms by the node's own clock; 0 if it is none. Of two of one node, the later
// counts.
func (p Plate) At() uint64 {
	if p == "" {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(p[plateAt:plateFlags]))
}

// Later returns the later of two plates of one node.
func Later(p, o Plate) Plate {
	if o.At() > p.At() {
		return o
	}
	return p
}

// Home reports whether only nodes in each other's own networks may tell it on.
func (p Plate) Home() bool { return p != "" && p[plateFlags]&home != 0 }

// Name is the name, fit to be shown; "" for none.
func (p Plate) Name() string {
	if p == "" {
		return ""
	}
	return Clean(string(p[plateName : len(p)-ed25519.SignatureSize]))
}
