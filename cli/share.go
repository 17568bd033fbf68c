package cli

import (
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
)

// joinedBy keeps the addresses of the link by which a channel was joined: what this
// node shares names them behind its own.
func (s *station) joinedBy(u relay.Invite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = make(map[stream.ChannelID][]relay.HostPort)
	}
	s.hosts[u.Channel] = u.Hosts
}

// share is what people share of one of the station's channels.
func (s *station) share(id stream.ChannelID) api.Share {
	var sh api.Share
	sh.Page, _ = s.page()
	s.mu.Lock()
	hosts := s.hosts[id]
	s.mu.Unlock()
	if c := s.node.Channel(id); c != nil && len(s.addrs)+len(hosts) > 0 {
		sh.Link = s.link(c, hosts...)
	}
	return sh
}
