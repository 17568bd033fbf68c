package treetest

import "relay/tree"

// traffic is what a host has sent besides chunks.
type traffic struct {
	messages uint64
	bytes    uint64         // frames of relay/wire
	openings []tree.Opening // that were told last
}

func (h *Host) count(m tree.Message) {
	h.messages++
	h.bytes += uint64(WireSize(m))
	if r, ok := m.(tree.Report); ok && !tree.SameOpenings(r.Openings, h.openings) { // they go in a frame of their own
		h.openings = r.Openings
		h.messages++
		h.bytes += 4 + 1
		for _, o := range r.Openings {
			h.bytes += uint64(32 + 1 + 7*len(o.Place.Addrs) + 2)
		}
	}
}

// FrameOverhead is what a frame costs besides its own bytes when it is sent alone:
// a TLS 1.3 record (5 bytes of header, 1 of type, 16 of tag) and TCP and IPv4 headers
// with timestamps (52).
const FrameOverhead = 22 + 52

// WireSize is the length in bytes of a message as a frame of relay/wire, which this
// package may not import; a test compares the two. Addresses are IPv4.
func WireSize(m tree.Message) int {
	const prelude, label, id = 4, 26, 32
	addrs := func(n int) int { return 1 + 7*n } // IPv4
	places := func(ps []tree.Place) int {
		n := 1
		for _, p := range ps {
			n += id + addrs(len(p.Addrs))
		}
		return n
	}
	switch m := m.(type) {
	case tree.Join:
		return prelude + 45 + addrs(len(m.Addrs))
	case tree.Welcome:
		seen := 1
		if m.Seen.IsValid() {
			seen = 7
		}
		return prelude + label + 4 + places(m.Path) + places(m.Others) + seen
	case tree.Refer:
		return prelude + 1 + places(m.Places)
	case tree.Pull:
		return prelude + 24
	case tree.Heartbeat:
		return prelude + 67
	case tree.Path:
		return prelude + places(m.Path)
	case tree.Report:
		return prelude + 32
	case tree.Backups:
		return prelude + places(m.Places)
	case tree.Bye:
		return prelude + 1 + places(m.Places)
	}
	return prelude
}
