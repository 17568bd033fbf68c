package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// served is a child's link whose other end the test reads, over a connection that
// holds nothing: the writer gets on only as the test reads.
type served struct {
	*downlink
	writer *stream.Writer
	reader *wire.Reader
	ended  chan error
}

func newServed(t *testing.T) *served {
	t.Helper()
	node, err := New(Config{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	c, w, err := node.Source(newKey(t), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	mine, theirs := net.Pipe()
	child := tls.Client(theirs, node.ident.tlsConfig(alpn))
	parent := tls.Server(mine, node.ident.tlsConfig(alpn))
	shaken := make(chan error, 1)
	go func() { shaken <- parent.HandshakeContext(t.Context()) }()
	if err := child.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	s := &served{
		downlink: c.newDownlink(2, node.ID(), parent, false),
		writer:   w,
		reader:   wire.NewReader(child, wire.Parent),
		ended:    make(chan error, 1),
	}
	go func() { s.ended <- s.write() }() // ends with the connection
	t.Cleanup(func() {
		mine.Close()
		s.cancel(tree.ByUs(tree.ReasonClosed))
		<-s.ended
	})
	return s
}

// write adds a chunk of that many bytes.
func (s *served) add(t *testing.T, size int, f stream.TagFlags) {
	t.Helper()
	if err := s.writer.WriteTag(make([]byte, size), f|stream.EndsChunk); err != nil {
		t.Fatal(err)
	}
}

// next reads a frame.
func (s *served) next(t *testing.T) wire.Frame {
	t.Helper()
	f, err := s.reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// chunk reads up to the next chunk and returns its number.
func (s *served) chunk(t *testing.T) uint64 {
	t.Helper()
	for {
		if c, ok := s.next(t).(*stream.Chunk); ok {
			return c.Seq()
		}
	}
}

func TestAHeartbeatWaitsForOneChunkAtMost(t *testing.T) {
	s := newServed(t)
	for i := range 50 {
		f := stream.TagFlags(0)
		if i == 0 {
			f = stream.StartHere
		}
		s.add(t, stream.MaxPayload, f)
	}
	s.serve(s.ring.Cursor())
	for range 3 {
		s.chunk(t)
	}
	s.send(tree.Heartbeat{})
	for before := 0; ; before++ {
		if _, ok := s.next(t).(tree.Heartbeat); ok {
			break
		}
		// One may be on its way already, and one be taken up just then.
		if before == 2 {
			t.Fatalf("%d chunks came first", before+1)
		}
	}
	if seq := s.chunk(t); seq > 6 {
		t.Errorf("chunk %d follows", seq)
	}
}

func TestALinksLoadIsWhatTheChildIsOwed(t *testing.T) {
	s := newServed(t)
	s.add(t, 1000, stream.StartHere)
	s.serve(s.ring.Cursor())
	if seq := s.chunk(t); seq != 1 {
		t.Fatalf("chunk %d came first", seq)
	}
	eventually(t, "the link has had everything", func() bool { return s.load().Caught })
	if l := s.load(); l.Backlog != 0 || l.Busy != 0 || l.Sent == 0 {
		t.Errorf("nothing is owed, and the load is %+v", l)
	}

	// The child reads no more, and the stream goes on.
	for range 3 {
		s.add(t, 1000, 0)
	}
	sent := s.load().Sent
	eventually(t, "50 ms are owed", func() bool {
		s.add(t, 1000, 0)
		return s.load().Backlog >= 50*time.Millisecond
	})
	l, st := s.load(), s.status(s.ring.Stats().Received)
	if l.Backlog > l.Busy || l.Busy > l.Age || l.Sent != sent {
		t.Errorf("the load is %+v", l)
	}
	if st.Seq != 1 || st.Behind.Chunks < 4 || st.Behind.Bytes < 4000 || st.Owed < 4 || st.Owed > uint64(st.Behind.Chunks) {
		t.Errorf("the status is %+v", st)
	}

	// It reads again, all there is.
	head := s.ring.Head().Seq
	for s.chunk(t) != head {
	}
	eventually(t, "nothing is owed", func() bool { return s.load().Backlog == 0 })
}

func TestTheEndOfALinkSaysWhichSideEndedIt(t *testing.T) {
	for err, want := range map[error]tree.End{
		nil:                           {},
		tree.ByUs(tree.ReasonSlow):    tree.ByUs(tree.ReasonSlow),
		tree.ByThem(tree.ReasonMoved): tree.ByThem(tree.ReasonMoved),
		stream.ErrSignature:           tree.ByUs(tree.ReasonForged),
		stream.ErrClock:               tree.ByUs(tree.ReasonEpoch),
		wire.ErrVersion:               tree.ByUs(tree.ReasonVersion),
		wire.ErrNotDue:                tree.ByUs(tree.ReasonProtocol),
		io.EOF:                        tree.ByThem(tree.ReasonClosed),
		io.ErrUnexpectedEOF:           tree.ByThem(tree.ReasonClosed),
		syscall.ECONNRESET:            tree.ByThem(tree.ReasonClosed),
		syscall.Errno(10053):          tree.ByThem(tree.ReasonClosed), // so Windows calls these
		syscall.Errno(10054):          tree.ByThem(tree.ReasonClosed),
		syscall.Errno(10060):          tree.Lost(tree.ReasonClosed),
		syscall.ETIMEDOUT:             tree.Lost(tree.ReasonClosed),
		errors.New("tls: bad record"): tree.Lost(tree.ReasonClosed),
	} {
		if err != nil {
			err = fmt.Errorf("read: %w", err)
		}
		if got := endOf(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

func TestAJumpIsToldByTheChunksNumberAlone(t *testing.T) {
	s := newServed(t)
	s.add(t, 1000, stream.StartHere)
	s.add(t, 1000, 0)
	s.serve(s.ring.Cursor())
	for i, f := range []wire.Frame{s.next(t), s.next(t), s.next(t)} {
		_, header := f.(*stream.Header)
		_, chunk := f.(*stream.Chunk)
		if header != (i == 0) || chunk != (i > 0) {
			t.Errorf("frame %d is a %T", i, f)
		}
	}
}
