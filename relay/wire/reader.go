package wire

import (
	"fmt"
	"io"

	"relay/relay/stream"
)

// step is how much is allocated for a frame before any of it has come. It is what a chunk
// needs, since most frames with a body that long are chunks.
const step = stream.MaxChunk

// Reader reads frames from a link.
type Reader struct {
	r       io.Reader
	from    Side
	prelude [stream.PreludeLen]byte
	chunk   []byte       // where each chunk is read; nil for memory of its own
	sums    *stream.Sums // the frame before: a chunk that they cover has to follow
}

// NewReader returns a Reader that accepts the frames that side may send.
func NewReader(r io.Reader, side Side) *Reader { return &Reader{r: r, from: side} }

// Lend has a chunk be good only until the next call: a ring copies it. It returns r.
func (r *Reader) Lend() *Reader {
	r.chunk = make([]byte, stream.MaxChunk)
	return r
}

// Expect changes the side, once a stranger has become a child.
func (r *Reader) Expect(side Side) { r.from = side }

// Next reads one frame. The error is the connection's own, or wraps [ErrFrame],
// [ErrNotDue], [ErrVersion] or one of stream's.
func (r *Reader) Next() (Frame, error) {
	if _, err := io.ReadFull(r.r, r.prelude[:]); err != nil {
		return nil, err
	}
	typ, n := stream.Prelude(r.prelude[:])
	k, ok := kinds[typ]
	switch {
	case !ok:
		return nil, fmt.Errorf("frame type %#02x: %w", typ, ErrFrame)
	case k.from&r.from == 0:
		return nil, fmt.Errorf("%s: %w", k.name, ErrNotDue)
	case n < k.min || n > k.max:
		return nil, fmt.Errorf("%s of %d bytes: %w", k.name, n, ErrFrame)
	}
	frame, err := r.body(n)
	if err != nil {
		return nil, err
	}
	f, err := Parse(frame)
	if err != nil {
		return nil, err
	}
	if err := r.follows(f); err != nil {
		return nil, err
	}
	return f, nil
}

// follows reports whether a frame may come after the one before it.
func (r *Reader) follows(f Frame) error {
	before := r.sums
	r.sums, _ = f.(*stream.Sums)
	if before == nil {
		return nil
	}
	if c, ok := f.(*stream.Chunk); !ok || !before.Covers(c.Position()) {
		return fmt.Errorf("sums from %d on, and not followed by a chunk that they cover: %w", before.First().Seq, ErrNotDue)
	}
	return nil
}

// body reads the n bytes after the prelude, and returns them with it. Memory grows with what
// has come, and not with what was announced.
func (r *Reader) body(n int) ([]byte, error) {
	total := stream.PreludeLen + n
	frame := r.chunk
	if typ, _ := stream.Prelude(r.prelude[:]); typ != stream.FrameChunk || frame == nil {
		frame = make([]byte, min(total, step))
	}
	frame = frame[:min(total, step)]
	copy(frame, r.prelude[:])
	for at := stream.PreludeLen; ; {
		if _, err := io.ReadFull(r.r, frame[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if at = len(frame); at == total {
			return frame, nil
		}
		grown := make([]byte, min(total, 2*at))
		copy(grown, frame)
		frame = grown
	}
}
