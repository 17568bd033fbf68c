package cli

import (
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
)

// greeting is what relay source says when it starts.
type greeting struct {
	Server, Key string // for the encoder; "" if the media is fetched
	Page        string
	Near        bool // the page can be reached from the network
	Found       bool // relay watch finds the channel by itself
	Link        string
	Local       bool // nobody outside this machine can reach it, though nothing forbids it
	URL         string
	Code        []string // of Page, for phones
}

func (g greeting) lines() []string {
	var all []string
	add := func(lines ...string) { all = append(all, lines...) }
	if len(g.Code) > 0 {
		add(g.Code...)
		add("")
	}
	if g.Server != "" {
		add(`Waiting for an encoder. In OBS: Settings > Stream > Service "Custom...":`,
			"",
			"  Server  "+g.Server,
			"  Key     "+g.Key,
			"")
	}
	add("Page    " + g.Page)
	switch {
	case len(g.Code) > 0:
		add("        (in any browser on this network; phones scan the code above)")
	case g.Near:
		add("        (in any browser on this network)")
	default:
		add("        (in a browser on this machine)")
	}
	add("Share   relay watch " + g.Link)
	switch {
	case g.Local:
		add("        (this machine only: it has no other network address)")
	case g.Found:
		add("        (on this network relay watch finds it by itself)")
	}
	add("Watch   "+g.URL,
		"        (on this machine, in VLC, mpv or ffplay)")
	return all
}

// greeting is this source's.
func (s *source) greeting() greeting {
	g := greeting{
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

// server is what OBS calls so.
func (s *source) server() string { return "rtmp://" + localAddr(s.rtmp) + "/" + rtmpApp }

// greet says where everything is, once.
func (s *source) greet() {
	s.once.Do(func() {
		g := s.greeting()
		for _, l := range g.lines() {
			s.t.Print(l)
		}
		if s.events == nil {
			s.t.Result(g.Link)
		}
		s.events.start(s.channel.ID(), s.station.node.ID().String(), api.Start{
			Command: "source", Link: g.Link, Page: g.Page, URL: g.URL, Server: g.Server, Key: g.Key,
		}, s.station.ops.events)
	})
}

// startOfWatch is the event of a watcher's start; link is the one it was given.
func (s *station) startOfWatch(c *relay.Channel, link string) api.Start {
	page, _ := s.page()
	return api.Start{Command: "watch", Link: link, Page: page, URL: s.url(c)}
}
