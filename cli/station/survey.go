package station

import (
	"context"
	"errors"

	"relay/cli/fault"
	"relay/cli/treeview"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
)

// survey is the tree of one of the station's channels, in playback's words.
func (s *Station) survey(ctx context.Context, id stream.ChannelID) (api.ChannelTree, error) {
	c := s.Node.Channel(id)
	if c == nil {
		return api.ChannelTree{}, relay.ErrEnded
	}
	got, err := c.Survey(ctx)
	if err != nil {
		return api.ChannelTree{}, errors.New(fault.Plain(err)) // a person reads it
	}
	t := treeview.Of(got)
	if s.peercast != nil {
		n := s.peercast.Counts(id)
		t.PeerCast = &n
	}
	return t, nil
}
