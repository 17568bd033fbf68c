package membership

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/refusal"
	"relay/tree"
)

// Anybody can make keys, and sign with each that it is at an address. So a node of which somebody
// tells is tried first: it is counted, and told of, when it has answered a ping at the address that
// it names. Until then memberlist does not hear of it.

const (
	// reachPings is how often a node is pinged, and reachAgain how long it has to answer each. Two
	// pings are shorter than the shortest message that tells of a node: nobody can have more sent
	// to an address than he sends himself.
	reachPings = 2
	reachAgain = time.Second
	// tellerMost bounds those that are tried at a time on the word of one address that was not asked.
	tellerMost = 32
	// reachLate is how long one may have to wait before it is tried. It is told of again.
	reachLate = 10 * time.Second
	// reachedFor is how long a node that has answered may take to become a member, and
	// reachedMost bounds those that are remembered.
	reachedFor  = time.Minute
	reachedMost = 1024
	// AddressShare and PrefixShare bound the members outside this machine's own networks that have
	// one address (an IPv6 /64), and those in one /24 or /48. Nodes with a link to this one do
	// not count.
	AddressShare = 8
	PrefixShare  = 32
)

// Why gossip did not take something.
const (
	refusedPacket    refusal.Reason = "malformed"     // a packet or a stream that no honest member sends
	refusedStranger  refusal.Reason = "strangers"     // more packets than there may be of those that are no members
	refusedStream    refusal.Reason = "streams"       // more streams than are answered at a time
	refusedMeta      refusal.Reason = "metadata"      // it is not signed by the node that it is about, or older than what is known
	refusedUnreached refusal.Reason = "unreached"     // nobody answers at the address that it names
	refusedPlace     refusal.Reason = "address"       // an address that this node does not send to on others' word
	refusedShare     refusal.Reason = "share"         // as many have this address, or are in this prefix, as may
	refusedTrying    refusal.Reason = "trying"        // as many are tried as may be
	refusedFull      refusal.Reason = "full"          // no more members are taken
	refusedReflected refusal.Reason = "amplified"     // it would have sent more to somebody than came from there
	refusedOther     refusal.Reason = "other_version" // of gossip
	refusedUnknown   refusal.Reason = "unknown"       // a stranger's word about nobody that is known here, or an answer to nothing
	refusedSilent    refusal.Reason = "silent"        // a stream whose message has not come in time
	refusedAbsent    refusal.Reason = "channel"       // this node takes no part in gossip now
)

// trust is why a node is tried. Each kind has a share of its own, so that a flood of one keeps out none
// of another.
type trust uint8

const (
	byStranger trust = iota
	byMember         // somebody at an address of a member's tells of it
	byAsked          // somebody does whom this node has asked
	trusts
)

// triedMost bounds the nodes that are tried at a time, 700 bytes each, and triedRate and triedBurst how
// many per second: each is a packet of 80 bytes, and two if the first gets no answer.
var (
	triedMost  = [trusts]int{128, 256, 768}
	triedRate  = [trusts]rate.Limit{20, 50, 100}
	triedBurst = [trusts]int{40, 100, 100}
)

// triers are the nodes that are tried. Its methods may be called from any goroutine.
type triers struct {
	t *transport

	rates [trusts]*rate.Limiter

	mu    sync.Mutex
	tried map[string]*candidate // by name
	order []*candidate          // the oldest first
}

// candidate is a node that is tried.
type candidate struct {
	meta
	name   string
	raw    []byte       // its metadata
	alive  []byte       // the message that memberlist gets when it has answered
	teller netip.Prefix // who told of it
	trust  trust
	seq    uint32 // of its pings: nobody can answer them who does not get one
	pings  int
	timer  *time.Timer
}

func (k *candidate) addr() netip.AddrPort { return k.Place.Addrs[0] }

func newTriers(t *transport) *triers {
	k := &triers{t: t, tried: make(map[string]*candidate)}
	for by := range trusts {
		k.rates[by] = rate.NewLimiter(triedRate[by], triedBurst[by])
	}
	return k
}

