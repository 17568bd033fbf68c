package membership

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/time/rate"

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
)

var (
	errReplay = errors.New("metadata is older than what is known")
	errFull   = errors.New("no more members are taken")
	errBuild  = errors.New("another version of the gossip")
)

// view is what gossip has told of the other members. memberlist calls its methods with its
// own lock held, so nothing here may call memberlist.
type view struct {
	channel stream.ChannelID
	self    string // this node's name
	max     int

	mu      sync.Mutex
	members map[string]member
	ips     map[netip.Addr]int // how many members have each address
	told    map[string]uint64  // how new each node's newest metadata is
	heard   uint64             // how new the newest metadata is that others tell of this very node
	fresh   *rate.Limiter
	session int
	filled  time.Time // when a member came while there was none
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
		told:    make(map[string]uint64),
		fresh:   rate.NewLimiter(newRate, newBurst),
	}
}

// NotifyAlive checks what is told of a node before memberlist believes it.
func (v *view) NotifyAlive(n *memberlist.Node) error {
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
	if !known && (len(v.members) >= v.max || !v.fresh.Allow()) {
		return errFull
	}
	v.remember(n.Name, m.told)
	return nil
}

// isAt reports whether memberlist's address of a node is the first that it signed.
func isAt(m Member, n *memberlist.Node) bool {
	ip, ok := netip.AddrFromSlice(n.Addr)
	return ok && netip.AddrPortFrom(ip.Unmap(), n.Port) == m.Place.Addrs[0]
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
	}
}

// begin empties the view for a new memberlist, or for none.
func (v *view) begin() events {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.members)
	clear(v.ips)
	v.session++
	return events{v, v.session}
}

func (v *view) len() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.members)
}

func (v *view) has(id tree.ID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.members[id.String()]
	return ok
}

func (v *view) hasIP(ip netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ips[ip] > 0
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
