package lineage

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

const (
	// MaxDepth is the most links from the root, as in a path.
	MaxDepth = 63
	// Life is for how long a place is signed. The root signs anew every [Renewal], and each parent when
	// its own is renewed.
	Life = tree.ProofLife
	// Renewal is the time between two lineages of the root.
	Renewal = 5 * time.Second
	// AgeLife is for how long after it has expired a lineage still shows since when its node is there: a
	// node that has lost its parent, and all that it had below that, finds another meanwhile.
	AgeLife = 60 * time.Second
	// PlaceLen is the length of a place, in bytes.
	PlaceLen = ed25519.PublicKeySize + 8 + 8 + ed25519.SignatureSize
	// MaxLen is the most bytes that a lineage takes.
	MaxLen = (MaxDepth + 1) * PlaceLen
)

// Why a lineage proves nothing.
var (
	ErrLength    = errors.New("a lineage has 1 to 64 places of 112 bytes")
	ErrRoot      = errors.New("the first place is not signed by the channel's key")
	ErrSignature = errors.New("a place is not signed by the node above it")
	ErrExpired   = errors.New("a place has expired")
	ErrFuture    = errors.New("a place holds for longer than any is signed for")
)

// Lineage is the signed places from the root down to a node, [PlaceLen] bytes each:
//
//	public key of who signed (32), until when and since when, both in ms of the root's clock (8 each, big
//	endian), signature (64)
//
// Since is when the node came, as far as who signed has seen it or was shown a lineage that says so.
// The first is signed by the channel's key. The node of each place but the last is the one whose
// key has signed the next; the node of the last is who shows it. Its bytes are immutable.
type Lineage []byte

// Depth returns how many links from the root a lineage says that its node is. Check tells whether
// that is true.
func (l Lineage) Depth() int { return len(l)/PlaceLen - 1 }

// By returns the node whose key has signed the last place: the parent of the node whose lineage it is. It
// is no node of the root's, which the channel's key has signed.
func (l Lineage) By() tree.ID { return nodeOf(l.place(l.Depth()).signer()) }

// Left returns for how long all places hold, given the root's clock in ms.
func (l Lineage) Left(now uint64) time.Duration {
	left := uint64(Life.Milliseconds())
	for i := range l.Depth() + 1 {
		left = min(left, l.place(i).until()-min(now, l.place(i).until()))
	}
	return time.Duration(left) * time.Millisecond
}

// Age is for how long the youngest of the nodes above the one whose lineage it is has been in the tree, if
// the lineage is good. now is as in [Verifier.Check].
func (l Lineage) Age(now uint64) time.Duration {
	var since uint64
	for i := range l.Depth() {
		since = max(since, l.place(i).since())
	}
	return time.Duration(now-min(since, now)) * time.Millisecond
}

func (l Lineage) place(i int) place { return place(l[i*PlaceLen:][:PlaceLen]) }

// place is one of a lineage's.
type place []byte

func (p place) signer() ed25519.PublicKey { return ed25519.PublicKey(p[:ed25519.PublicKeySize]) }

func (p place) until() uint64 { return binary.BigEndian.Uint64(p[ed25519.PublicKeySize:]) }

func (p place) since() uint64 { return binary.BigEndian.Uint64(p[ed25519.PublicKeySize+8:]) }

func (p place) signature() []byte { return p[ed25519.PublicKeySize+16:] }

// domain keeps these signatures from passing for others.
const domain = "relay/1 place\x00"

// signed is what is signed: the domain, the channel's ID (32), the epoch (16), the node's ID (32),
// its depth (2), until when and since when (8 each).
func (r Run) signed(node tree.ID, depth int, until, since uint64) []byte {
	b := make([]byte, 0, len(domain)+len(r.Channel)+16+len(node)+2+16)
	b = append(b, domain...)
	b = append(b, r.Channel[:]...)
	b = binary.BigEndian.AppendUint64(b, r.Epoch.Ms)
	b = binary.BigEndian.AppendUint64(b, r.Epoch.Rand)
	b = append(b, node[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(depth))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, until), since)
}

// Run is one run of a channel, in which lineages hold.
type Run struct {
	Channel stream.ChannelID
	Epoch   stream.Epoch
}

// Root returns the lineage of the root's node. now is the root's clock, in ms since the epoch began.
func (r Run) Root(channel ed25519.PrivateKey, node tree.ID, now uint64) Lineage {
	return r.extend(nil, channel, node, now, 0)
}

// Child returns the lineage of a child of the node that has l and key. It returns nil for a node
// that is too deep to have any, or has none itself that holds now.
func (r Run) Child(l Lineage, key ed25519.PrivateKey, child tree.ID, now, since uint64) Lineage {
	if l.Depth() >= MaxDepth || l.shape(r, now, 0) != nil {
		return nil
	}
	return r.extend(l, key, child, now, since)
}

func (r Run) extend(l Lineage, key ed25519.PrivateKey, node tree.ID, now, since uint64) Lineage {
	until := now + uint64(Life.Milliseconds())
	longer := make(Lineage, 0, len(l)+PlaceLen)
	longer = append(longer, l...)
	longer = append(longer, key.Public().(ed25519.PublicKey)...)
	longer = binary.BigEndian.AppendUint64(longer, until)
	longer = binary.BigEndian.AppendUint64(longer, since)
	return append(longer, ed25519.Sign(key, r.signed(node, l.Depth()+1, until, since))...)
}

// nodeOf is the node that holds a key, as relay.NodeID says it.
func nodeOf(pub ed25519.PublicKey) tree.ID { return sha256.Sum256(pub) }

// shape checks what costs nothing to check. A place may have expired for no longer than grace, in ms.
func (l Lineage) shape(r Run, now, grace uint64) error {
	if len(l) == 0 || len(l)%PlaceLen != 0 || len(l) > MaxLen {
		return fmt.Errorf("%w: %d bytes", ErrLength, len(l))
	}
	if stream.ChannelID(l.place(0).signer()) != r.Channel {
		return ErrRoot
	}
	for i := range l.Depth() + 1 {
		switch until := l.place(i).until(); {
		case until+grace <= now:
			return fmt.Errorf("%w: that of depth %d, %d ms ago", ErrExpired, i, now-until)
		case until > now+2*uint64(Life.Milliseconds()): // this node's idea of the root's clock may be behind
			return fmt.Errorf("%w: that of depth %d, %d ms", ErrFuture, i, until-now)
		}
	}
	return nil
}
