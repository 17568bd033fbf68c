package pcpin

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

const (
	// maxHosts is how many hosts are remembered that others have named, and maxNamed how many
	// one connection may name: PeerCast names 8 at a time.
	maxHosts = 64
	maxNamed = 8
	// lowestPort is the lowest port that is dialled because somebody names it. Below are those
	// of services, to which a request is not to be sent on a stranger's word.
	lowestPort = 1024
	// maxCredit bounds how many bytes may be sent to hosts that others name, ahead of what they
	// send themselves.
	maxCredit = 8 << 10
	// mostVain is how often in a row a host may be dialled in vain before it is left alone, for
	// vainPause at first, which doubles up to vainMost.
	mostVain  = 3
	vainPause = 15 * time.Second
	vainMost  = 16 * time.Minute
	// vainEvery and vainBurst bound all that is dialled on others' word and gives nothing.
	vainEvery = time.Minute
	vainBurst = 32
)

// Why a host that was named is not dialled.
const (
	PlaceNowhere refusal.Reason = "pcp_place_nowhere" // where no node can be
	PlaceInside  refusal.Reason = "pcp_place_inside"  // in a network of its own, which is not the tip's
	PlacePort    refusal.Reason = "pcp_place_port"    // a port of services
	PlaceMany    refusal.Reason = "pcp_place_many"    // more than one connection may name
	PlaceUnpaid  refusal.Reason = "pcp_place_unpaid"  // who named it sent less than it costs
	PlaceVain    refusal.Reason = "pcp_place_vain"    // too many that were named gave nothing lately
	PlaceSelf    refusal.Reason = "pcp_place_self"    // this program, or the tip, which is dialled anyway
	PlaceShut    refusal.Reason = "pcp_place_shut"    // it says that it cannot be dialled, or has nothing
)

// named is a host that somebody has named.
type named struct {
	at    netip.AddrPort
	free  bool      // it has room, they say
	tried int       // the round in which it was dialled last
	vain  int       // how often in a row it gave nothing
	until time.Time // when it may be dialled again
}

// Refusals are all reasons, in the order in which to list them.
var Refusals = []refusal.Reason{
	PlaceNowhere, PlaceInside, PlacePort, PlaceMany, PlaceUnpaid, PlaceVain, PlaceSelf, PlaceShut,
	pcp.Unknown, pcp.Deep, pcp.Kids, pcp.Long, pcp.Size, pcp.Missing, pcp.NotHTTP, pcp.LongHead,
}

// hosts are those that others have named for one channel. Who names costs us a connection to who
// is named: it is made only to where one can be meant, and only as far as what was sent for it
// is as much as what is sent there. It belongs to one goroutine.
type hosts struct {
	tip     netip.AddrPort // as it was dialled; zero before
	list    []named
	credit  int           // bytes
	vain    *rate.Limiter // dials in vain
	refused *refusal.Counts
}

func newHosts(refused *refusal.Counts) hosts {
	return hosts{refused: refused, vain: rate.NewLimiter(rate.Every(vainEvery), vainBurst)}
}

// name takes what one connection says of another host. nth counts what that connection has named
// before.
func (h *hosts) name(self, channel pcp.ID, host pcp.Host, nth int) {
	at, why := h.place(self, channel, host)
	if why == "" && nth >= maxNamed {
		why = PlaceMany
	}
	if why != "" {
		h.refused.Add(why)
		return
	}
	free := host.Flags&pcp.RelayFree != 0
	if i := h.find(at); i >= 0 {
		h.list[i].free = free
		return
	}
	if len(h.list) == maxHosts && !h.drop() {
		h.refused.Add(PlaceMany)
		return
	}
	h.list = append(h.list, named{at: at, free: free})
}

// place returns where a host is to be dialled.
func (h *hosts) place(self, channel pcp.ID, host pcp.Host) (netip.AddrPort, refusal.Reason) {
	switch {
	case host.Session == self, host.Global == h.tip && h.tip.IsValid():
		return netip.AddrPort{}, PlaceSelf
	case host.Channel != channel, host.Flags&pcp.Receiving == 0, host.Flags&pcp.Firewalled != 0:
		return netip.AddrPort{}, PlaceShut
	}
	first := PlaceShut
	for i, at := range []netip.AddrPort{host.Global, host.Local} {
		if !at.IsValid() {
			continue
		}
		why := screen(h.tip.Addr(), at)
		if why == "" {
			return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), ""
		}
		if i == 0 || first == PlaceShut {
			first = why
		}
	}
	return netip.AddrPort{}, first
}

// screen says why an address is not dialled although a stranger names it, "" if it is. One that
// means something in one network alone is dialled only if the tip, which a person has named, is
// in such a network too.
func screen(tip netip.Addr, at netip.AddrPort) refusal.Reason {
	if hostnet.Nowhere(at.Addr()) || at.Addr().Zone() != "" {
		return PlaceNowhere
	}
	if block, inside := hostnet.Inside(at.Addr()); inside {
		if own, ok := hostnet.Inside(tip); !ok || own != block {
			return PlaceInside
		}
	}
	if at.Port() < lowestPort {
		return PlacePort
	}
	return ""
}

func (h *hosts) find(at netip.AddrPort) int {
	return slices.IndexFunc(h.list, func(n named) bool { return n.at == at })
}

// drop makes room for one more: by the one that was dialled in vain most often.
func (h *hosts) drop() bool {
	worst := 0
	for i, n := range h.list {
		if n.vain > h.list[worst].vain {
			worst = i
		}
	}
	if h.list[worst].vain == 0 {
		return false
	}
	h.list = slices.Delete(h.list, worst, worst+1)
	return true
}

// earn counts bytes that came from who names hosts.
func (h *hosts) earn(n int) { h.credit = min(h.credit+n, maxCredit) }

// next returns the host to dial next in a round, at the cost of so many bytes: one with room
// first, then who was dialled in vain least often, then in the order in which they were named. It
// reports false if there is none.
func (h *hosts) next(now time.Time, round, cost int) (netip.AddrPort, bool) {
	best := -1
	for i, n := range h.list {
		if n.tried == round || now.Before(n.until) {
			continue
		}
		if best < 0 || better(n, h.list[best]) {
			best = i
		}
	}
	if best < 0 {
		return netip.AddrPort{}, false
	}
	if h.credit < cost {
		h.refused.Add(PlaceUnpaid)
		return netip.AddrPort{}, false
	}
	if h.vain.TokensAt(now) < 1 {
		h.refused.Add(PlaceVain)
		return netip.AddrPort{}, false
	}
	h.credit -= cost
	h.list[best].tried = round
	return h.list[best].at, true
}

func better(a, b named) bool {
	if a.vain != b.vain {
		return a.vain < b.vain
	}
	return a.free && !b.free
}

// result takes down whether a host gave the stream for a while, until it was lost.
func (h *hosts) result(now time.Time, at netip.AddrPort, gave bool) {
	i := h.find(at)
	if i < 0 {
		return
	}
	n := &h.list[i]
	if gave {
		n.vain = 1 // others are likelier to have it now
		return
	}
	h.vain.AllowN(now, 1)
	if n.vain++; n.vain >= mostVain {
		n.until = now.Add(min(vainPause<<min(n.vain-mostVain, 10), vainMost))
	}
}
