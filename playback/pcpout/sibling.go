package pcpout

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"relay/relay/pcp"
)

const (
	// siblingTime is how long it may take until a node has answered that it serves PeerCast, and siblingFor how long that
	// counts, or that it has not.
	siblingTime = time.Second
	siblingFor  = 5 * time.Minute
	// mostSiblings is how many nodes are remembered.
	mostSiblings = 64
)

// siblings are nodes below this one that serve PeerCast as well, at the port to which links lead: to whom a PeerCast may be sent for whom
// there is no room here. Nodes do not say of themselves whether they do. So they are asked, as a PeerCast asks whether a port is open.
type siblings struct {
	mu sync.Mutex
	at map[netip.AddrPort]sibling
}

type sibling struct {
	session pcp.ID // zero for none: it does not serve PeerCast, or has not answered yet
	asked   time.Time
}

// serving returns those of the nodes that serve PeerCast, as far as an asker can reach them.
func (s *Server) serving(ctx context.Context, nodes []netip.AddrPort, asker netip.Addr, id, session pcp.ID) (all []pcp.Host) {
	ctx, cancel := context.WithTimeout(ctx, siblingTime)
	defer cancel()
	var asking sync.WaitGroup
	for _, at := range nodes[:min(len(nodes), refers)] {
		if s.siblings.due(at, time.Now()) && s.dialled(at) {
			asking.Go(func() { // ends with ctx
				if o, ok := s.greet(ctx, at); ok {
					s.siblings.answered(at, o.Session)
				}
			})
		}
	}
	asking.Wait()
	s.siblings.mu.Lock()
	defer s.siblings.mu.Unlock()
	for _, at := range nodes[:min(len(nodes), refers)] {
		one := s.siblings.at[at].session
		if one == (pcp.ID{}) || one == session || one == s.config.Session || !reaches(asker, at.Addr()) {
			continue
		}
		all = append(all, pcp.Host{Channel: id, Session: one, Global: at, Local: at, Version: pcp.Version, Flags: pcp.Receiving | pcp.RelayFree})
	}
	return all
}

// due reports whether a node is to be asked, and notes that it is.
func (b *siblings) due(at netip.AddrPort, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if was, ok := b.at[at]; ok && now.Sub(was.asked) < siblingFor {
		return false
	}
	for k, was := range b.at {
		if now.Sub(was.asked) >= siblingFor {
			delete(b.at, k)
		}
	}
	if len(b.at) >= mostSiblings {
		return false
	}
	if b.at == nil {
		b.at = make(map[netip.AddrPort]sibling)
	}
	b.at[at] = sibling{asked: now}
	return true
}

func (b *siblings) answered(at netip.AddrPort, session pcp.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at[at] = sibling{session, time.Now()}
}
