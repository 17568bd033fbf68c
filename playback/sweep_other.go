//go:build !linux

package playback

import "net"

// vectors and socket are what sweeping needs, which is written for Linux only: elsewhere a
// viewer's own goroutine writes all it gets.
type vectors struct{ total int }

func (*vectors) add(net.Buffers) bool { return false }

func (*vectors) reset() {}

type socket struct{}

func socketOf(net.Conn) *socket { return nil }

func (*socket) write(*vectors, int) (int, error) { return 0, nil }

func (*socket) closed() bool { return false }
