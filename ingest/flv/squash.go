package flv

// Squashed returns the timestamp, in milliseconds, of the i-th of n pictures that are squashed
// for a reader who begins at a picture of the past, so that a player shows them at once instead
// of playing them out and staying behind for ever: they come 1 ms apart and end at the last one's
// timestamp, and none is before the first one's. Such pictures are shown in the order in which
// they are decoded, without composition times, and without sound, which could not be hurried.
func Squashed(first, last uint32, i, n int) uint32 {
	if at := last - uint32(n-1-i); int32(at-first) >= 0 {
		return at
	}
	return first
}
