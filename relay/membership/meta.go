package membership

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// Member is a node of the channel as it describes itself.
type Member struct {
	Place tree.Place
	Depth uint16 // links to the root; NoDepth while it has no parent
	Free  uint16
	Slots uint16
	Born  time.Time // when it joined the channel, in whole milliseconds
}

// NoDepth is the depth of a node that is not in the tree.
const NoDepth = 1<<16 - 1

const (
	metaVersion = 1
	metaDomain  = "relay/1 member\x00"
	// metaMax is the most that memberlist carries for a node, in bytes.
	metaMax = 512
	// metaFixed is the length of all that comes before the addresses.
	metaFixed = 1 + ed25519.PublicKeySize + 8 + 8 + 3*2
)

var errMeta = errors.New("malformed metadata")

// meta is a Member in the form in which others hear of it, byte by byte:
//
//	0   1   version, 1
//	1   32  public key of the node; its ID is the SHA-256 of that
//	33  8   told: rises with every change, so that older metadata is recognized
//	41  8   born, Unix milliseconds
//	49  2   depth, 65535 while there is no parent
//	51  2   free slots
//	53  2   slots
//	55  …   addresses in wire's format, at least one; gossip goes to the first
//	end−64  signature by the node's key over domain ‖ channel ID ‖ all before it
type meta struct {
	Member
	told uint64
}

func (m meta) sign(key ed25519.PrivateKey, channel stream.ChannelID) []byte {
	b := []byte{metaVersion}
	b = append(b, key.Public().(ed25519.PublicKey)...)
	b = binary.BigEndian.AppendUint64(b, m.told)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Born.UnixMilli()))
	b = binary.BigEndian.AppendUint16(b, m.Depth)
	b = binary.BigEndian.AppendUint16(b, m.Free)
	b = binary.BigEndian.AppendUint16(b, m.Slots)
	b = wire.AppendAddrs(b, m.Place.Addrs)
	return append(b, ed25519.Sign(key, signed(channel, b))...)
}

func signed(channel stream.ChannelID, b []byte) []byte {
	s := append([]byte(metaDomain), channel[:]...)
	return append(s, b...)
}

// parseMeta reads metadata and does not check the signature.
func parseMeta(b []byte) (meta, error) {
	if len(b) > metaMax || len(b) < metaFixed+1+ed25519.SignatureSize || b[0] != metaVersion {
		return meta{}, errMeta
	}
	be, at := binary.BigEndian, 1+ed25519.PublicKeySize
	addrs, rest, err := wire.ParseAddrs(b[metaFixed : len(b)-ed25519.SignatureSize])
	if err != nil {
		return meta{}, fmt.Errorf("%w: %w", errMeta, err)
	}
	if len(rest) != 0 || len(addrs) == 0 {
		return meta{}, errMeta
	}
	return meta{
		Member: Member{
			Place: tree.Place{ID: sha256.Sum256(b[1:at]), Addrs: addrs},
			Born:  time.UnixMilli(int64(be.Uint64(b[at+8:]))),
			Depth: be.Uint16(b[at+16:]),
			Free:  be.Uint16(b[at+18:]),
			Slots: be.Uint16(b[at+20:]),
		},
		told: be.Uint64(b[at:]),
	}, nil
}

// verifyMeta reads metadata and checks that the node it is about has signed it.
func verifyMeta(b []byte, channel stream.ChannelID) (meta, error) {
	m, err := parseMeta(b)
	if err != nil {
		return meta{}, err
	}
	body, sig := b[:len(b)-ed25519.SignatureSize], b[len(b)-ed25519.SignatureSize:]
	if !ed25519.Verify(b[1:1+ed25519.PublicKeySize], signed(channel, body), sig) {
		return meta{}, errors.New("metadata is not signed by the node it is about")
	}
	return m, nil
}
