package socket

import "golang.org/x/sys/unix"

// maxVectors is how many slices the system takes in one writev (UIO_MAXIOV).
const maxVectors = 1024

// Vectors is a list of slices as the system wants it, made once for all sockets that it is written to.
// Its zero value is empty.
type Vectors struct {
	list  []unix.Iovec
	total int
}

// Add appends slices, which must stay as they are; empty ones are left out. It reports false, and adds
// none, if there is no room for them.
func (v *Vectors) Add(parts [][]byte) bool {
	if len(v.list)+len(parts) > maxVectors {
		return false
	}
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		e := unix.Iovec{Base: &p[0]}
		e.SetLen(len(p))
		v.list = append(v.list, e)
		v.total += len(p)
	}
	return true
}

// Len returns the bytes of all.
func (v *Vectors) Len() int { return v.total }

// Reset empties the list, and lets go of the slices.
func (v *Vectors) Reset() {
	clear(v.list)
	v.list, v.total = v.list[:0], 0
}
