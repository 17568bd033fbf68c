package dht

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"relay/relay/hostnet"
	"relay/relay/refusal"
)

const (
	// alpha is how many nodes are waited for at a time, and nearest how many keep a record (BEP 44).
	alpha, nearest = 4, 8
	// answerTime is how long an answer may take; a node that has not answered in slowTime is not waited for
	// alone: half of those that others name are gone.
	answerTime, slowTime = 1500 * time.Millisecond, 400 * time.Millisecond
	// maxAsked is how many nodes one look-up asks, and maxPackets how many packets it sends in all.
	maxAsked, maxPackets = 60, 200
	// maxKnown is how many nodes of a family are known in one look-up, the nearest: sixty answers name 480.
	maxKnown = 256
	// leastPort is the lowest port of a node that others name: below it are services that would be hit by
	// our questions, and hardly a node.
	leastPort = 1024
)

// What is refused, by its reason.
const (
	refusedNotAsked  refusal.Reason = "not_asked" // it comes from somewhere else, or is no answer to a question of ours
	refusedMalformed refusal.Reason = "malformed"
	refusedTooLong   refusal.Reason = "too_long"
	refusedValue     refusal.Reason = "value"   // longer than BEP 44 allows, no string, or no item of a channel
	refusedForged    refusal.Reason = "forged"  // not signed by the channel's key
	refusedOlder     refusal.Reason = "older"   // than what was found before
	refusedNoNode    refusal.Reason = "no_node" // an address at which no node of the Internet can be
)

// Refusals are all reasons, for those who show them.
var Refusals = []refusal.Reason{refusedNotAsked, refusedMalformed, refusedTooLong, refusedValue, refusedForged, refusedOlder, refusedNoNode}

// walk is one look-up: from the nodes that are known to those nearest to a record, and then, to publish it,
// a request to keep it. It has no socket and no clock: whoever drives it asks what to send, and tells what
// has come and what time it is.
type walk struct {
	name    name
	target  ID
	self    ID
	private bool       // nodes with addresses of one network alone are nodes, too
	txn     func() txn // makes another one
	refused *refusal.Counts

	seeds    []*peer // to be asked first; their places are not known
	families [2]family
	met      map[netip.Prefix]bool // addresses that were asked
	under    map[txn]*query
	asked    int // nodes
	packets  int
	answers  int

	newest *Record // that has come; nil for none
	floor  int64   // older ones were replaced before this look-up

	put    *Record // to be kept; nil while it is looked for
	places []*peer // that shall keep it
	stored int     // that have said so
	older  bool    // one has a newer record
}

// family is what is known of the nodes of IPv4, or of IPv6: two networks, each with its own neighbours of a
// record (BEP 32).
type family struct {
	known []*peer // the nearest to the target first
	lost  bool    // nothing can be sent there
}

type state uint8

const (
	waiting state = iota // to be asked
	under                // it was asked
	answered
	failed
)

// peer is a node in one look-up.
type peer struct {
	contact
	state state
	token []byte
	find  bool // it is to be asked for nodes alone
	seed  bool // its place was not known
}

// query is a question that is under way.
type query struct {
	to  *peer
	at  time.Time
	put bool
}

func newWalk(of name, self ID, private bool, txns func() txn, refused *refusal.Counts) *walk {
	return &walk{
		name: of, target: of.target(), self: self, private: private, txn: txns, refused: refused,
		met: make(map[netip.Prefix]bool), under: make(map[txn]*query),
	}
}

// begin adds a node that was known before. One that only leads to others is asked for nodes alone.
func (w *walk) begin(c contact, leads bool) {
	if !usable(c.at, w.private) {
		return
	}
	if c.id != (ID{}) && !leads {
		w.learn(c)
		return
	}
	w.seeds = append(w.seeds, &peer{contact: c, find: leads, seed: true})
}

// usable reports whether a node could be there.
func usable(at netip.AddrPort, private bool) bool {
	ip := at.Addr().Unmap()
	if private {
		return ip.IsValid() && ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast() && at.Port() >= leastPort
	}
	return hostnet.Public(ip) && at.Port() >= leastPort
}

