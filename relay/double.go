package relay

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// StolenError ends a channel whose key is used by two: it has signed two different chunks for one
// position, which no source does. Nobody can tell which of them is meant.
type StolenError struct{ Proof stream.Double }

func (e *StolenError) Error() string {
	return fmt.Sprintf("the channel's key is in two hands: it has signed two different chunks for one place in the stream (number %d of the run that began at %s)",
		e.Proof.Position().Seq, began(e.Proof.Position().Epoch))
}

// repeated looks at a chunk whose position the ring is at or past. It fails if the ring has another
// chunk there: with a [StolenError] if the channel's key has signed both, and else as of a forged one.
func (in *intake) repeated(c *stream.Chunk) error {
	have := in.ring.At(c.Position())
	if have == nil || have.Same(c) {
		in.ring.Duplicate()
		return nil
	}
	if err := c.Verify(in.id); err != nil {
		return fmt.Errorf("chunk %d, once more: %w", c.Seq(), err)
	}
	return &StolenError{stream.DoubleOf(have, c)}
}

// stolen has the channel end if err is a [StolenError].
func (c *Channel) stolen(err error) {
	if e, ok := errors.AsType[*StolenError](err); ok {
		_ = c.takeDouble(wire.Double{Proof: e.Proof}) // it is one
	}
}

// takeDouble takes a proof that the channel's key is used twice. Who sends what proves nothing loses
// its link. The channel ends, so that there is one proof to check and to pass on, and no more.
func (c *Channel) takeDouble(f wire.Double) error {
	if err := f.Proof.Verify(c.id); err != nil {
		return fmt.Errorf("double: %w", err)
	}
	c.query(func(*tree.Node) {
		if c.theft != nil {
			return
		}
		c.theft = &StolenError{f.Proof}
		c.log.Warn("the channel's key is used twice", zap.Uint64("chunk", f.Proof.Position().Seq))
		for _, u := range c.up {
			if u.knows3() {
				u.send(f)
			}
		}
		for _, d := range c.down {
			if d.knows3() {
				d.send(f)
			}
		}
		c.left = true
	})
	return nil
}
