package words

import (
	"relay/relay"
	"relay/tree"
)

// refusalText says why a node turned this one down.
func refusalText(r relay.Refused) string {
	switch r.Reason {
	case tree.ReasonFull:
		return "every node that was asked has all the children it can take"
	case tree.ReasonChannel:
		return "the node at that address does not carry this channel, or it is private and its secret or passphrase is missing or wrong"
	case tree.ReasonVersion:
		return "the node at that address runs another version of relay"
	case tree.ReasonOrphan:
		return "the node at that address is not connected to the source itself"
	}
	return "the node at that address says no (" + r.Reason.String() + ")"
}

// Place names a node by its first address, or by its ID if it has no address.
func Place(p tree.Place) string {
	if a := FirstAddr(p); a != "" {
		return a
	}
	return p.ID.Short()
}

// FirstAddr returns a node's first address, "" if it has none.
func FirstAddr(p tree.Place) string {
	if len(p.Addrs) == 0 {
		return ""
	}
	return p.Addrs[0].String()
}

// Side names the side that ended a link, "" if the connection was lost.
func Side(s tree.Side) string {
	if s == tree.Neither {
		return ""
	}
	return s.String()
}
