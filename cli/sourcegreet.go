package cli

import (
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/api"
)

// greeting is this source's.
func (s *source) greeting() words.Greeting {
	g := words.Greeting{
		Found: s.station.discoverable(),
		Link:  s.station.link(s.channel),
		Local: s.station.local(),
		URL:   s.station.url(s.channel),
	}
	g.Page, g.Near = s.station.page()
	if s.rtmp != nil {
		g.Server, g.Key = s.server(), s.key
	}
	if g.Near && s.code && s.t.ErrTTY {
		g.Code = term.QRCode(g.Page, s.t.Style())
	}
	return g
}

// server is the address of the encoder, which OBS calls its server.
func (s *source) server() string { return "rtmp://" + localAddr(s.rtmp) + "/" + rtmpApp }

// greet says where everything is, once.
func (s *source) greet() {
	s.once.Do(func() {
		g := s.greeting()
		for _, l := range g.Lines() {
			s.t.Print(l)
		}
		if s.events == nil {
			s.t.Result(g.Link)
		}
		s.events.Start(s.channel.ID(), s.station.node.ID().String(), api.Start{
			Command: "source", Link: g.Link, Page: g.Page, URL: g.URL, Server: g.Server, Key: g.Key,
		}, s.station.ops.events)
	})
}
