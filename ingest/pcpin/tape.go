package pcpin

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"relay/ingest/convert"
	"relay/ingest/elementary"
	"relay/ingest/flv"
	"relay/ingest/mkv"
	"relay/ingest/mpegts"
	"relay/relay/pcp"
)

const (
	// cluster begins what of Matroska can be read by itself, behind the head.
	cluster = "\x1f\x43\xb6\x75"
	// maxHead bounds the head of Matroska that is kept, in bytes: PeerCast's packets are shorter.
	maxHead = 1 << 20
)

// errStopped ends the reading of a stream of which no more is wanted.
var errStopped = errors.New("stopped")

// tape makes tags of a channel whose head and packets are one stream of bytes: Matroska, MPEG-TS or MP3. It
// goes by positions. Where something is missing it begins anew: at the next cluster behind the head, at
// the next packet of MPEG-TS, or at the next frame. It belongs to one goroutine.
type tape struct {
	told  func(convert.Trouble, string)
	sound bool   // it is MP3
	head  []byte // of Matroska; nil for others

	next    uint32 // the position behind what was taken
	known   bool   // next is known
	fresh   bool   // the connection is new, and has brought no data
	headed  bool   // a head has come since the newest data
	changed bool   // and it is another one than before
	begun   int    // streams on this connection that began anew

	first   []byte   // what has come since nothing was read
	reading *reading // nil until it is known where to begin
	configs []flv.Tag
	due     bool   // they go in front of the next tag
	lost    uint64 // times that something was missing
}

// isTape reports whether a channel is a tape: by its head, or, for what has none, by what its broadcaster
// calls it.
func isTape(head []byte, typ string) bool {
	return mkv.Sniff(head) || len(head) == 0 && (head == nil && strings.EqualFold(typ, "TS") || isSound(typ))
}

// isSound reports whether a channel is sound by itself, as its broadcaster calls it. Its head is empty, or there is none.
func isSound(typ string) bool { return strings.EqualFold(typ, "MP3") }

func (s *tape) connected() { s.fresh, s.headed, s.changed, s.begun = true, false, false, 0 }

// stalled says that a host has brought nothing new for long: what it sends is another stream.
func (s *tape) stalled() { s.known = false }

// renew says that what comes is for another session.
func (s *tape) renew() { s.due = true }

func (s *tape) close() {
	if s.reading != nil {
		s.reading.stop()
		s.reading = nil
	}
	s.first = nil
}

func (s *tape) takeHead(b []byte) {
	b = b[:min(len(b), maxHead)]
	if at := bytes.Index(b, []byte(cluster)); at > 0 {
		b = b[:at]
	}
	if s.headed = true; !bytes.Equal(b, s.head) {
		s.changed, s.head = s.head != nil, bytes.Clone(b)
	}
}

// takeData takes the next packet of data, and reports whether it brought something new.
func (s *tape) takeData(p *pcp.Packet, to handler) (fresh bool, err error) {
	data := p.Data
	if len(data) == 0 {
		return false, nil
	}
	if s.known {
		switch d := int64(int32(p.Pos - s.next)); {
		case d < 0 && s.another(-d):
			if s.begun++; s.begun > mostBegun {
				return false, ErrRepeats
			}
			s.close()
			s.configs = nil
			to.restart()
		case d < 0 && -d >= int64(len(data)):
			return false, nil
		case d < 0:
			data = data[-d:]
		case d > 0:
			s.lost++
			s.close()
		}
	}
	s.next, s.known = p.Pos+uint32(len(p.Data)), true
	s.fresh, s.headed, s.changed = false, false, false
	if s.reading == nil {
		if data = s.start(data); s.reading == nil {
			return true, nil
		}
	}
	return true, s.play(data, to)
}

// another reports whether a packet that lies so far back is of another stream, as with FLV.
func (s *tape) another(back int64) bool {
	if s.fresh {
		return s.changed || back > resumable
	}
	return s.headed
}

// start looks for where to begin in what has come, and returns what to begin with.
func (s *tape) start(data []byte) []byte {
	s.first = append(s.first, data...)
	if s.sound {
		if len(s.first) < elementary.SniffLen {
			return nil
		}
		if _, ok := elementary.Sniff(s.first); !ok {
			s.first = slices.Clone(s.first[len(s.first)-elementary.SniffLen+1:])
			return nil
		}
		data = s.first
		s.reading = newReading(func(r io.Reader) tags { return elementary.NewReader(r, s.told) })
	} else if s.head != nil {
		at := bytes.Index(s.first, []byte(cluster))
		if at < 0 {
			s.first = slices.Clone(s.first[max(len(s.first)-len(cluster)+1, 0):]) // it may have begun
			return nil
		}
		data = append(bytes.Clone(s.head), s.first[at:]...)
		s.reading = newReading(func(r io.Reader) tags { return mkv.NewReader(r, s.told) })
	} else {
		if len(s.first) < mpegts.SniffLen {
			return nil
		}
		f, ok := mpegts.Sniff(s.first[:mpegts.SniffLen])
		if !ok {
			s.first = slices.Clone(s.first[len(s.first)-mpegts.SniffLen+1:])
			return nil
		}
		data = s.first
		s.reading = newReading(func(r io.Reader) tags { return mpegts.NewReader(r, f, 0, s.told) })
	}
	s.first = nil
	return data
}

// play hands on the tags that end in what has come.
func (s *tape) play(data []byte, to handler) error {
	err := s.reading.take(data, func(t flv.Tag) error {
		if flv.Classify(t).Config {
			same := func(o flv.Tag) bool { return o.Type() == t.Type() }
			s.configs = append(slices.DeleteFunc(s.configs, same), bytes.Clone(t))
		} else if s.due {
			s.due = false
			for _, c := range s.configs {
				if err := to.write(bytes.Clone(c)); err != nil {
					return err
				}
			}
		}
		return to.write(t)
	})
	if bad, ok := err.(readError); ok {
		s.close()
		if errors.Is(bad.error, convert.ErrNotCarried) {
			return bad.error // so it is everywhere
		}
		s.lost++
		return nil
	}
	return err
}

// tags are those of a stream of bytes.
type tags interface{ Next() (flv.Tag, error) }

// readError is why a stream of bytes cannot be read on.
type readError struct{ error }

// reading turns a reader round: bytes are brought to it, in place of being fetched.
type reading struct {
	in   []byte
	next func() (t flv.Tag, ok bool) // none, and true: there are no more bytes
	stop func()
	err  error
}

func newReading(open func(io.Reader) tags) *reading {
	r := &reading{}
	r.next, r.stop = iter.Pull(func(yield func(flv.Tag) bool) { // ends with stop
		from := open(&brought{r, yield})
		for {
			t, err := from.Next()
			if err != nil {
				r.err = err
				return
			}
			if !yield(t) {
				return
			}
		}
	})
	return r
}

// take brings bytes, and calls each with the tags that end in them.
func (r *reading) take(b []byte, each func(flv.Tag) error) error {
	for r.in = b; ; {
		t, ok := r.next()
		switch {
		case !ok:
			return readError{r.err}
		case t == nil:
			return nil
		}
		if err := each(t); err != nil {
			return err
		}
	}
}

// brought reads what was brought.
type brought struct {
	to    *reading
	yield func(flv.Tag) bool
}

func (b *brought) Read(p []byte) (int, error) {
	for len(b.to.in) == 0 {
		if !b.yield(nil) {
			return 0, errStopped
		}
	}
	n := copy(p, b.to.in)
	b.to.in = b.to.in[n:]
	return n, nil
}
