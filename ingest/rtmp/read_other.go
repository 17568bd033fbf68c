//go:build !linux

package rtmp

import (
	"io"
	"net"
)

// readerOf returns what reads from conn.
func readerOf(conn net.Conn) io.Reader { return conn }
