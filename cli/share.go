package cli

import (
	"net"
	"net/netip"
	"slices"

	"relay/playback"
	"relay/relay"
	"relay/relay/stream"
)

// joinedBy keeps the addresses of the link by which a channel was joined: what this
// node shares names them behind its own.
func (s *station) joinedBy(u relay.URL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = make(map[stream.ChannelID][]relay.HostPort)
	}
	s.hosts[u.Channel] = u.Hosts
}

// share is what people share of one of the station's channels.
func (s *station) share(id stream.ChannelID) playback.Share {
	sh := playback.Share{Page: pages(s.http)}
	s.mu.Lock()
	hosts := s.hosts[id]
	s.mu.Unlock()
	if c := s.node.Channel(id); c != nil && len(s.addrs)+len(hosts) > 0 {
		sh.Link = s.link(c, hosts...)
	}
	return sh
}

// pages are the addresses of the page that a listener for players serves.
func pages(ln net.Listener) []string {
	urls := []string{}
	for _, a := range reachable(ln) {
		urls = append(urls, pageURL(a))
	}
	if a, err := netip.ParseAddrPort(localAddr(ln)); err == nil && !slices.Contains(urls, pageURL(a)) {
		urls = append(urls, pageURL(a))
	}
	return urls
}

func pageURL(a netip.AddrPort) string { return "http://" + a.String() + "/" }
