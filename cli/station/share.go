package station

import (
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
)

// JoinedBy keeps the hosts of the invite by which a channel was joined. The invites that this
// node gives name them after its own addresses.
func (s *Station) JoinedBy(u relay.Invite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = make(map[stream.ChannelID][]relay.HostPort)
	}
	s.hosts[u.Channel] = u.Hosts
}

// share returns the invite and the page of one of the station's channels.
func (s *Station) share(id stream.ChannelID) api.Share {
	var sh api.Share
	sh.Page, _ = s.Page()
	s.mu.Lock()
	hosts := s.hosts[id]
	s.mu.Unlock()
	if c := s.Node.Channel(id); c != nil && len(s.Node.Addrs())+len(hosts) > 0 {
		sh.Link = s.Link(c, hosts...)
	}
	return sh
}
