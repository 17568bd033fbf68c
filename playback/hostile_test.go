package playback

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/ingest/rtmp"
	"relay/relay/stream"
)

// inUse is the memory in use, garbage left out, in bytes.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// taker is a viewer's end of a connection: it takes everything, or after some bytes nothing.
type taker struct {
	net.Conn
	took   atomic.Int64
	most   int64
	closed chan struct{}
}

func (s *taker) Write(b []byte) (int, error) {
	if s.most > 0 && s.took.Load() > s.most {
		<-s.closed
		return 0, net.ErrClosed
	}
	s.took.Add(int64(len(b)))
	return len(b), nil
}

func (s *taker) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}
func (*taker) SetDeadline(time.Time) error      { return nil }
func (*taker) SetReadDeadline(time.Time) error  { return nil }
func (*taker) SetWriteDeadline(time.Time) error { return nil }
func (*taker) RemoteAddr() net.Addr             { return pipeAddr("203.0.113.7:5") }
func (s *taker) Close() error                   { return nil }

// TestTagsOfSixteenMebibytesCostNoMoreThanTheRingAndALittle has a source send the longest tags there
// are, among others, to 200 viewers of each form. Half of them take nothing any more.
func TestTagsOfSixteenMebibytesCostNoMoreThanTheRingAndALittle(t *testing.T) {
	const ring, viewers, beyond = 64 << 20, 200, 32 << 20
	forms := []Form{flvForm, formats[1].Form, formats[2].Form, {Name: "rtmp", New: func() Container { return rtmp.NewContainer() }}, {Name: "hls"}}
	var header flv.Header
	for _, tag := range demoClip(t)[:8] {
		if kind := flv.Classify(tag); kind.Config {
			header.Add(tag, kind)
		}
	}
	for _, form := range forms {
		t.Run(form.Name, func(t *testing.T) {
			src := newSource(t, stream.Limits{Bytes: ring})
			src.payload = header.Payload()
			if err := src.writer.SetHeader(src.payload); err != nil {
				t.Fatal(err)
			}
			before := inUse()
			ts := src.group(0)
			c := src.channel()
			ctx, cancel := context.WithCancel(t.Context())
			closed := make(chan struct{})
			var takers []*taker
			done := make(chan reason, viewers)
			s := NewServer(Config{Channels: list(c), MaxViewers: 2 * viewers})
			if form.Name == "hls" {
				(&routes{s, ctx}).hlsOf(c)
			} else {
				for i := range viewers {
					k := &taker{closed: closed}
					if i%2 == 1 {
						k.most = 10_000
					}
					takers = append(takers, k)
					v := &viewer{presence: presence{since: time.Now()}, start: Squash, form: form, watched: true}
					go func() { done <- s.play(ctx, k, c, v, nil) }() // ends with ctx
				}
			}
			most := uint64(0)
			for i := range 8 {
				size := flv.MaxBody
				if i%2 == 1 {
					size = 8<<20 - 100 // which all containers take
				}
				src.tags = src.tags[:0] // the test's own copies
				src.keyframe(ts, size)
				src.tags = src.tags[:0]
				src.flush()
				ts = src.group(ts + 33)
				eventually(t, "those who take everything have it", func() bool {
					for j, k := range takers {
						if j%2 == 0 && k.took.Load() < int64(i+1)*100_000 {
							return false
						}
					}
					return true
				})
				time.Sleep(20 * time.Millisecond)
				most = max(most, inUse()-before)
			}
			t.Logf("%.1f MiB, of which the ring has %.1f", float64(most)/(1<<20), float64(src.ring.Stats().Memory)/(1<<20))
			if most > ring+beyond {
				t.Errorf("%d MiB beyond what the ring may hold, at most %d", (most-ring)>>20, beyond>>20)
			}
			close(closed)
			cancel()
			for range takers {
				<-done
			}
			s.places.playing.Wait()
			runtime.KeepAlive(src)
		})
	}
}
