//go:build !linux

package socket

import "net"

// Socket is what no connection has here.
type Socket struct{}

// Of returns nil.
func Of(net.Conn) *Socket { return nil }

// Read is not called.
func (*Socket) Read([]byte) (int, error) { return 0, nil }

// Put is not called.
func (*Socket) Put([]byte) (int, error) { return 0, nil }

// PutAll is not called.
func (*Socket) PutAll(*Vectors, int) (int, error) { return 0, nil }

// Closed is not called.
func (*Socket) Closed() bool { return false }

// Vectors holds nothing.
type Vectors struct{}

// Add adds nothing.
func (*Vectors) Add([][]byte) bool { return false }

// Len returns 0.
func (*Vectors) Len() int { return 0 }

// Reset does nothing.
func (*Vectors) Reset() {}
