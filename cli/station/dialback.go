package station

import (
	"context"

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
	return words.DialBacks(asked), err
}
