package membership

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/refusal"
	"relay/relay/stream"
	"relay/tree"
)

const (
	// maxTold bounds the nodes of which it is remembered, against replays, how new their
	// metadata was. They include those that have left.
	maxTold = 4096
	// newRate and newBurst bound how many new nodes the view takes per second, because
	// memberlist keeps each of them for minutes after it has died. The burst lets a whole
	// cluster in at once.
	newRate  = 5
	newBurst = 2 * DefaultMax
	// leftFor is how long packets still go to a member that was given up: memberlist tells it
	// for deadTime.
	leftFor = 2 * deadTime
)

var (
	errReplay = errors.New("metadata is older than what is known")
	errFull   = errors.New("no more members are taken")
	errShare  = errors.New("as many members as may have its address or are in its prefix")
	errBuild  = errors.New("another version of the gossip")
	// errUnreached means that the node has not answered yet; see triers.
	errUnreached = errors.New("it has not been reached")
)

// view is what gossip has told of the other members. memberlist calls its methods with its
// own lock held, so nothing here may call memberlist.
type view struct {
	channel stream.ChannelID
	self    string // this node's name
	max     int
	// exempt reports whether a node at an address needs no share of it; nil if none is.
	exempt  func(tree.ID, netip.Addr) bool
	refused *refusal.Counts // nil for none

	mu      sync.Mutex
	members map[string]member
	ips     map[netip.Addr]int       // how many members have each address
	left    map[netip.Addr]time.Time // when the last of an address was dropped; they are told that
	reached map[string]reached       // nodes that have answered, and may become members
	told    map[string]uint64        // how new each node's newest metadata is
	heard   uint64                   // how new the newest metadata is that others tell of this very node
	fresh   *rate.Limiter
	session int
	filled  time.Time // when a member came while there was none
}

// reached is where a node has answered, and when.
type reached struct {
	at   netip.AddrPort
	when time.Time
}

type member struct {
	Member
	raw []byte // the metadata, as verified
}

func newView(channel stream.ChannelID, self string, most int) *view {
	return &view{
		channel: channel,
		self:    self,
		max:     most,
		members: make(map[string]member),
		ips:     make(map[netip.Addr]int),
		left:    make(map[netip.Addr]time.Time),
		reached: make(map[string]reached),
		told:    make(map[string]uint64),
		fresh:   rate.NewLimiter(newRate, newBurst),
	}
}

// NotifyAlive checks what is told of a node before memberlist believes it.
func (v *view) NotifyAlive(n *memberlist.Node) error {
	err := v.check(n)
	switch {
	case err == nil, errors.Is(err, errUnreached): // it was counted when it was tried
	case errors.Is(err, errBuild):
		v.refused.Add(refusedOther)
	case errors.Is(err, errShare):
		v.refused.Add(refusedShare)
	case errors.Is(err, errFull):
		v.refused.Add(refusedFull)
	default:
		v.refused.Add(refusedMeta)
	}
	return err
}

func (v *view) check(n *memberlist.Node) error {
	if n.PMin != memberlist.ProtocolVersionMin || n.PMax != memberlist.ProtocolVersionMax ||
		n.PCur != memberlist.ProtocolVersion2Compatible || n.DMin != 0 || n.DMax != 0 || n.DCur != 0 {
		return errBuild // one member of another version would end all push/pulls
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	old, known := v.members[n.Name]
	if known && bytes.Equal(old.raw, n.Meta) && isAt(old.Member, n) {
		return nil
	}
	if n.Name != v.self && !known && !v.isReached(n.Name, addrOf(n)) {
		return errUnreached
	}
	m, err := verifyMeta(n.Meta, v.channel)
	if err != nil {
		return err
	}
	if m.Place.ID.String() != n.Name {
		return errors.New("metadata of another node")
	}
	if !isAt(m.Member, n) {
		return fmt.Errorf("address %v:%d is not the one that is signed", n.Addr, n.Port)
	}
	if n.Name == v.self {
		v.heard = max(v.heard, m.told)
		return nil
	}
	if m.told < v.told[n.Name] {
		return errReplay
	}
	if !known && !v.hasShareLocked(m.Place, 0, 0) {
		return errShare
	}
	if !known && (len(v.members) >= v.max || !v.fresh.Allow()) {
		return errFull
	}
	v.remember(n.Name, m.told)
	return nil
}

// isAt reports whether memberlist's address of a node is the first that it signed.
func isAt(m Member, n *memberlist.Node) bool {
	return addrOf(n) == m.Place.Addrs[0]
}

func addrOf(n *memberlist.Node) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(n.Addr) // not valid if there is none
	return netip.AddrPortFrom(ip.Unmap(), n.Port)
}

// takes reports whether memberlist may hear of a node at an address: a member, or one that has
// answered there.
func (v *view) takes(name string, at netip.AddrPort) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, known := v.members[name]
	return known || v.isReached(name, at)
}

