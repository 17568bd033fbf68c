package pcp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"relay/relay/stream"
)

// ID names a channel, a session (a running PeerCast) or a broadcast.
type ID [16]byte

// NewID returns a random ID, as a session has one.
func NewID() (id ID) {
	rand.Read(id[:])
	return id
}

// String returns the ID as PeerCast prints it: 32 hexadecimal digits, in upper case.
func (id ID) String() string { return strings.ToUpper(hex.EncodeToString(id[:])) }

// ParseID parses 32 hexadecimal digits in either case. No channel has the ID 0.
func ParseID(s string) (id ID, err error) {
	if len(s) != hex.EncodedLen(len(id)) {
		return id, fmt.Errorf("a PeerCast ID has 32 hexadecimal digits, this one has %d characters", len(s))
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return id, errors.New("a PeerCast ID is made of the digits 0-9 and A-F")
	}
	if id = ID(b); id == (ID{}) {
		return id, errors.New("a PeerCast ID of zeros names no channel")
	}
	return id, nil
}

// What is hashed in front of a channel's key, and one zero byte.
const (
	saltChannel   = "relay/1 pcp"
	saltBroadcast = "relay/1 pcp bcid"
)

func derive(salt string, id stream.ChannelID) ID {
	sum := sha256.Sum256(append(append([]byte(salt), 0), id[:]...))
	return ID(sum[:16])
}

// ChannelID returns the ID under which PeerCast knows a channel of ours: the same at every
// node that serves it.
func ChannelID(id stream.ChannelID) ID { return derive(saltChannel, id) }

// BroadcastID returns the ID by which an index of channels tells who may change the
// channel's entry. It is the same at every node, as the channel's is.
func BroadcastID(id stream.ChannelID) ID { return derive(saltBroadcast, id) }

// Position returns a packet's position for the byte at an offset in a signed chunk. All nodes that serve a channel
// agree on it, so that who changes between them goes on; it is not dense.
func Position(seq uint64, offset int) uint32 {
	return uint32(seq*stream.MaxChunk + uint64(offset))
}
