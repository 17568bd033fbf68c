package rtmp

import (
	"net"
	"sync"
)

// buffered makes writes to a pipe return at once, as they do on a socket.
type buffered struct {
	net.Conn
	once sync.Once
	out  chan []byte
}

func (b *buffered) Write(p []byte) (int, error) {
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
func (b *buffered) Close() error {
	if b.out == nil {
		return b.Conn.Close()
	}
	close(b.out)
	return nil
}
