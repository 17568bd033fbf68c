package dht

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

const (
	// maxKept is how many nodes are kept for the next look-up, and the next run.
	maxKept = 200
	// MaxTold is how many nodes one node tells another.
	MaxTold = 50
	// toldKept is how many of the nodes that others have told are kept among them: what they say may be wrong.
	toldKept = 50
	// begins is how many of them a look-up begins with: half of them those nearest to the record.
	begins = 16
)

// Nodes are nodes of the DHT with which look-ups begin: those that have answered, the newest first, and
// behind them those of which other nodes of a channel have told. Its zero value is empty; it is safe for
// concurrent use.
type Nodes struct {
	mu   sync.Mutex
	good []contact
	told []contact // their IDs are not known
}

// ParseNodes reads what Text has written; lines that are none are left out.
func ParseNodes(text []byte) *Nodes {
	var n Nodes
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan() && len(n.good) < maxKept; {
		var id, at string
		if _, err := fmt.Sscanf(lines.Text(), "%40s %60s", &id, &at); err != nil {
			continue
		}
		b, err := hex.DecodeString(id)
		a, errAt := netip.ParseAddrPort(at)
		if err == nil && errAt == nil && len(b) == idLen {
			n.good = append(n.good, contact{ID(b), a})
		}
	}
	return &n
}

// Text returns the nodes, one a line: what is kept on disk.
func (n *Nodes) Text() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b bytes.Buffer
	for _, c := range slices.Concat(n.good, n.told)[:min(len(n.good)+len(n.told), maxKept)] {
		fmt.Fprintf(&b, "%x %s\n", c.id[:], c.at)
	}
	return b.Bytes()
}

// Tell returns up to [MaxTold] nodes for another one.
func (n *Nodes) Tell() (all []netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range slices.Concat(n.good, n.told) {
		if len(all) < MaxTold {
			all = append(all, c.at)
		}
	}
	return all
}

// Told takes in what another one has told. Private says that nodes of one network alone count, too.
func (n *Nodes) Told(all []netip.AddrPort, private bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, at := range all[:min(len(all), MaxTold)] {
		c := contact{at: at}
		if usable(at, private) && !has(n.good, c) && !has(n.told, c) {
			n.told = append(n.told, c)
		}
	}
	n.told = n.told[max(0, len(n.told)-toldKept):]
}

// answered puts nodes that have answered in front.
func (n *Nodes) answered(all []contact) {
	n.mu.Lock()
	defer n.mu.Unlock()
	is := func(o contact) bool { return has(all, o) }
	n.told = slices.DeleteFunc(n.told, is)
	n.good = slices.Concat(all, slices.DeleteFunc(n.good, is))
	n.good = n.good[:min(len(n.good), maxKept)]
}

// gone leaves out a node that has not answered.
func (n *Nodes) gone(at netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	is := func(o contact) bool { return o.at == at }
	n.good, n.told = slices.DeleteFunc(n.good, is), slices.DeleteFunc(n.told, is)
}

// begin returns the nodes with which to look for a record.
func (n *Nodes) begin(target ID) []contact {
	n.mu.Lock()
	defer n.mu.Unlock()
	near := slices.Clone(n.good)
	slices.SortStableFunc(near, func(a, b contact) int { return target.compare(a.id, b.id) })
	all := near[:min(len(near), begins/2)]
	for _, c := range slices.Concat(n.good, n.told) {
		if len(all) < begins && !has(all, c) {
			all = append(all, c)
		}
	}
	return all
}

func has(all []contact, c contact) bool {
	return slices.ContainsFunc(all, func(o contact) bool { return o.at == c.at })
}
