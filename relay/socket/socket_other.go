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

// Hold is not called.
func (*Socket) Hold(func(File) error) error { return nil }

// File is what no socket has here.
type File struct{}

// Put is not called.
func (File) Put([]byte) (int, error) { return 0, nil }

// Closed is not called.
func (*Socket) Closed() bool { return false }