func (v *view) isReached(name string, at netip.AddrPort) bool {
	r, ok := v.reached[name]
	return ok && r.at == at && time.Since(r.when) < reachedFor
}

// reachedAt takes that a node has answered at an address.
func (v *view) reachedAt(name string, at netip.AddrPort) {
	v.mu.Lock()
	defer v.mu.Unlock()
	makeRoomIn(v.reached, reachedMost, func(r reached) bool { return time.Since(r.when) >= reachedFor })
	v.reached[name] = reached{at, time.Now()}
}

// makeRoomIn forgets what is over if a map is full, and else any one.
func makeRoomIn[K comparable, V any](m map[K]V, most int, over func(V) bool) {
	if len(m) < most {
		return
	}
	maps.DeleteFunc(m, func(_ K, v V) bool { return over(v) })
	for k := range m {
		if len(m) < most {
			return
		}
		delete(m, k)
	}
}

// hasShare reports whether one more may have the first address of a place, beside so many that are tried
// at that address and in its prefix.
func (v *view) hasShare(p tree.Place, ones, manys int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hasShareLocked(p, ones, manys)
}

func (v *view) hasShareLocked(p tree.Place, ones, manys int) bool {
	a := p.Addrs[0].Addr()
	if v.exempt != nil && v.exempt(p.ID, a) {
		return true
	}
	one, many := hostnet.Counted(a)
	for ip, n := range v.ips {
		o, m := hostnet.Counted(ip)
		if o == one {
			ones += n
		}
		if m == many {
			manys += n
		}
	}
	return ones < AddressShare && manys < PrefixShare
}

func (v *view) remember(name string, told uint64) {
	if _, ok := v.told[name]; !ok && len(v.told) >= maxTold {
		for old := range v.told {
			if _, alive := v.members[old]; !alive {
				delete(v.told, old)
				break
			}
		}
	}
	v.told[name] = told
}

// events takes what one memberlist says of members. After a memberlist was shut down and
// another has taken its place, its last words may still come; they are ignored.
type events struct {
	*view
	session int
}

// NotifyJoin takes a member into the view.
func (e events) NotifyJoin(n *memberlist.Node) { e.put(n) }

// NotifyUpdate takes what a member now says of itself.
func (e events) NotifyUpdate(n *memberlist.Node) { e.put(n) }

// NotifyLeave drops a member that left or does not answer.
func (e events) NotifyLeave(n *memberlist.Node) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == e.view.session {
		e.drop(n.Name)
	}
}

func (e events) put(n *memberlist.Node) {
	v := e.view
	if n.Name == v.self {
		return
	}
	m, err := parseMeta(n.Meta) // NotifyAlive has verified it
	if err != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.session != v.session {
		return
	}
	v.drop(n.Name)
	delete(v.reached, n.Name) // when it is a member no more, it has to answer again
	if len(v.members) == 0 {
		v.filled = time.Now()
	}
	v.members[n.Name] = member{m.Member, bytes.Clone(n.Meta)}
	v.ips[m.Place.Addrs[0].Addr()]++
}

func (v *view) drop(name string) {
	m, ok := v.members[name]
	if !ok {
		return
	}
	delete(v.members, name)
	ip := m.Place.Addrs[0].Addr()
	if v.ips[ip]--; v.ips[ip] == 0 {
		delete(v.ips, ip)
		makeRoomIn(v.left, maxTold, func(at time.Time) bool { return time.Since(at) >= leftFor })
		v.left[ip] = time.Now()
	}
}

// begin empties the view for a new memberlist, or for none.
func (v *view) begin() events {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.members)
	clear(v.ips)
	clear(v.left)
	v.session++
	return events{v, v.session}
}

func (v *view) len() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.members)
}

func (v *view) has(id tree.ID) bool { return v.hasName(id.String()) }

func (v *view) hasName(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.members[name]
	return ok
}

// hasPrefix reports whether a member has an address in that one's /24 or /48.
func (v *view) hasPrefix(a netip.Addr) bool {
	_, of := hostnet.Counted(a)
	v.mu.Lock()
	defer v.mu.Unlock()
	for ip := range v.ips {
		if _, many := hostnet.Counted(ip); many == of {
			return true
		}
	}
	return false
}

func (v *view) hasIP(ip netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ips[ip] > 0
}

// hadIP reports whether a member has an address, or had it lately: it is told that it was given up,
// so that it can contradict.
func (v *view) hadIP(ip netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, left := v.left[ip]
	return v.ips[ip] > 0 || left && time.Since(at) < leftFor
}

func (v *view) all() []Member {
	v.mu.Lock()
	defer v.mu.Unlock()
	ms := make([]Member, 0, len(v.members))
	for _, m := range v.members {
		ms = append(ms, m.Member)
	}
	return ms
}

// since returns when the view was empty last, and how new the newest metadata is that others
// have told of this node.
func (v *view) since() (filled time.Time, heard uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.filled, v.heard
}