// packet looks at what a vetted packet tells of nodes, and takes answers to pings.
func (k *triers) packet(b []byte, from netip.AddrPort, by trust) {
	for m := range parts(b) {
		switch m[0] {
		case msgAlive:
			if s, err := stateOf(m[1:], "Node"); err == nil {
				k.consider(s, bytes.Clone(m), from.Addr(), by)
			}
		case msgAck:
			if s, err := stateOf(m[1:], "Node"); err == nil && !k.answered(uint32(s.numbers["SeqNo"]), from) {
				k.unknown(from.Addr(), by)
			}
		case msgNack:
			k.unknown(from.Addr(), by)
		case msgPing, msgSuspect, msgDead:
			if s, err := stateOf(m[1:], "Node"); err == nil && s.name != k.t.c.name && s.name != "" && (m[0] == msgPing || !k.t.c.view.hasName(s.name)) {
				k.unknown(from.Addr(), by)
			}
		}
	}
}

// unknown counts what memberlist takes no notice of. From members it is merely late, as an answer is that
// comes from another address of a member's machine.
func (k *triers) unknown(from netip.Addr, by trust) {
	if by == byStranger && !k.t.c.view.hasPrefix(from) {
		k.t.c.refused.Add(refusedUnknown)
	}
}

// mayAnswer reports whether a packet that is not vetted yet seems to begin with what a node that is tried
// would answer, so that a flood does not keep it out.
func (k *triers) mayAnswer(b []byte) bool {
	for m := range parts(b) {
		if m[0] != msgAck {
			return false
		}
		s, err := stateOf(m[1:], "Node")
		return err == nil && k.awaits(uint32(s.numbers["SeqNo"])) != nil
	}
	return false
}

// stream looks at what a vetted stream tells of nodes.
func (k *triers) stream(b []byte, from netip.Addr, by trust) {
	if len(b) == 0 || b[0] != msgPushPull {
		return
	}
	w := walker{b: b, at: 1}
	if _, err := w.fields(); err != nil {
		return
	}
	for w.at < len(b) {
		at := w.at
		if _, err := w.fields(); err != nil {
			return
		}
		s, err := stateOf(b[at:w.at], "Name")
		if err == nil && s.numbers["State"] == 0 { // it lives
			k.consider(s, s.aliveMessage(), from, by)
		}
	}
}

// consider tries a node unless it is known or tried already. alive is what memberlist is to hear of
// it then; it is kept.
func (k *triers) consider(s state, alive []byte, from netip.Addr, by trust) {
	c := k.t.c
	if s.name == c.name || c.view.takes(s.name, s.addr) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.tried[s.name]
	if old != nil && bytes.Equal(old.raw, s.meta) {
		old.alive, old.trust = alive, max(old.trust, by)
		return
	}
	if !c.mayTell(s.addr) {
		c.refused.Add(refusedPlace)
		return
	}
	if c.view.len() >= c.view.max {
		c.refused.Add(refusedFull)
		return
	}
	m, err := verifyMeta(s.meta, c.cfg.Channel)
	if err != nil || m.Place.ID.String() != s.name || m.Place.Addrs[0] != s.addr || old != nil && m.told <= old.told {
		c.refused.Add(refusedMeta)
		return
	}
	if old != nil {
		k.drop(old)
	}
	if !k.hasShare(m.Place) {
		c.refused.Add(refusedShare)
		return
	}
	n := &candidate{meta: m, name: s.name, raw: bytes.Clone(s.meta), alive: alive, trust: by, seq: rand.Uint32()}
	n.teller, _ = hostnet.Counted(from)
	r := k.rates[by].Reserve()
	if r.Delay() > reachLate || !k.makeRoom(n) {
		r.Cancel()
		c.refused.Add(refusedTrying)
		return
	}
	k.tried[n.name] = n
	k.order = append(k.order, n)
	n.timer = time.AfterFunc(r.Delay(), func() { k.ping(n) })
}

// hasShare reports whether one more may have an address, with those that are members or tried.
func (k *triers) hasShare(p tree.Place) bool {
	one, many := hostnet.Counted(p.Addrs[0].Addr())
	ones, manys := 0, 0
	for _, n := range k.order {
		o, m := hostnet.Counted(n.addr().Addr())
		if o == one {
			ones++
		}
		if m == many {
			manys++
		}
	}
	return k.t.c.view.hasShare(p, ones, manys)
}

