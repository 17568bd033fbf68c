package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"relay/relay/stream"
	"relay/tree"

	"go.uber.org/zap"
)

const (
	// resolveInterval is how often names in the invite are looked up again while
	// there is no parent.
	resolveInterval = 15 * time.Second
	// maxTold bounds the addresses that a domain names and that are tried.
	maxTold = 8
)

// placesAt makes a place of each address.
func placesAt(addrs []netip.AddrPort) []tree.Place {
	var ps []tree.Place
	for _, a := range addrs {
		ps = append(ps, tree.Place{Addrs: []netip.AddrPort{a}})
	}
	return ps
}

// Suggest names addresses at which the channel's nodes may be, such as those that
// answered on this network. They are tried when the node looks for a parent. A source asks them whether
// there is a later one.
func (c *Channel) Suggest(addrs ...netip.AddrPort) { c.SuggestPlaces(placesAt(addrs)) }

// SuggestPlaces is Suggest for nodes whose IDs are known: another one that answers there is not taken for it.
func (c *Channel) SuggestPlaces(ps []tree.Place) {
	if len(ps) == 0 {
		return
	}
	c.node.hearsay.give(ps)
	if c.writer != nil {
		c.meetOthers(ps)
		return
	}
	c.tell(candidates(ps))
}

// seeds returns where to begin: what was found on this network, and the invite's
// addresses. It looks names up, and fails if there is no address at all because one could
// not be looked up.
func (c *Channel) seeds(ctx context.Context) ([]tree.Place, error) {
	ps := slices.Clone(c.found)
	var told []tree.Place // not by the user
	var last error
	for _, h := range c.invite.Hosts {
		if domain, ok := h.Domain(); ok {
			addrs, err := c.node.askDomain(ctx, domain, c.id)
			if err != nil {
				last = err
			}
			told = append(told, placesAt(addrs)...)
			continue
		}
		addrs, err := lookup(ctx, h)
		if err != nil {
			last = err
			continue
		}
		ps = append(ps, tree.Place{Addrs: addrs})
	}
	if len(ps)+len(told) == 0 && last != nil {
		return nil, last
	}
	c.node.hearsay.give(ps)
	return append(ps, told...), nil
}

// ErrOnlyInside means that all addresses that a domain tells mean something in another network alone.
var ErrOnlyInside = errors.New("it names only addresses that lead nowhere from here, as those of a private network do")

// askDomain returns the addresses that a domain tells of a channel, those that mean something here: whoever
// has the domain could name any, and the user has not.
func (n *Node) askDomain(ctx context.Context, domain string, id stream.ChannelID) ([]netip.AddrPort, error) {
	if n.cfg.AskDomain == nil {
		return nil, fmt.Errorf("@%s: no domain is asked here", domain)
	}
	all, err := n.cfg.AskDomain(ctx, domain, id)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, a := range all {
		switch {
		case len(addrs) == maxTold:
		case n.mayTell(a.Addr()):
			addrs = append(addrs, a)
		default:
			n.hearsay.refused.Add(toldAddress)
		}
	}
	if len(addrs) == 0 && len(all) > 0 {
		return nil, fmt.Errorf("%s: %w", domain, ErrOnlyInside)
	}
	return addrs, nil
}

// candidates are places of which nothing else is known.
func candidates(ps []tree.Place) tree.Candidates {
	var ev tree.Candidates
	for _, p := range ps {
		ev.Of = append(ev.Of, tree.Candidate{Place: p, Depth: -1})
	}
	return ev
}

func placesOf(cands []tree.Candidate) []tree.Place {
	var ps []tree.Place
	for _, k := range cands {
		ps = append(ps, k.Place)
	}
	return ps
}

func lookup(ctx context.Context, h HostPort) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(h.Host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip, h.Port)}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Host)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, ip := range ips[:min(len(ips), tree.MaxAddrs)] {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), h.Port))
	}
	return addrs, nil
}

// resolveAgain looks the invite's names up once more while there is no parent: a
// home's address changes.
func (c *Channel) resolveAgain(ctx context.Context) {
	if c.writer != nil || c.tree.Info().Attached || ctx.Err() != nil {
		return
	}
	c.wg.Go(func() { // ends with the resolver, or with ctx
		if ps, err := c.seeds(ctx); err == nil {
			c.tell(candidates(ps))
		}
	})
}

// remembered returns the channel's nodes of the last run, for the tree to ask, or for the source.
func (c *Channel) remembered() []tree.Candidate {
	if c.node.cfg.Store == nil {
		return nil
	}
	ps, err := c.node.cfg.Store.Remembered(c.id, time.Now())
	if err != nil {
		c.log.Warn("the nodes of the last run cannot be read; going on without them", zap.Error(err))
	}
	var of []tree.Candidate
	for _, p := range ps {
		if p.ID != c.node.ID() {
			of = append(of, tree.Candidate{Place: p, Depth: -1, Free: -1, Slots: -1})
		}
	}
	return of
}
