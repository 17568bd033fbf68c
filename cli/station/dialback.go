package station

import (
	"context"
	"errors"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
)

// dialBack has other nodes of a channel dial this one, in playback's words.
func (s *Station) dialBack(ctx context.Context, id stream.ChannelID) ([]api.DialBack, error) {
	c := s.Node.Channel(id)
	if c == nil {
		return nil, relay.ErrEnded
	}
	asked, err := c.DialBacks(ctx)
	if err != nil {
		err = errors.New(fault.Plain(err)) // a person reads it
	}
	return words.DialBacks(asked), err
}
