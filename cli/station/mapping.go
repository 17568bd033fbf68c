package station

import (
	"net/netip"
	"slices"

	"relay/cli/words"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/portmap"
	"relay/tree"
)

// newMapper returns what has the routers open the listener's port; nil if there is none that
// somebody outside this machine could dial. changed is called when there is something new.
func (s *Station) newMapper(at netip.AddrPort, changed func()) *portmap.Mapper {
	if !s.cfg.MapPort || at.Addr().IsLoopback() {
		return nil
	}
	ip := at.Addr().Unmap()
	return &portmap.Mapper{
		Port: at.Port(),
		Gateways: func() []netip.Addr {
			if !ip.IsUnspecified() && ip != hostnet.Outward() && ip != hostnet.Outward6() {
				return nil // routers would send what comes in to another address than the listener's
			}
			return hostnet.Gateways()
		},
		Globals: func() (all []netip.Addr) {
			for _, a := range hostnet.Reachable(at) {
				if a.Addr().Is6() && hostnet.Public(a.Addr()) {
					all = append(all, a.Addr())
				}
			}
			return all
		},
		Changed: func(portmap.State) {
			s.asking.Store(true)
			changed()
		},
		Log: s.log,
	}
}

// Mapped is what is known of the port that routers were asked to open. asked is false if none
// is asked.
func (s *Station) Mapped() (m words.Mapped, asked bool) {
	if s.mapper == nil || s.Node == nil {
		return m, false
	}
	m = words.Mapped{State: s.mapper.State(), Port: s.reach.At.Port(), Seen: s.Node.Seen()}
	m.Source = slices.ContainsFunc(s.ops.channels(), func(k *servedChannel) bool { return k.encoder != nil })
	for _, c := range s.Node.Channels() {
		if t := c.Trial(); t.At.After(m.Trial.At) {
			m.Trial = t
		}
	}
	return m, true
}

// mapped is where the routers let others in, as far as others are told.
func (s *Station) mapped() (all []netip.AddrPort) {
	m, _ := s.Mapped()
	for _, p := range m.State.Mappings {
		if m.Told(p) {
			all = append(all, p.External)
		}
	}
	return all
}

// noPackets reports that a router lets connections in at an address, and no packets.
func (s *Station) noPackets(a netip.AddrPort) bool {
	return s.mapper != nil && packetless(s.mapper.State(), a)
}

func packetless(of portmap.State, a netip.AddrPort) bool {
	return slices.ContainsFunc(of.Mappings, func(p portmap.Mapping) bool { return p.External == a && p.UDP != a.Port() })
}

// cameIn reports whether a child has come in from further away than the node's own networks. One
// that this node has dialled, as a source does a helper, or that was called, shows nothing.
func cameIn(c relay.Status) bool {
	return slices.ContainsFunc(c.Tree.Children, func(ch tree.ChildInfo) bool {
		l := c.Links[ch.Link]
		return l.CameIn && !l.Near
	})
}

// OnlyHere reports whether the node can be reached from its own networks alone, as far as is
// known: all addresses are private, the routers have been asked, and nobody has come in from
// further away.
func (s *Station) OnlyHere(c relay.Status) bool {
	m, _ := s.Mapped()
	if s.mapper != nil && !s.asking.Load() || m.State.Searching || len(s.cfg.Advertise)+len(s.cfg.Via) > 0 || !s.onNetwork() || !hostnet.Outward().IsValid() {
		return false
	}
	return !cameIn(c) && !slices.ContainsFunc(s.Node.Addrs(), func(a netip.AddrPort) bool { return hostnet.Public(a.Addr()) })
}

// portMapping is Mapped as programs are told.
func (s *Station) portMapping() *api.PortMapping {
	m, asked := s.Mapped()
	if !asked {
		return nil
	}
	for _, c := range s.Node.Channels() {
		st, ok := c.Status()
		m.Came = m.Came || ok && cameIn(st)
	}
	p := &api.PortMapping{Why: m.State.Why().String(), Why6: m.State.Why6().String(), Mappings: []api.MappedPort{}}
	p.Text, p.Next = m.Sentences()
	_, p.Open = m.Open()
	for _, o := range m.State.Mappings {
		p.Mappings = append(p.Mappings, api.MappedPort{
			Protocol: string(o.Protocol), Gateway: o.Gateway.String(), Internal: o.Internal.String(), External: o.External.String(),
			UDPPort: int(o.UDP), LeaseS: int64(o.Lease.Seconds()), Since: o.Since.UTC(), Why: o.Reason.String(), Told: m.Told(o),
		})
	}
	return p
}
