package portmap

import (
	"context"
	"errors"
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
	tcp, udp uint16 // external ports; 0 until they are there
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
		return grant{}, failf(Offline, "the router has no address itself")
	}
	p.address = at.address
	p.epoch.lost(time.Now(), at.epoch) // what was lost is made anew right now
	a, err := p.mapOne(ctx, pmpMapTCP, &p.tcp, p.port)
	if err != nil {
		return grant{}, err
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

func (p *natpmp) mapOne(ctx context.Context, op byte, had *uint16, wish uint16) (pmpAnswer, error) {
	if *had != 0 {
		wish = *had
	}
	a, err := p.exchange(ctx, pmpRequest{op: op, internal: p.port, external: wish, lifetime: uint32(leaseAsked / time.Second)})
	if err != nil {
		return a, err
	}
	if a.lifetime == 0 || a.external == 0 {
		return a, failf(Broken, "the router gives a mapping without a port or for no time")
	}
	*had = a.external
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
	a, err := p.exchange(ctx, pmpRequest{op: pmpAddress})
	if err != nil {
		return err
	}
	if p.epoch.lost(time.Now(), a.epoch) || a.address != p.address {
		return errForgotten
	}
	return nil
}

// close removes both mappings (RFC 6886 §3.4: no lifetime, no external port).
func (p *natpmp) close(ctx context.Context) error {
	var errs []error
	for _, e := range []struct {
		op  byte
		had *uint16
	}{{pmpMapTCP, &p.tcp}, {pmpMapUDP, &p.udp}} {
		if *e.had == 0 {
			continue
		}
		_, err := p.exchange(ctx, pmpRequest{op: e.op, internal: p.port})
		errs = append(errs, err)
		*e.had = 0
	}
	return errors.Join(errs...)
}
