// Package ingesttest has what the tests of ingest and of ingest/rtmp share.
package ingesttest

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Buffered makes a pipe more like a socket: writes return at once, and a deadline can
// be set after the other end has closed.
type Buffered struct {
	net.Conn
	once sync.Once
	out  chan []byte
}

// Write keeps p until the other end reads it.
func (b *Buffered) Write(p []byte) (int, error) {
	b.once.Do(func() {
		b.out = make(chan []byte, 1000)
		go func() { // ends at Close
			for p := range b.out {
				b.Conn.Write(p)
			}
			b.Conn.Close()
		}()
	})
	b.out <- append([]byte(nil), p...)
	return len(p), nil
}

// Close sends what was written first.
func (b *Buffered) Close() error {
	if b.out == nil {
		return b.Conn.Close()
	}
	close(b.out)
	return nil
}

// SetReadDeadline leaves it to Read to say that the pipe is closed.
func (b *Buffered) SetReadDeadline(t time.Time) error {
	if err := b.Conn.SetReadDeadline(t); !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

// ParseURL parses an address that is right.
func ParseURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