// learn puts a node among those that may be asked, unless it is there.
func (w *walk) learn(c contact) {
	f := w.family(c.at)
	at, _ := slices.BinarySearchFunc(f.known, c.id, func(p *peer, id ID) int { return w.target.compare(p.id, id) })
	if at == maxKnown || f.lost || slices.ContainsFunc(f.known, func(p *peer) bool { return p.at == c.at }) {
		return
	}
	f.known = slices.Insert(f.known, at, &peer{contact: c})
	if len(f.known) > maxKnown {
		f.known = f.known[:maxKnown]
	}
}

func (w *walk) family(at netip.AddrPort) *family {
	if at.Addr().Unmap().Is4() {
		return &w.families[0]
	}
	return &w.families[1]
}

// expire gives up what was not answered in time.
func (w *walk) expire(now time.Time) {
	for t, q := range w.under {
		if now.Sub(q.at) >= answerTime {
			delete(w.under, t)
			if !q.put {
				q.to.state = failed
			}
		}
	}
}

// ready reports whether there is something to send now.
func (w *walk) ready(now time.Time) bool {
	w.expire(now)
	if w.packets >= maxPackets {
		return false
	}
	if w.put != nil {
		return len(w.places) > 0
	}
	if w.asked >= maxAsked {
		return false
	}
	busy := 0
	for _, q := range w.under {
		if now.Sub(q.at) < slowTime {
			busy++
		}
	}
	return busy < alpha && w.choose() != nil
}

// choose returns the node to be asked next, nil if there is none: a seed, or the nearest of those that
// would keep the record and were not asked.
func (w *walk) choose() *peer {
	for len(w.seeds) > 0 {
		p := w.seeds[0]
		if p.state == waiting && !w.metBefore(p.at) && !w.family(p.at).lost {
			return p
		}
		w.seeds = w.seeds[1:]
	}
	var best *peer
	for i := range w.families {
		for _, p := range w.keepers(i) {
			if p.state == waiting {
				if best == nil || w.target.nearer(p.id, best.id) {
					best = p
				}
				break
			}
		}
	}
	return best
}

// keepers returns the nearest nodes of a family, without those that have failed.
func (w *walk) keepers(family int) []*peer {
	var ps []*peer
	for _, p := range w.families[family].known {
		if len(ps) == nearest {
			break
		}
		if p.state == waiting && w.metBefore(p.at) {
			p.state = failed // another port of an address that was asked: it may be anybody's
		}
		if p.state != failed && !w.families[family].lost {
			ps = append(ps, p)
		}
	}
	return ps
}

func (w *walk) metBefore(at netip.AddrPort) bool { return w.met[counted(at, w.private)] }

// counted is what counts as one address: in one network alone, each of them.
func counted(at netip.AddrPort, private bool) netip.Prefix {
	if ip := at.Addr().Unmap(); private {
		return netip.PrefixFrom(ip, ip.BitLen())
	}
	one, _ := hostnet.Counted(at.Addr().Unmap())
	return one
}

// next returns the next packet, appended to b, and where it goes. It must be ready.
func (w *walk) next(now time.Time, b []byte) (to netip.AddrPort, packet []byte) {
	w.packets++
	if w.put != nil {
		p := w.places[0]
		w.places = w.places[1:]
		return p.at, appendPut(b, w.begun(p, now, true), w.self, p.token, *w.put)
	}
	p := w.choose()
	w.met[counted(p.at, w.private)] = true
	w.asked++
	p.state = under
	return p.at, appendGet(b, w.begun(p, now, false), w.self, w.target, p.find)
}

// begun notes a question, and returns its transaction.
func (w *walk) begun(p *peer, now time.Time, put bool) txn {
	t := w.txn()
	for w.under[t] != nil {
		t = w.txn()
	}
	w.under[t] = &query{p, now, put}
	return t
}

// unsent says that nothing can be sent to an address.
func (w *walk) unsent(to netip.AddrPort) {
	for t, q := range w.under {
		if q.to.at == to {
			delete(w.under, t)
			q.to.state = failed
			if to.Addr().Unmap().Is6() {
				w.families[1].lost = true // as a rule there is no IPv6 here
			}
		}
	}
}

