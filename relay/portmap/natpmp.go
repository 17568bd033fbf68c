package portmap

import (
	"context"
	"net/netip"
	"time"
)

// natpmp asks a router by NAT-PMP. The protocol has no nonce: who knows the random port
// that a request came from, and can use the router's address, is believed.
type natpmp struct {
	asker
	request

	epoch    epoch
	address  netip.Addr
	tcp, udp pmpEntry
}

// pmpEntry is one mapping at the router.
type pmpEntry struct {
	external uint16 // 0 until it is there
	asked    bool   // it was asked for, and not refused: it may be there
}

func newNATPMP(a asker, r request) *natpmp { return &natpmp{asker: a, request: r} }

func (p *natpmp) probe(ctx context.Context) error {
	_, err := p.exchange(ctx, pmpRequest{op: pmpAddress})
	return err
}

func (p *natpmp) open(ctx context.Context) (grant, error) {
	at, err := p.exchange(ctx, pmpRequest{op: pmpAddress})
	if err != nil {
		return grant{}, err
	}
	if at.address.IsUnspecified() {
		return grant{}, failf(NoAddress, "the router has no address itself")
	}
	p.address = at.address
	p.epoch.lost(time.Now(), at.epoch) // what was lost is made anew right now
	a, err := p.mapOne(ctx, pmpMapTCP, &p.tcp, p.port)
	if err != nil {
		return grant{}, behind(at.address, err)
	}
	g := grant{external: netip.AddrPortFrom(at.address, a.external), lease: leaseOf(a.lifetime)}
	if u, err := p.mapOne(ctx, pmpMapUDP, &p.udp, a.external); err == nil {
		g.udp = u.external
		g.lease = min(g.lease, leaseOf(u.lifetime))
	} else if ctx.Err() != nil {
		return grant{}, err
	}
	return g, nil
}

func (p *natpmp) mapOne(ctx context.Context, op byte, e *pmpEntry, wish uint16) (pmpAnswer, error) {
	if e.external != 0 {
		wish = e.external
	}
	e.asked = true
	a, err := p.exchange(ctx, pmpRequest{op: op, internal: p.port, external: wish, lifetime: uint32(leaseAsked / time.Second)})
	if err != nil {
		// An end that comes before the answer does not unmake the mapping.
		e.asked = e.external != 0 || ctx.Err() != nil || reasonOf(err) == NoAnswer
		return a, err
	}
	if a.lifetime == 0 || a.external == 0 {
		return a, failf(Broken, "the router gives a mapping without a port or for no time")
	}
	e.external = a.external
	return a, nil
}

// exchange sends a request and returns the answer to it.
func (p *natpmp) exchange(ctx context.Context, q pmpRequest) (pmpAnswer, error) {
	var got pmpAnswer
	err := p.ask(ctx, q.append(nil), func(b []byte) error {
		a, err := parsePMP(b)
		if err != nil {
			return err
		}
		if a.op != q.op || a.result == 0 && a.internal != q.internal {
			return errUnasked
		}
		if reason, name := pmpReason(a.result); reason != None {
			return failf(reason, "the router answers that it is %q", name)
		}
		got = a
		return nil
	})
	return got, err
}

// check asks for the router's address, which comes with its clock.
func (p *natpmp) check(ctx context.Context) error {
	young := p.epoch.young()
	a, err := p.exchange(ctx, pmpRequest{op: pmpAddress})
	if err != nil {
		return err
	}
	if p.epoch.lost(time.Now(), a.epoch) || young || a.address != p.address {
		return errForgotten
	}
	return nil
}

// close removes both mappings (RFC 6886 §3.4: no lifetime, no external port).
func (p *natpmp) close(ctx context.Context) error {
	remove := func(e *pmpEntry, op byte) error {
		if !e.asked {
			return nil
		}
		_, err := p.exchange(ctx, pmpRequest{op: op, internal: p.port})
		*e = pmpEntry{}
		return err
	}
	return both(func() error { return remove(&p.tcp, pmpMapTCP) }, func() error { return remove(&p.udp, pmpMapUDP) })
}
