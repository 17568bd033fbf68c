package relay

import (
	"relay/tree"
)

const (
	// labelSlack is how far, in ms of the root's clock, a label may be ahead of the
	// newest signed beat: the interval of beats, and a few of them lost in a move.
	labelSlack = 5000
)

// vouched returns a peer's label, or a zero one if the root has not signed for it. A
// label from the future would bind this node to whoever told it: no honest node could
// ever show a newer one. The root's newest signed beat is the bound, and every parent
// sends it ahead of its welcome. A label that outruns it for the moment is left out, and
// not held against the sender. So is one of an epoch that was replaced: who stays in that stands still.
func (in *intake) vouched(l tree.Label) tree.Label {
	b := in.beat.Load()
	if b == nil {
		return tree.Label{}
	}
	signed := tree.Label{Epoch: tree.Epoch(b.Epoch()), E: (b.Ms() + labelSlack) / uint64(tree.LabelStep.Milliseconds())}
	if l.Newer(signed) || l.Epoch.Compare(signed.Epoch) < 0 {
		return tree.Label{}
	}
	return l
}
