package cli

import (
	"relay/cli/term"
	"relay/cli/words"
	"relay/cli/words/byid"
	"relay/playback/api"
)

// greeting returns the text that this source prints at its start.
func (s *source) greeting() words.Greeting {
	g := words.Greeting{
		Found: s.station.Discoverable(),
		Link:  s.station.Link(s.channel),
		Local: s.station.Local(),
		URL:   s.station.URL(s.channel),

		Private: s.access.Private(), Phrase: s.access.ByPassphrase(),
		PeerCast: s.plan.input.PeerCast != nil, Foreign: s.told.Title(),
	}
	g.Page, g.Near = s.station.Page()
	if s.plan.input.Awaited() {
		g.Server, g.Key, g.Film = s.station.RTMPServer(), s.key, s.station.BroadcastPage()
		g.SRT = s.station.SRTServer()
		g.WHIP = s.station.WHIPServer()
	}
	if s.plan.input.UDP != nil {
		g.Sent = s.plan.input.URL.String()
	}
	if g.Near && s.plan.code && s.t.ErrTTY {
		g.Code = term.QRCode(g.Page, s.t.Style())
	}
	return g
}

// greet says where everything is, once.
func (s *source) greet() {
	s.once.Do(func() {
		g := s.greeting()
		s.shared.Tell(g.Link)
		s.t.Greet(g.Lines())
		if s.plan.station.Finding.Public {
			s.t.Greet(byid.Public(s.station.Invite(s.channel)))
		}
		if s.events == nil {
			s.t.Result(g.Link)
		}
		s.events.Start(s.channel.ID(), s.station.Node.ID().String(), api.Start{
			Command: "source", Link: g.Link, Page: g.Page, URL: g.URL, Server: g.Server, Key: g.Key, Film: g.Film,
		}, s.station.Events())
	})
}
