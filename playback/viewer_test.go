package playback

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

const testHead = "head\r\n\r\n"

// playing is a viewer on an in-memory connection, in a synctest bubble.
type playing struct {
	*viewer
	conn net.Conn      // the player's end
	why  chan reason   // gets the reason when it ends
	took time.Duration // how long the viewer's goroutine ran
}

func startViewer(ctx context.Context, c *Channel) *playing {
	ours, theirs := net.Pipe()
	p := &playing{viewer: &viewer{start: GOP, form: flvForm}, conn: theirs, why: make(chan reason, 1)}
	start := time.Now()
	go func() {
		defer ours.Close()
		why := p.play(ctx, ours, c, []byte(testHead))
		p.took = time.Since(start)
		p.why <- why
	}()
	return p
}

func (p *playing) read(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p.conn, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func (p *playing) ended(t *testing.T, want reason, atMost time.Duration) {
	t.Helper()
	if why := <-p.why; why != want {
		t.Errorf("ended because %q, want %q", why, want)
	}
	if p.took > atMost {
		t.Errorf("ended after %v, want %v at most", p.took, atMost)
	}
}

func TestViewerThatTakesNothingIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.group(0)
		p := startViewer(t.Context(), s.channel())
		p.read(t, len(testHead))
		p.ended(t, viewerStuck, stuckAfter)
	})
}

func TestViewerThatTakesAByteASecondIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keyframe(0, 5000)
		p := startViewer(t.Context(), s.channel())
		p.read(t, len(testHead))
		var reading sync.WaitGroup
		defer reading.Wait()
		reading.Go(func() { // ends when the viewer is cut
			for b := make([]byte, 1); ; time.Sleep(time.Second) {
				if _, err := p.conn.Read(b); err != nil {
					return
				}
			}
		})
		p.ended(t, viewerStuck, 2*slowAfter) // the first write was the header alone
	})
}

func TestViewerThatTakesALittleNowAndThenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keyframe(0, 5)
		p := startViewer(t.Context(), s.channel())
		got := p.read(t, len(testHead))
		want := append([]byte(testHead), s.sinceKey(0)...)
		for len(got) < len(want) {
			time.Sleep(stuckAfter - time.Millisecond)
			got = append(got, p.read(t, min(len(want)/4+1, len(want)-len(got)))...)
		}
		if !bytes.Equal(got, want) {
			t.Error("a slow viewer did not get every byte once")
		}
		s.ring.Close()
		p.ended(t, channelEnded, time.Hour)
	})
}

func TestViewerThatLeavesWhileNothingComesIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		p := startViewer(t.Context(), s.channel())
		p.read(t, len(testHead))
		p.conn.Close()
		p.ended(t, viewerLeft, 2*probeEvery+probeFor)
	})
}

func TestIdleViewerThatStaysIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		p := startViewer(t.Context(), s.channel())
		p.read(t, len(testHead))
		go p.conn.Write([]byte("a player has no reason to send this"))
		time.Sleep(time.Hour)
		s.group(0)
		if got, want := p.read(t, len(s.sinceKey(0))), s.sinceKey(0); !bytes.Equal(got, want) {
			t.Error("an idle viewer did not get the media when it came")
		}
		s.ring.Close()
		p.ended(t, channelEnded, 2*time.Hour)
	})
}

func TestViewerEndsWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.group(0)
		ctx, cancel := context.WithCancel(t.Context())
		writing, waiting := startViewer(ctx, s.channel()), startViewer(ctx, NewChannel(s.id, stream.NewRing(stream.Limits{}), nil))
		waiting.read(t, len(testHead))
		synctest.Wait()
		cancel()
		writing.ended(t, nodeClosing, 0)
		waiting.ended(t, nodeClosing, 0)
	})
}