// wait returns how long there is nothing to do unless something comes, and false if the look-up has ended:
// those that would keep the record have answered, or there is nobody left to ask.
func (w *walk) wait(now time.Time) (time.Duration, bool) {
	if w.settled() {
		return 0, false
	}
	next := answerTime
	for _, q := range w.under {
		age := now.Sub(q.at)
		if age < slowTime {
			next = min(next, slowTime-age)
		}
		next = min(next, answerTime-age)
	}
	return max(next, time.Millisecond), true
}

func (w *walk) settled() bool {
	if w.put != nil {
		return len(w.under) == 0 && (len(w.places) == 0 || w.packets >= maxPackets)
	}
	if w.asked < maxAsked && w.packets < maxPackets && w.choose() != nil {
		return false
	}
	for _, q := range w.under {
		if q.to.seed || slices.Contains(w.keepers(0), q.to) || slices.Contains(w.keepers(1), q.to) {
			return false
		}
	}
	return true
}

// take takes a packet in. It reports whether that has brought a newer record.
func (w *walk) take(now time.Time, from netip.AddrPort, packet []byte) (newer bool) {
	d, ok := asDict(packet)
	t, has := parseTxn(d)
	if !ok || !has {
		w.refused.Add(refusedMalformed)
		return false
	}
	q := w.under[t]
	if q == nil || q.to.at != from {
		w.refused.Add(refusedNotAsked)
		return false
	}
	r, err := parseReply(packet, w.name)
	if err != nil {
		w.refused.Add(reasonOf(err))
	}
	delete(w.under, t)
	switch {
	case q.put:
		w.older = w.older || r.code == codeOlder
		if err == nil && r.code == 0 {
			w.stored++
		}
		return false
	case err != nil:
		q.to.state = failed // with all that it says
		return false
	case r.code != 0 && !q.to.find: // it does not know get; it has answered, so that a second question hits nobody else
		delete(w.met, counted(q.to.at, w.private))
		w.seeds = append(w.seeds, &peer{contact: q.to.contact, find: true, seed: true})
		q.to.state = failed
		return false
	case r.code != 0:
		q.to.state = failed
		return false
	}
	w.answers++
	w.place(q.to, r)
	for _, c := range r.nodes {
		if c.at.Addr().Unmap() == from.Addr() && c.at == from {
			continue
		}
		if !usable(c.at, w.private) {
			w.refused.Add(refusedNoNode)
			continue
		}
		w.learn(c)
	}
	if r.record == nil {
		return false
	}
	return w.record(*r.record)
}

// place notes that a node has answered, at the place that it says is its own.
func (w *walk) place(p *peer, r reply) {
	p.state = answered
	if p.find {
		p.id = r.id
		return
	}
	p.token = slices.Clone(r.token)
	f := w.family(p.at)
	f.known = slices.DeleteFunc(f.known, func(o *peer) bool { return o == p || o.at == p.at })
	p.id, p.seed = r.id, false
	at, _ := slices.BinarySearchFunc(f.known, p.id, func(o *peer, id ID) int { return w.target.compare(o.id, id) })
	f.known = slices.Insert(f.known, at, p)
}

// record keeps a record if it is the newest.
func (w *walk) record(r Record) bool {
	switch {
	case r.seq < w.floor:
		w.refused.Add(refusedOlder)
		return false
	case w.newest != nil && r.seq <= w.newest.seq:
		return false // of another node that has the same, or was not there when it was replaced
	}
	r.value = slices.Clone(r.value)
	w.newest = &r
	return true
}

// keep has the nearest nodes that have answered keep a record: what follows are requests for that.
func (w *walk) keep(r Record) {
	clear(w.under)
	w.put = &r
	for i := range w.families {
		n := 0
		for _, p := range w.families[i].known {
			if n < nearest && p.state == answered && len(p.token) > 0 {
				w.places = append(w.places, p)
				n++
			}
		}
	}
}

// found returns the nodes that have answered, the nearest first.
func (w *walk) found() (all []contact) {
	for i := range w.families {
		for _, p := range w.families[i].known {
			if p.state == answered {
				all = append(all, p.contact)
			}
		}
	}
	return all
}

func reasonOf(err error) refusal.Reason {
	switch {
	case errors.Is(err, errSignature):
		return refusedForged
	case errors.Is(err, errValue):
		return refusedValue
	}
	return refusedMalformed
}
