package ingesttest

import (
	"runtime"
	"testing"
)

// Allocated is how much f allocates, in bytes, whether it is kept or not.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// InProportion checks that reading what of makes of about a size, in bytes, allocates in proportion to that: eight
// times the size at most nine times as much, and most bytes at most.
func InProportion(t *testing.T, name string, size, most int, of func(size int) []byte, read func(b []byte)) {
	t.Helper()
	allocated := func(size int) int {
		b := of(size)
		return int(Allocated(func() { read(b) }))
	}
	small, large := allocated(size), allocated(8*size)
	if large > 9*small+size {
		t.Errorf("%s: %d bytes are allocated for %d KiB, %d for %d", name, small, size>>10, large, 8*size>>10)
	}
	if large > most {
		t.Errorf("%s: %d bytes are allocated for %d KiB, want %d at most", name, large, 8*size>>10, most)
	}
}
