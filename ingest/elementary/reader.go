package elementary

import (
	"bufio"
	"errors"
	"io"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/sample"
)

const (
	// readAhead is the reader's buffer, in bytes: that of the other formats' readers, so that one takes over another's.
	readAhead = 64 << 10
	// strayMost is how much may be no frame before the first, in bytes: covers of records are in tags.
	strayMost = 64 << 10
	// piece is how much is taken at a time, in bytes. Live, it is what has come.
	piece = 4 << 10
)

// ErrNothing says that there is no sound in what was taken for it.
var ErrNothing = errors.New("there is no MP3 and no AAC in it")

// Stats counts what a stream brought.
type Stats struct {
	Tags    uint64 // of ID3
	Convert convert.Stats
}

// Reader reads the tags of a stream of bytes. It belongs to one goroutine.
type Reader struct {
	r      *bufio.Reader
	out    *sample.Queue
	format convert.Format // None until it is known
	stray  int            // bytes that were passed over meanwhile
	timed  bool           // the first unit has gone
	stats  Stats
	buf    [piece]byte
}

// NewReader returns a reader of r, at whose beginning [Sniff] has found something. told, if not nil, hears once of each
// thing that is wrong but can be lived with.
func NewReader(r io.Reader, told func(what convert.Trouble, which string)) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readAhead), out: sample.NewQueue(sample.Once(told))}
}

// Stats returns the counts so far.
func (r *Reader) Stats() Stats {
	r.stats.Convert = r.out.Stats()
	return r.stats
}

// Next returns the next tag. Its errors are those of what is read, and [ErrNothing].
func (r *Reader) Next() (flv.Tag, error) {
	return r.out.Next(r.step, func() error { return ErrNothing })
}

func (r *Reader) step() error {
	if r.format == convert.None {
		return r.begin()
	}
	n, err := r.r.Read(r.buf[:])
	if n > 0 {
		u := convert.Unit{Data: r.buf[:n]}
		if !r.timed {
			u.PTS, u.HasPTS, r.timed = sample.Origin, true, true
		}
		r.out.Put(u, false)
	}
	if n == 0 && err == nil {
		return nil
	}
	return err
}

// begin passes over ID3 tags, and finds out what comes then.
func (r *Reader) begin() error {
	b, _ := r.r.Peek(id3Head)
	if n := id3(b); n > 0 {
		r.stats.Tags++
		_, err := r.r.Discard(n)
		return err
	}
	b, err := r.r.Peek(SniffLen)
	if len(b) == 0 || err != nil && err != io.EOF {
		return err
	}
	f, ok := find(b)
	if ok {
		r.format = f
		r.out.Configure(convert.Track{}, convert.Track{Format: f})
		return nil
	}
	n := max(len(b)-mp3Most, 1)
	if err == io.EOF {
		n = len(b)
	}
	if r.stray += n; r.stray > strayMost {
		return ErrNothing
	}
	_, err = r.r.Discard(n)
	return err
}
