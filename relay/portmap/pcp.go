package portmap

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"
)

// pcp asks a router by PCP. With an IPv6 address of ours it opens a pinhole in the
// router's firewall, by the same packets.
type pcp struct {
	asker
	request

	epoch    epoch
	tcp, udp pcpEntry
}

// pcpEntry is one mapping at the router.
type pcpEntry struct {
	nonce    nonce
	external uint16 // 0 until it is there
	asked    bool   // it was asked for, and not refused: it may be there
}

func newPCP(a asker, r request) *pcp {
	p := &pcp{asker: a, request: r}
	p.renounce()
	return p
}

// renounce takes new nonces: to the router, we are somebody else then.
func (p *pcp) renounce() {
	p.tcp, p.udp = pcpEntry{}, pcpEntry{}
	rand.Read(p.tcp.nonce[:]) // never fails
	rand.Read(p.udp.nonce[:])
}

// probe asks for the router's clock. One that does not know this operation says so, and
// speaks PCP all the same.
func (p *pcp) probe(ctx context.Context) error {
	_, err := p.announce(ctx)
	return err
}

func (p *pcp) announce(ctx context.Context) (lost bool, err error) {
	q := pcpRequest{op: pcpAnnounce, client: p.local}
	err = p.ask(ctx, q.append(nil), func(b []byte) error {
		a, err := parsePCP(b)
		if err != nil {
			return err
		}
		if a.op != pcpAnnounce {
			return errUnasked
		}
		if reason, name := pcpReason(a.result); reason != None && reason != Unsupported {
			return failf(reason, "the router answers %s", name)
		} else if name == "UNSUPP_VERSION" {
			return errOldVersion
		}
		lost = p.epoch.lost(time.Now(), a.epoch)
		return nil
	})
	return lost, err
}

func (p *pcp) open(ctx context.Context) (grant, error) {
	g, err := p.openBoth(ctx)
	// A router that cannot renew what it gave may give it to somebody new.
	if err != nil && p.tcp.external != 0 && reasonOf(err) == Full {
		_ = p.close(ctx) // while the nonces are known by which alone it can be; what has gone there need not be removed
		p.renounce()
		return p.openBoth(ctx)
	}
	return g, err
}

func (p *pcp) openBoth(ctx context.Context) (grant, error) {
	a, err := p.mapOne(ctx, &p.tcp, protoTCP, p.port)
	if err != nil {
		return grant{}, err
	}
	g := grant{external: netip.AddrPortFrom(a.address, a.external), lease: leaseOf(a.lifetime)}
	if u, err := p.mapOne(ctx, &p.udp, protoUDP, a.external); err == nil {
		g.udp = u.external
		g.lease = min(g.lease, leaseOf(u.lifetime))
	} else if ctx.Err() != nil {
		return grant{}, err
	}
	return g, nil
}

// mapOne asks for one mapping at the external port that it had, else at the one that is
// wished for.
func (p *pcp) mapOne(ctx context.Context, e *pcpEntry, protocol byte, wish uint16) (pcpAnswer, error) {
	if e.external != 0 {
		wish = e.external
	}
	e.asked = true
	a, err := p.exchange(ctx, pcpRequest{
		op: pcpMap, lifetime: uint32(leaseAsked / time.Second), client: p.local,
		nonce: e.nonce, protocol: protocol, internal: p.port, external: wish,
	})
	switch {
	case err != nil:
		// An end that comes before the answer does not unmake the mapping, nor need a router that fails take back
		// what it has done.
		reason := reasonOf(err)
		e.asked = e.external != 0 || ctx.Err() != nil || reason == NoAnswer || reason == NoAddress || reason == Broken
		return a, err
	case a.lifetime == 0 || a.external == 0:
		return a, failf(Broken, "the router gives a mapping without a port or for no time")
	case a.address.IsUnspecified():
		return a, failf(NoAddress, "the router has no address itself")
	}
	e.external = a.external
	return a, nil
}

// exchange sends a MAP request and returns the answer that belongs to it.
func (p *pcp) exchange(ctx context.Context, q pcpRequest) (pcpAnswer, error) {
	a, err := p.answer(ctx, q)
	if a.mapped {
		p.epoch.lost(time.Now(), a.epoch) // what was lost is made anew right now
	}
	return a, err
}

// answer is exchange that leaves the router's clock alone, so that two may wait at once.
func (p *pcp) answer(ctx context.Context, q pcpRequest) (pcpAnswer, error) {
	var got pcpAnswer
	err := p.ask(ctx, q.append(nil), func(b []byte) error {
		a, err := parsePCP(b)
		if err != nil {
			return err
		}
		if a.op != pcpMap || !a.mapped || a.nonce != q.nonce || a.protocol != q.protocol || a.internal != q.internal {
			return errUnasked
		}
		got = a
		if reason, name := pcpReason(a.result); reason != None {
			return failf(reason, "the router answers %s", name)
		}
		return nil
	})
	return got, err
}

func (p *pcp) check(ctx context.Context) error {
	young := p.epoch.young()
	lost, err := p.announce(ctx)
	if lost || err == nil && young {
		return errForgotten
	}
	return err
}

// close removes both mappings (RFC 6887 §15: the same nonce, no lifetime, nothing
// suggested). A router that forgets whose a mapping is when it renews it, and so lets nobody remove it, is asked
// to keep it for no longer than it must.
func (p *pcp) close(ctx context.Context) error {
	remove := func(e *pcpEntry, protocol byte) error {
		if !e.asked {
			return nil
		}
		q := pcpRequest{op: pcpMap, client: p.local, nonce: e.nonce, protocol: protocol, internal: p.port}
		_, err := p.answer(ctx, q)
		if e.external != 0 && reasonOf(err) == Refused {
			q.lifetime, q.external = 1, e.external
			_, err = p.answer(ctx, q)
		}
		e.external, e.asked = 0, false
		return err
	}
	return both(func() error { return remove(&p.tcp, protoTCP) }, func() error { return remove(&p.udp, protoUDP) })
}
