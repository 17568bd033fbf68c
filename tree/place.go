package tree

import (
	"encoding/base32"
	"net/netip"
	"slices"
)

// ID names a node: SHA-256 of its Ed25519 public key. The zero ID stands for a
// node that is known by its address only.
type ID [32]byte

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String returns the ID's text form, 52 characters.
func (id ID) String() string { return idText.EncodeToString(id[:]) }

// Short returns the first 8 characters of the text form, for people and logs.
func (id ID) Short() string { return id.String()[:8] }

// IsZero reports whether the node's ID is not known.
func (id ID) IsZero() bool { return id == ID{} }

// MaxAddrs is how many addresses of one node are kept and told: one as seen by
// its parent and one per network of a well-connected home.
const MaxAddrs = 4

// Place is where a node can be reached. Addrs are tried in order.
type Place struct {
	ID    ID
	Addrs []netip.AddrPort
}

// same reports whether two places are the same node as far as can be known.
func (p Place) same(q Place) bool {
	if !p.ID.IsZero() && !q.ID.IsZero() {
		return p.ID == q.ID
	}
	return slices.ContainsFunc(p.Addrs, func(a netip.AddrPort) bool { return slices.Contains(q.Addrs, a) })
}

// first is the first address, not valid if there is none.
func (p Place) first() netip.AddrPort {
	if len(p.Addrs) == 0 {
		return netip.AddrPort{}
	}
	return p.Addrs[0]
}

// withAddr returns p with a in front of its addresses, if a is valid.
func (p Place) withAddr(a netip.AddrPort) Place {
	if !a.IsValid() {
		return p
	}
	addrs := []netip.AddrPort{a}
	for _, b := range p.Addrs {
		if b != a && len(addrs) < MaxAddrs {
			addrs = append(addrs, b)
		}
	}
	return Place{p.ID, addrs}
}
