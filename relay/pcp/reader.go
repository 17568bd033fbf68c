package pcp

import (
	"fmt"
	"io"
	"slices"

	"relay/relay/refusal"
)

// What an atom may be. peercast-yt keeps 16 KiB of a packet, and PeerCastStation sends 15 KiB
// of data in one; a head of PeerCastStation's is as long as the stream's own header.
const (
	MaxDepth = 4        // atoms inside each other, the outermost counted: bcst, chan, info, name
	MaxKids  = 64       // children of one atom
	MaxData  = 20 << 10 // bytes of a data packet's data
	MaxHead  = 64 << 10 // bytes of a head packet's data
	MaxAtom  = 16 << 10 // bytes of everything else at the top, with all children and heads
)

// step is how much is allocated before it has come, in bytes.
const step = 4 << 10

// Why bytes are no PCP that is read here, as it is counted.
const (
	Unknown  refusal.Reason = "pcp_unknown_atom"  // one that must not be there
	Deep     refusal.Reason = "pcp_too_deep"      // more than MaxDepth
	Kids     refusal.Reason = "pcp_too_many_kids" // more than MaxKids, or two data in a packet
	Long     refusal.Reason = "pcp_too_long"      // more than MaxData, MaxHead or MaxAtom
	Size     refusal.Reason = "pcp_wrong_size"    // not what its type has
	Missing  refusal.Reason = "pcp_missing"       // what must be there is not
	NotHTTP  refusal.Reason = "pcp_not_http"      // a head that is no request or answer of PeerCast's
	LongHead refusal.Reason = "pcp_long_head"     // a head of more than MaxLines
)

// Error is why bytes are no PCP that is read here.
type Error struct {
	Why  refusal.Reason
	Name Name // of the atom; zero for HTTP
}

func (e *Error) Error() string { return fmt.Sprintf("PCP atom %s: %s", e.Name, e.Why) }

// Reader reads atoms one by one.
type Reader struct {
	r   io.Reader
	buf []byte // the atom, with its head
}

// NewReader returns a Reader of r, from which it reads as little as 8 bytes: r should have a buffer.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next reads an atom. It is good until the next call. The error is an [*Error], after which
// there is nothing more to read, or the reader's own: io.EOF if it ended between two atoms,
// io.ErrUnexpectedEOF if inside one.
func (r *Reader) Next() (Atom, error) {
	r.buf = r.buf[:0]
	var (
		path  [MaxDepth]Name // of the parents that are open, and the atom itself
		left  [MaxDepth]int  // how many children each has still to come
		depth int
		ahead int  // bytes of a packet's data, which count apart
		typ   Name // of the packet
		data  bool // a packet's data has come
	)
	for {
		n, v, err := r.head(depth > 0)
		if err != nil {
			return Atom{}, err
		}
		path[depth] = n
		if depth == 0 && !slices.Contains(top, n) {
			return Atom{}, &Error{Why: Unknown, Name: n}
		}
		if len(r.buf)-ahead > MaxAtom {
			return Atom{}, &Error{Why: Long, Name: n}
		}
		inPacket := depth == 2 && path[0] == NameChan && path[1] == namePkt
		switch {
		case v&parentBit != 0 && v&^parentBit > MaxKids:
			return Atom{}, &Error{Why: Kids, Name: n}
		case v&parentBit != 0 && v != parentBit && depth+1 == MaxDepth:
			return Atom{}, &Error{Why: Deep, Name: n}
		case v&parentBit != 0 && v != parentBit:
			left[depth] = int(v &^ parentBit)
			depth++
			continue
		case v == parentBit: // a parent without children
		case inPacket && n == nameData:
			if data {
				return Atom{}, &Error{Why: Kids, Name: n}
			}
			most := uint32(MaxData)
			if typ == nameHead {
				most = MaxHead
			}
			if v > most {
				return Atom{}, &Error{Why: Long, Name: n}
			}
			data, ahead = true, int(v)
			if err := r.body(int(v)); err != nil {
				return Atom{}, err
			}
		default:
			if int64(len(r.buf)-ahead)+int64(v) > MaxAtom {
				return Atom{}, &Error{Why: Long, Name: n}
			}
			if err := r.body(int(v)); err != nil {
				return Atom{}, err
			}
			if inPacket && n == nameType && v == 4 {
				typ = Name(r.buf[len(r.buf)-4:])
			}
		}
		for depth > 0 {
			if left[depth-1]--; left[depth-1] > 0 {
				break
			}
			depth--
		}
		if depth == 0 {
			a, _ := first(r.buf)
			return a, nil
		}
	}
}

// head reads an atom's head. Nothing at all is an end only outside of atoms.
func (r *Reader) head(inside bool) (Name, uint32, error) {
	at := len(r.buf)
	r.buf = append(r.buf, make([]byte, headLen)...)
	if _, err := io.ReadFull(r.r, r.buf[at:]); err != nil {
		if inside && err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Name{}, 0, err
	}
	n, v := head(r.buf[at:])
	return n, v, nil
}

// body reads so many bytes. Memory grows with what has come, and not with what was announced.
func (r *Reader) body(n int) error {
	for n > 0 {
		at, more := len(r.buf), min(n, step)
		r.buf = slices.Grow(r.buf, more)[:at+more]
		if _, err := io.ReadFull(r.r, r.buf[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		n -= more
	}
	return nil
}
