package station

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"go.uber.org/zap"

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

// KeepSecret keeps the secret by which a channel was joined, for relay link.
func (s *Station) KeepSecret(u relay.Invite) {
	if s.cfg.Store == nil || !u.Access.Private() {
		return
	}
	if err := s.cfg.Store.KeepSecret(u.Channel.String(), u.Access); err != nil {
		s.log.Warn("keep the secret of a channel", zap.Error(err))
	}
}

// share returns the invite and the page of one of the station's channels. HTTP tells of a private
// channel's secret to nobody.
func (s *Station) share(id stream.ChannelID) api.Share {
	var sh api.Share
	sh.Page, _ = s.Page()
	s.mu.Lock()
	hosts := s.hosts[id]
	s.mu.Unlock()
	if c := s.Node.Channel(id); c != nil && len(s.Node.Addrs())+len(hosts) > 0 {
		sh.Link = s.Invite(c, hosts...).String()
	}
	return sh
}

// linkAt returns the invite to a channel for a client that reached this machine under host, with
// or without a port. It names no other address: the client has proved that this one works. It
// returns "" if the listener for links is not open there.
func (s *Station) linkAt(id stream.ChannelID, host string) string {
	at := s.reach.At
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if ip := at.Addr().Unmap(); ip.IsValid() && !ip.IsUnspecified() {
		asked, err := netip.ParseAddr(name)
		if ip.IsLoopback() && name != "localhost" && (err != nil || !asked.IsLoopback()) {
			return ""
		}
		name = ip.String()
	}
	h, err := relay.ParseHostPort(net.JoinHostPort(name, strconv.Itoa(int(at.Port()))))
	if err != nil {
		return ""
	}
	return relay.Invite{Channel: id, Hosts: []relay.HostPort{h}}.String()
}
