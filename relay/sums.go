package relay

import (
	"fmt"

	"relay/relay/stream"
)

// sums is the newest that came over a link. It belongs to the link's reader.
type sums struct {
	newest   *stream.Sums // nil before the first
	verified bool
}

// verify checks that the channel's key made a chunk: that sums which it has signed cover it, or that its own
// signature verifies. The signature of sums is checked when the first chunk needs it, which the ring does
// not have. From a link without sums, and where they are of something else, all is as if there were none.
func (s *sums) verify(id stream.ChannelID, c *stream.Chunk) error {
	if s.newest == nil || !s.newest.Covers(c.Position()) {
		return c.Verify(id)
	}
	if !s.verified {
		if err := s.newest.Verify(id); err != nil {
			return fmt.Errorf("sums from %d on: %w", s.newest.First().Seq, err)
		}
		s.verified = true
	}
	if s.newest.Vouch(c) {
		return nil
	}
	return c.Verify(id)
}

// takeSums keeps sums for the chunks that follow.
func (u *uplink) takeSums(s *stream.Sums) error {
	if o := u.sums.newest; o != nil && s.First().Compare(o.First()) <= 0 {
		return u.repeat("sums")
	}
	u.sums = sums{newest: s}
	return nil
}
