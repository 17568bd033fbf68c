package remux

// steady is how far apart the frames of a track may be for it to go on, in milliseconds.
const steady = 1000

// presence tells whether a track goes on while the other does. All are milliseconds of stream
// time.
type presence struct {
	any    bool
	newest uint32
	since  uint32 // when it began to go on
}

// came notes a frame.
func (p *presence) came(ts uint32) {
	if !p.any || int32(ts-p.newest) > steady {
		p.since = ts
	}
	p.any, p.newest = true, ts
}

// missed reports whether nothing has come for longer than patience, 0 for ever, while the other
// track has gone on until now.
func (p *presence) missed(now uint32, other presence, patience uint32) bool {
	if patience == 0 || !other.any {
		return false
	}
	last := other.since
	if p.any && int32(p.newest-last) > 0 {
		last = p.newest
	}
	return int64(int32(now-last)) >= int64(patience)
}
