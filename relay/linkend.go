package relay

import (
	"errors"
	"io"

	"relay/relay/hostnet"
	"relay/relay/lineage"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// endOf says how a link ended, given the error with which it was cancelled. If this node
// refused what came, it ended the link. If the connection was closed or reset, the other
// node did, even if its process was killed. Every other error is the network's.
func endOf(err error) tree.End {
	var end tree.End
	switch {
	case err == nil:
		return end
	case errors.As(err, &end):
		return end
	case errors.Is(err, stream.ErrSignature), errors.Is(err, stream.ErrNoDouble), errors.Is(err, lineage.ErrSignature), errors.Is(err, lineage.ErrRoot):
		return tree.ByUs(tree.ReasonForged)
	case errors.Is(err, stream.ErrEpoch), errors.Is(err, stream.ErrClock):
		return tree.ByUs(tree.ReasonEpoch)
	case errors.Is(err, wire.ErrVersion), errors.Is(err, stream.ErrVersion):
		return tree.ByUs(tree.ReasonVersion)
	case errors.Is(err, wire.ErrFrame), errors.Is(err, wire.ErrNotDue), errors.Is(err, stream.ErrFrame),
		errors.Is(err, stream.ErrGap), errors.Is(err, stream.ErrHeader):
		return tree.ByUs(tree.ReasonProtocol)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), hostnet.Hungup(err):
		return tree.ByThem(tree.ReasonClosed)
	}
	return tree.Lost(tree.ReasonClosed)
}