// makeRoom reports whether one more can be tried. If there are too many of its kind, the oldest is given
// up of those of whom one address has told most.
func (k *triers) makeRoom(n *candidate) bool {
	of, all := make(map[netip.Prefix]int), 0
	for _, o := range k.order {
		if o.trust == n.trust {
			of[o.teller]++
			all++
		}
	}
	if n.trust != byAsked && of[n.teller] >= tellerMost {
		return false
	}
	if all < triedMost[n.trust] {
		return true
	}
	var out *candidate
	for _, o := range k.order {
		if o.trust == n.trust && (out == nil || of[o.teller] > of[out.teller]) {
			out = o
		}
	}
	k.drop(out)
	k.t.c.refused.Add(refusedTrying)
	return true
}

// drop is called with mu held.
func (k *triers) drop(n *candidate) {
	n.timer.Stop()
	delete(k.tried, n.name)
	for i, o := range k.order {
		if o == n {
			k.order = append(k.order[:i], k.order[i+1:]...)
			return
		}
	}
}

// ping asks a node once more whether it is there, or gives it up.
func (k *triers) ping(n *candidate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tried[n.name] != n {
		return
	}
	if k.t.ctx.Err() != nil {
		k.drop(n)
		return
	}
	if n.pings == reachPings {
		k.t.c.refused.Add(refusedUnreached)
		k.drop(n)
		return
	}
	n.pings++
	// A packet that cannot be sent is one that does not come.
	_ = k.t.c.cfg.Send(pingMessage(n.seq, n.name), n.addr())
	n.timer.Reset(reachAgain)
}

// awaits is the node whose answer has that number, nil if none is awaited.
func (k *triers) awaits(seq uint32) *candidate {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.order {
		if n.seq == seq && n.pings > 0 {
			return n
		}
	}
	return nil
}

// answered takes an answer, and reports whether it was awaited. It may come from another address of the same machine, such
// as a temporary one of IPv6.
func (k *triers) answered(seq uint32, from netip.AddrPort) bool {
	n := k.awaits(seq)
	if n == nil {
		return false
	}
	_, asked := hostnet.Counted(n.addr().Addr())
	if _, by := hostnet.Counted(from.Addr()); by != asked {
		return false
	}
	k.mu.Lock()
	k.drop(n)
	alive := n.alive
	k.mu.Unlock()
	k.t.c.view.reachedAt(n.name, n.addr())
	k.t.packet(alive, n.addr())
	return true
}

// end gives all of them up.
func (k *triers) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.order {
		n.timer.Stop()
	}
	k.order = nil
	clear(k.tried)
}

// state is what a message tells of a node.
type state struct {
	name    string
	addr    netip.AddrPort
	meta    []byte
	version []byte
	numbers map[string]uint64
}

// stateOf reads what the fields of a message tell of a node whose name is in the field with that name.
func stateOf(b []byte, nameField string) (state, error) {
	w := walker{b: b, texts: make(map[string][]byte)}
	numbers, err := w.fields()
	if err != nil {
		return state{}, err
	}
	ip, _ := netip.AddrFromSlice(w.texts["Addr"]) // not valid if there is none
	return state{
		name: string(w.texts[nameField]), meta: w.texts["Meta"], version: w.texts["Vsn"], numbers: numbers,
		addr: netip.AddrPortFrom(ip.Unmap(), uint16(numbers["Port"])),
	}, nil
}

// aliveMessage says of a node what the state of a stream does, in the form that it has in a packet.
func (s state) aliveMessage() []byte {
	b := append([]byte{msgAlive, 0x86}, "\xabIncarnation\xce"...)
	b = binary.BigEndian.AppendUint32(b, uint32(s.numbers["Incarnation"]))
	b = appendText(append(b, "\xa4Node"...), []byte(s.name))
	b = appendText(append(b, "\xa4Addr"...), s.addr.Addr().AsSlice())
	b = binary.BigEndian.AppendUint16(append(b, "\xa4Port\xcd"...), s.addr.Port())
	b = appendText(append(b, "\xa4Meta"...), s.meta)
	return appendText(append(b, "\xa3Vsn"...), s.version)
}

// pingMessage asks the node with that name to answer with a number.
func pingMessage(seq uint32, name string) []byte {
	b := append([]byte{msgPing, 0x82}, "\xa5SeqNo\xce"...)
	b = binary.BigEndian.AppendUint32(b, seq)
	return appendText(append(b, "\xa4Node"...), []byte(name))
}

// appendText writes a string or bytes in MessagePack, with two bytes of length.
func appendText(b, text []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, 0xda), uint16(len(text)))
	return append(b, text...)
}
