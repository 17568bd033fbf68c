package carry

import (
	"context"
	"errors"
	"time"

	"relay/cli/words"
	"relay/relay"
)

// Open opens a channel that a source has brought with the helper's token, for relay.Brought. It is
// carried beside those that were given.
func (s *carrier) Open(n *relay.Node, inv relay.Invite) (*relay.Channel, func(context.Context) error, error) {
	k := &served{wanted: wanted{invite: inv}, joined: words.NewJoining(time.Now())}
	c, err := s.watch(n, k)
	if err != nil {
		return nil, nil, err
	}
	return c, func(ctx context.Context) error {
		<-s.runs // right away: the node has begun just before
		s.t.Say("Channel %s: a source has brought it with the token", k.label())
		err := s.run(ctx, c)
		if fast, ok := errors.AsType[*relay.TooFastError](err); ok {
			s.sayTooFast(k, fast)
		} else if why, ok := errors.AsType[relay.Dropped](context.Cause(ctx)); ok {
			s.t.Say("Channel %s: dropped: %v", k.label(), why)
		}
		return err
	}, nil
}
