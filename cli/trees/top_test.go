package trees

import (
	"fmt"
	"slices"
	"testing"

	"relay/cli/treedraw"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

func TestOldFiguresStayWithAWord(t *testing.T) {
	s := top{screen: treedraw.Top{Channels: treedraw.Channels(api.Trees{Channels: []api.ChannelTree{drawtest.Sample(), drawtest.Sample()}}, nil)}}
	s.screen.Channels[1].ID, s.screen.Chosen = "second", 1
	s.take(topNews{err: fmt.Errorf("gone \x1b[2J")})
	if got := s.screen.Lines(); got[1] != "gone \ufffd[2J; asking again" || len(s.screen.Channels) != 2 {
		t.Errorf("%q", got)
	}
	s.take(topNews{channels: slices.Clone(s.screen.Channels[1:])})
	if s.screen.Trouble != "" || s.screen.Chosen != 0 || s.screen.Channels[0].ID != "second" {
		t.Errorf("%+v", s.screen)
	}
	s.take(topNews{})
	if got := s.screen.Lines(); got[0] != "relay top  no channel is open there" {
		t.Errorf("%q", got)
	}
}
