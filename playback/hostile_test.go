package playback

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/ingest/rtmp"
	"relay/playback/remux"
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

// peak measures the most memory that is held at any moment until stop is called. It collects garbage
// all the time: what was allocated while a collection ran counts as held, so that nothing which is
// needed for a moment only is missed. Only what came into the ring meanwhile does not: what gave way
// to it counts already.
func peak(ring *stream.Ring) (stop func() uint64) {
	quit, done := make(chan struct{}), make(chan uint64)
	go func() { // ends with stop
		most := uint64(0)
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
		for {
			came := ring.Stats().Bytes
			runtime.GC()
			metrics.Read(live)
			came = ring.Stats().Bytes - came
			most = max(most, live[0].Value.Uint64()+live[1].Value.Uint64()-came)
			select {
			case <-quit:
				done <- most
				return
			default:
			}
		}
	}()
	return func() uint64 { close(quit); return <-done }
}

// taker is a viewer's end of a connection: it takes everything, or after some bytes nothing.
type taker struct {
	net.Conn
	took   atomic.Int64
	mu     sync.Mutex
	ends   []string // of the slices that it took last, the oldest first
	most   int64
	closed chan struct{}
}

func (s *taker) Write(b []byte) (int, error) {
	if s.most > 0 && s.took.Load() > s.most {
		<-s.closed
		return 0, net.ErrClosed
	}
	s.took.Add(int64(len(b)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ends) == endsKept {
		s.ends = slices.Delete(s.ends, 0, 1)
	}
	s.ends = append(s.ends, string(b[max(0, len(b)-endLen):]))
	return len(b), nil
}

// endLen is how much of the end of a slice a taker remembers, and endsKept of how many slices.
const endLen, endsKept = 16, 64

// has reports whether a taker has just taken a tag, in whatever form.
func (s *taker) has(tag flv.Tag) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := tag.Body()
	last := string(body[len(body)-endLen/2:])
	return slices.ContainsFunc(s.ends, func(end string) bool { return strings.Contains(end, last) })
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
	// Beyond the ring, there are three of them at most: one that the source puts together, one that has left the ring while
	// it is written to viewers, and one that comes while memory is looked at. One for each viewer would be 3,200 MiB.
	const ring, viewers, beyond = 64 << 20, 200, 3 * flv.MaxBody
	forms := []Form{flvForm, formats[1].Form, formats[2].Form, {Name: "rtmp", New: func() Container { return rtmp.NewContainer() }}, {Name: "hls"}}
	var header flv.Header
	for _, tag := range demoClip(t)[:8] {
		if kind := flv.Classify(tag); kind.Config {
			header.Add(tag, kind)
		}
	}
	// Those of 8 MiB, all containers take. Both are the test's own.
	var large [2]flv.Tag
	some := newSource(t, stream.Limits{})
	for i, size := range []int{flv.MaxBody, 8<<20 - 100} {
		large[i] = flv.NewTag(flv.Video, 0, some.picture(size, 0x17, 0x65))
	}
	for _, form := range forms {
		t.Run(form.Name, func(t *testing.T) {
			src := newSource(t, stream.Limits{Bytes: ring})
			src.payload = header.Payload()
			if err := src.writer.SetHeader(src.payload); err != nil {
				t.Fatal(err)
			}
			before := inUse()
			stop := peak(src.ring)
			ts := src.group(0)
			c := src.channel()
			ctx, cancel := context.WithCancel(t.Context())
			closed := make(chan struct{})
			var takers []*taker
			done := make(chan reason, viewers)
			s := NewServer(Config{Channels: list(c), MaxViewers: 2 * viewers})
			feed, segments := newFeed(c.ring, true), remux.NewHLS()
			defer segments.Close()
			if form.Name != "hls" {
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
			for i := range 8 {
				flv.PutTimestamp(large[i%2], ts)
				src.write(large[i%2], stream.StartHere|stream.EndsChunk)
				ts = src.group(ts + 33)
				src.flush()
				newest := src.tags[len(src.tags)-1]
				src.tags, src.keys = src.tags[:0], src.keys[:0]
				if form.Name == "hls" {
					for batch, wait, err := feed.next(); wait == nil; batch, wait, err = feed.next() {
						if err = errors.Join(err, segments.Write(batch)); err != nil {
							t.Fatal(err)
						}
					}
				}
				// The others are stuck from the first tag on.
				eventually(t, "those who take everything have it", func() bool {
					for j, k := range takers {
						if j%2 == 0 && !k.has(newest) || k.took.Load() <= k.most {
							return false
						}
					}
					return true
				})
			}
			most := stop() - before
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
			runtime.KeepAlive(large)
		})
	}
}
