package portmap

import (
	"context"
	"net/netip"
	"time"

	"github.com/huin/goupnp/dcps/internetgateway2"
)

// pinhole opens the port in a router's IPv6 firewall by UPnP (WANIPv6FirewallControl:1).
type pinhole struct {
	igd
	request // local is the global address that the pinhole is for

	firewall *internetgateway2.WANIPv6FirewallControl1 // nil before one was found
	open6    bool                                      // it lets everything in: there is nothing to open
	tcp, udp hole
}

// hole is one pinhole; its number is the router's name for it.
type hole struct {
	number uint16
	there  bool
}

func newPinhole(a asker, r request) *pinhole { return &pinhole{igd: newIGD(a), request: r} }

func (p *pinhole) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	all, err := p.firewalls(ctx)
	if err != nil {
		return err
	}
	for _, f := range all {
		enabled, allowed, e := f.GetFirewallStatusCtx(ctx)
		switch {
		case e != nil:
			err = upnpError(e)
		case enabled && !allowed:
			err = failf(Refused, "the router's IPv6 firewall does not allow pinholes")
		default:
			p.firewall, p.open6 = f, !enabled
			return nil
		}
	}
	return err
}

func (p *pinhole) open(ctx context.Context) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	if p.firewall == nil {
		if err := p.probe(ctx); err != nil {
			return grant{}, err
		}
	}
	g := grant{external: netip.AddrPortFrom(p.local, p.port), udp: p.port, lease: leaseUPnP}
	if p.open6 {
		return g, nil // the firewall may be switched on later: then the renewal finds out
	}
	if err := p.openOne(ctx, &p.tcp, protoTCP); err != nil {
		p.firewall = nil
		return grant{}, err
	}
	if err := p.openOne(ctx, &p.udp, protoUDP); err != nil {
		if ctx.Err() != nil {
			return grant{}, err
		}
		g.udp = 0
	}
	return g, nil
}

func (p *pinhole) openOne(ctx context.Context, h *hole, protocol uint16) error {
	lease := uint32(leaseUPnP / time.Second)
	if h.there {
		if err := p.firewall.UpdatePinholeCtx(ctx, h.number, lease); err == nil {
			return nil
		}
		h.there = false
	}
	number, err := p.firewall.AddPinholeCtx(ctx, "", 0, p.local.String(), p.port, protocol, lease)
	if err != nil {
		return upnpError(err)
	}
	*h = hole{number, true}
	return nil
}

// check counts the packets that came through, which only a pinhole that is there can tell.
func (p *pinhole) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	if p.firewall == nil {
		return errForgotten
	}
	if p.open6 {
		if err := p.probe(ctx); err != nil {
			return err
		}
		if p.open6 {
			return nil
		}
		return errForgotten
	}
	_, err := p.firewall.GetPinholePacketsCtx(ctx, p.tcp.number)
	if upnpCode(err) == upnpNoSuchPinhole {
		p.tcp.there, p.udp.there = false, false
		return errForgotten
	}
	if err != nil && upnpCode(err) == 0 { // it is away, or is another program now
		p.firewall = nil
		p.tcp.there, p.udp.there = false, false
		if err := p.probe(ctx); err != nil {
			return err
		}
		return errForgotten
	}
	return upnpError(err)
}

func (p *pinhole) close(ctx context.Context) error {
	remove := func(h *hole) (err error) {
		if !h.there || p.firewall == nil {
			return nil
		}
		if e := p.firewall.DeletePinholeCtx(ctx, h.number); e != nil && upnpCode(e) != upnpNoSuchPinhole {
			err = upnpError(e)
		}
		h.there = false
		return err
	}
	return both(func() error { return remove(&p.tcp) }, func() error { return remove(&p.udp) })
}
