package lineage

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"relay/tree"
)

// remembered bounds the signatures that a verifier remembers as good, of 32 bytes: the places of
// some hundred neighbours at depth 10, which are mostly the same.
const remembered = 1024

// Verifier checks lineages of one run of a channel. It remembers which signatures were good, so that
// of a lineage that was checked before only what is new is checked. It is not safe for concurrent use.
type Verifier struct {
	Run
	good, older map[[sha256.Size]byte]struct{} // older is forgotten when good is full
}

// NewVerifier returns one that has checked nothing.
func NewVerifier(r Run) *Verifier {
	return &Verifier{Run: r, good: map[[sha256.Size]byte]struct{}{}}
}

// Check returns how many links from the root node is, if l proves it. node is who has shown l, over
// a link that proves its ID; now is the root's clock as this node knows it, in ms since the epoch
// began.
func (v *Verifier) Check(l Lineage, node tree.ID, now uint64) (int, error) {
	if err := l.shape(v.Run, now, 0); err != nil {
		return 0, err
	}
	return l.Depth(), v.signatures(l, node)
}

// Since returns since when node is known to be there, if l proves it, in ms of the root's clock. Nobody is
// believed to be older than any of those that vouch for it: else one place anywhere would make another
// node as old as its owner likes. The lineage may have expired for [AgeLife].
func (v *Verifier) Since(l Lineage, node tree.ID, now uint64) (uint64, error) {
	if err := l.shape(v.Run, now, uint64(AgeLife.Milliseconds())); err != nil {
		return 0, err
	}
	var since uint64
	for i := range l.Depth() + 1 {
		since = max(since, l.place(i).since())
	}
	return min(since, now), v.signatures(l, node)
}

func (v *Verifier) signatures(l Lineage, node tree.ID) error {
	depth := l.Depth()
	for i := range depth + 1 {
		owner := node
		if i < depth {
			owner = nodeOf(l.place(i + 1).signer())
		}
		if !v.verify(l.place(i), owner, i) {
			return fmt.Errorf("%w: at depth %d", ErrSignature, i)
		}
	}
	return nil
}

func (v *Verifier) verify(p place, owner tree.ID, depth int) bool {
	message := v.signed(owner, depth, p.until(), p.since())
	sum := sha256.Sum256(append(message, p...))
	if _, ok := v.good[sum]; ok {
		return true
	}
	if _, ok := v.older[sum]; !ok && !ed25519.Verify(p.signer(), message, p.signature()) {
		return false
	}
	if len(v.good) >= remembered/2 {
		v.good, v.older = map[[sha256.Size]byte]struct{}{}, v.good
	}
	v.good[sum] = struct{}{}
	return true
}