// A viewer that stops reading costs no one anything: the one beside it gets every byte, and what
// is held is the ring and a little more.
func TestViewerThatStopsReadingCostsNoMemory(t *testing.T) {
	const (
		limit  = 2 << 20
		rounds = 100 // of 85 KB: four times the ring
		slack  = 4 << 20
	)
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{Bytes: limit})
		ts := s.group(0)
		stuck, good := startViewer(t.Context(), s.channel()), startViewer(t.Context(), s.channel())
		stuck.read(t, len(testHead)) // and no more
		good.read(t, len(testHead)+len(s.sinceKey(0)))
		before := heap()
		for range rounds {
			from := len(s.tags)
			ts = s.group(ts)
			for _, tag := range s.tags[from:] {
				if got := good.read(t, len(tag)); !bytes.Equal(got, tag) {
					t.Fatal("the viewer that reads missed something")
				}
			}
			s.tags, s.keys = s.tags[:0], s.keys[:0]
		}
		if grown := heap() - before; grown > limit+slack {
			t.Errorf("%d bytes more are held than before", grown)
		}
		s.ring.Close()
		good.ended(t, channelEnded, 0)
		stuck.ended(t, viewerStuck, stuckAfter) // it was there all the time
	})
}

// heap returns how many bytes are in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A viewer that reads nothing while the ring turns over goes on at the newest key,
// with the gap counted, and the viewer beside it gets every byte.
func TestViewerThatFallsBehindIsMovedAndOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 400_000
		s := newSource(t, stream.Limits{Bytes: limit})
		ts := s.group(0)
		slow, good := startViewer(t.Context(), s.channel()), startViewer(t.Context(), s.channel())
		slow.read(t, len(testHead))
		good.read(t, len(testHead))
		good.read(t, len(s.sinceKey(0)))
		for range 15 {
			from := len(s.tags)
			ts = s.group(ts)
			for _, tag := range s.tags[from:] {
				if got := good.read(t, len(tag)); !bytes.Equal(got, tag) {
					t.Fatal("the viewer that keeps up missed something")
				}
			}
			time.Sleep(stuckAfter / 20)
			if m := s.ring.Stats().Memory; m > limit {
				t.Fatalf("the ring holds %d bytes, the limit is %d", m, limit)
			}
		}
		tags := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(slow.conn)
			tags <- b
		}()
		synctest.Wait()
		s.ring.Close()
		check(t, s, <-tags)
		if slow.moves.Load() != 1 || slow.missed.Load() == 0 {
			t.Errorf("slow viewer: %d moves, %d chunks missed; want 1 and some", slow.moves.Load(), slow.missed.Load())
		}
		if good.moves.Load() != 0 || good.missed.Load() != 0 {
			t.Errorf("good viewer: %d moves, %d chunks missed", good.moves.Load(), good.missed.Load())
		}
		slow.ended(t, channelEnded, time.Minute)
		good.ended(t, channelEnded, time.Minute)
	})
}

// With a batch, what has come goes out together, and nothing waits for longer.
func TestViewerIsWrittenToInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batch = 100 * time.Millisecond
		s := newSource(t, stream.Limits{})
		s.group(0)
		s.flush()
		ours, theirs := net.Pipe()
		v := &viewer{start: GOP, form: flvForm, batch: batch}
		done := make(chan reason, 1)
		go func() { done <- v.play(t.Context(), ours, s.channel(), nil) }()
		var at []time.Duration // when something came
		var got int
		began := time.Now()
		read := make(chan struct{})
		go func() {
			defer close(read)
			b := make([]byte, 1<<20)
			for {
				n, err := theirs.Read(b)
				if err != nil {
					return
				}
				if now := time.Since(began); len(at) == 0 || at[len(at)-1] != now {
					at = append(at, now)
				}
				got += n
			}
		}()
		for i := range 50 {
			time.Sleep(33 * time.Millisecond)
			s.frame(uint32(1000+33*i), 500)
		}
		time.Sleep(batch)
		s.ring.Close()
		<-done
		ours.Close()
		<-read
		if want := len(s.sinceKey(0)); got != want {
			t.Errorf("%d bytes came, want %d", got, want)
		}
		if len(at) < 15 {
			t.Fatalf("something came %d times in 1.65 s", len(at))
		}
		for i := 2; i < len(at); i++ { // after the start
			if d := at[i] - at[i-1]; d < batch || d > batch+33*time.Millisecond {
				t.Errorf("%v between two writes, want %v", d, batch)
			}
		}
	})
}
