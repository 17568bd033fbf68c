package api

import "testing"

func TestWhetherOthersGetThroughIsSaidInOneSentence(t *testing.T) {
	four, six := func(r string) Reached { return Reached{"IPv4", r, "203.0.113.7:7144"} }, func(r string) Reached { return Reached{"IPv6", r, "[2001:db8::1]:7144"} }
	for _, test := range []struct {
		root    bool
		reach   string
		reached []Reached
		want    string
	}{
		{false, "", nil, ""},
		{false, ReachOpen, nil, "Others get through to this node."},
		{false, ReachOpen, []Reached{four(ReachOpen), six(ReachOpen)}, "Others get through to this node."},
		{false, ReachClosed, []Reached{four(ReachClosed)}, "Nobody gets through to this node: it watches. relay doctor says what to do to pass the stream on."},
		{false, ReachOpen, []Reached{four(ReachClosed), six(ReachOpen)}, "Others get through to this node over IPv6, and nobody does over IPv4."},
		{false, ReachPunchable, []Reached{four(ReachPunchable), six(ReachOpen)}, "Others get through to this node over IPv6, and over IPv4 where their routers and this one let the two meet."},
		{false, ReachPunchable, []Reached{four(ReachPunchable), six(ReachClosed)}, "Nobody can dial this node, but over IPv4 others get through where their routers and this one let the two meet."},
		{true, "", []Reached{four(ReachClosed)}, "Nobody gets through to this source. relay doctor says what to do."},
		{true, "", []Reached{four(ReachOpen)}, "Others get through to this node."},
	} {
		s := ChannelStatus{Channel: Channel{Root: test.root, Reach: test.reach}, Reached: test.reached}
		if got := s.ReachText(); got != test.want {
			t.Errorf("%+v: %q, want %q", test, got, test.want)
		}
	}
}
