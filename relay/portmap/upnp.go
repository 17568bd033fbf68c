package portmap

import (
	"context"
	"net/netip"
	"strconv"
	"time"
)

// upnpTime bounds everything that one call of a upnp takes; portsMost is how many ports
// after the wished one are tried if others have it.
const (
	upnpTime  = 8 * time.Second
	portsMost = 10
)

// upnp maps ports by UPnP IGD.
type upnp struct {
	igd
	request

	wan      wan // the service that was chosen; nil before
	address  netip.Addr
	forever  bool // the router knows no leases
	tcp, udp uint16
}

func newUPnP(a asker, r request) *upnp { return &upnp{igd: newIGD(a), request: r} }

// probe looks for the service with the best address: routers have services for lines that
// are not connected.
func (p *upnp) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	all, err := p.wans(ctx)
	if err != nil {
		return err
	}
	p.wan = nil
	var first error
	for _, w := range all {
		a, err := externalOf(ctx, w)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if p.wan == nil || a.IsValid() && (!p.address.IsValid() || judge(p.address) != None && judge(a) == None) {
			p.wan, p.address = w, a
		}
	}
	if p.wan == nil {
		return first
	}
	return nil
}

func (p *upnp) open(ctx context.Context) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	if p.wan == nil {
		if err := p.probe(ctx); err != nil {
			return grant{}, err
		}
	}
	address, err := externalOf(ctx, p.wan)
	if err != nil {
		p.wan = nil // it may have come back elsewhere: look again next time
		return grant{}, err
	}
	if !address.IsValid() {
		p.wan = nil
		return grant{}, failf(NoAddress, "the router has no address itself")
	}
	p.address = address
	tcp, err := p.mapOne(ctx, "TCP", &p.tcp, p.port)
	if err != nil {
		return grant{}, behind(address, err)
	}
	udp, err := p.mapOne(ctx, "UDP", &p.udp, tcp)
	if err != nil && ctx.Err() != nil {
		return grant{}, err
	}
	g := grant{external: netip.AddrPortFrom(address, tcp), udp: udp, lease: leaseUPnP}
	if p.forever {
		g.lease = 0
	}
	return g, nil
}

// mapOne maps one protocol at the external port that it had, else at the one wished for, or
// near it. It returns the port, 0 with an error. had keeps what may be at the router: an end
// that comes before the answer does not unmake the mapping.
func (p *upnp) mapOne(ctx context.Context, proto string, had *uint16, wish uint16) (uint16, error) {
	if *had != 0 {
		wish = *had
	}
	*had = wish
	err := p.add(ctx, proto, wish)
	switch upnpCode(err) {
	case upnpConflict, upnpOtherMechanism:
		return p.besides(ctx, proto, had, err)
	case upnpSamePorts:
		*had = p.port
		err = p.add(ctx, proto, p.port)
	}
	if err != nil {
		if upnpCode(err) != 0 {
			*had = 0
		}
		return 0, upnpError(err)
	}
	return *had, nil
}

// besides maps a port although the wished one, which had is, is taken. had goes on keeping what may
// be at the router.
func (p *upnp) besides(ctx context.Context, proto string, had *uint16, err error) (uint16, error) {
	wish := *had
	*had = 0 // another's
	// It may be our own, of an earlier run: some routers do not let it be replaced.
	port, client, _, _, _, asked := p.wan.GetSpecificPortMappingEntryCtx(ctx, "", wish, proto)
	if asked == nil && port == p.port && client == p.local.String() {
		_ = p.wan.DeletePortMappingCtx(ctx, "", wish, proto) // the next call tells
		*had = wish
		if err = p.add(ctx, proto, wish); err == nil || upnpCode(err) == 0 {
			return kept(had, err)
		}
		*had = 0
	}
	if w, ok := p.wan.(anyPort); ok {
		got, err := w.AddAnyPortMappingCtx(ctx, "", wish, proto, p.port, p.local.String(), true, p.title(), p.lease())
		if err == nil && got != 0 {
			*had = got
			return got, nil
		}
	}
	for i := range uint16(portsMost) {
		next := wish + 1 + i
		if next < wish { // beyond the last port
			break
		}
		*had = next
		err = p.add(ctx, proto, next)
		c := upnpCode(err)
		if err == nil || c == 0 {
			return kept(had, err)
		}
		*had = 0
		if c != upnpConflict && c != upnpOtherMechanism {
			break
		}
	}
	return 0, upnpError(err)
}

// kept is the port of a mapping that was made, or 0 and why it is not known to be.
func kept(had *uint16, err error) (uint16, error) {
	if err != nil {
		return 0, upnpError(err)
	}
	return *had, nil
}

// add maps one external port. A router that does not like a lease gets none: some say so
// (725), some only that an argument is wrong (402).
func (p *upnp) add(ctx context.Context, proto string, external uint16) error {
	err := p.wan.AddPortMappingCtx(ctx, "", external, proto, p.port, p.local.String(), true, p.title(), p.lease())
	if c := upnpCode(err); !p.forever && (c == upnpOnlyPermanent || c == upnpInvalidArgs) {
		again := p.wan.AddPortMappingCtx(ctx, "", external, proto, p.port, p.local.String(), true, p.title(), 0)
		if again == nil || upnpCode(again) == upnpConflict {
			p.forever = true
			return again
		}
	}
	return err
}

func (p *upnp) lease() uint32 {
	if p.forever {
		return 0
	}
	return uint32(leaseUPnP / time.Second)
}

// title is what the router's own page shows beside the mapping.
func (p *upnp) title() string { return "relay " + strconv.Itoa(int(p.port)) }

// check asks for the entry. A router that cannot tell is believed to have it.
func (p *upnp) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upnpTime)
	defer cancel()
	if p.wan == nil || p.tcp == 0 {
		return errForgotten
	}
	port, client, _, _, _, err := p.wan.GetSpecificPortMappingEntryCtx(ctx, "", p.tcp, "TCP")
	switch {
	case upnpCode(err) == upnpNoSuchEntry:
		return errForgotten
	case err != nil:
		if upnpCode(err) == 0 { // it has not refused: it is away, or is another program now
			p.wan = nil
			return p.lookAgain(ctx)
		}
		return upnpError(err)
	case port != p.port || client != "" && client != p.local.String():
		return errForgotten
	}
	a, err := externalOf(ctx, p.wan)
	if err != nil {
		return err
	}
	if a != p.address {
		return errForgotten
	}
	return nil
}

// lookAgain searches for a router that is no longer where it was. Once it is there, the
// mapping is asked for again.
func (p *upnp) lookAgain(ctx context.Context) error {
	if err := p.probe(ctx); err != nil {
		return err
	}
	return errForgotten
}

func (p *upnp) close(ctx context.Context) error {
	if p.wan == nil && (p.tcp != 0 || p.udp != 0) {
		if err := p.probe(ctx); err != nil {
			return err
		}
	}
	remove := func(had *uint16, protocol string) (err error) {
		if *had == 0 {
			return nil
		}
		if e := p.wan.DeletePortMappingCtx(ctx, "", *had, protocol); e != nil && upnpCode(e) != upnpNoSuchEntry {
			err = upnpError(e)
		}
		*had = 0
		return err
	}
	return both(func() error { return remove(&p.tcp, "TCP") }, func() error { return remove(&p.udp, "UDP") })
}
