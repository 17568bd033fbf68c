package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// The messages of memberlist that are used, and those that only frame others.
const (
	msgPing         = 0
	msgIndirectPing = 1
	msgAck          = 2
	msgSuspect      = 3
	msgAlive        = 4
	msgDead         = 5
	msgPushPull     = 6
	msgCompound     = 7
	msgNack         = 11
	msgCRC          = 12
	msgErr          = 13
)

const (
	// MaxPacket is the longest packet that is looked at, in bytes.
	MaxPacket = 2048
	// packetSize is the longest packet that this node sends, in bytes. Any network passes it
	// on whole, and it bounds what gossip can cost.
	packetSize = 700
	// maxStream bounds what a stream may bring, in bytes. A push/pull of maxStates nodes
	// fits, those included that died lately.
	maxStream = 512 << 10
	// maxStates bounds the nodes that a stream may tell of.
	maxStates = 2048
	// maxField bounds one field of a message, in bytes; metadata is the longest.
	maxField = metaMax
	// maxFields bounds the fields of a message; the longest kind has 8.
	maxFields = 16
)

var errVet = errors.New("not a message that is used here")

// vetPacket refuses a packet that an honest member does not send: one with compression,
// encryption or user messages, with compounds within compounds, or with fields that
// announce more bytes than there are. For those the library would allocate up to 4 GiB on
// the word of a 20-byte packet.
func vetPacket(b []byte) error {
	if len(b) > MaxPacket {
		return fmt.Errorf("%d bytes: %w", len(b), errVet)
	}
	if len(b) > 5 && b[0] == msgCRC {
		b = b[5:]
	}
	if len(b) == 0 || b[0] != msgCompound {
		return vetMessage(b)
	}
	if len(b) < 2 || b[1] == 0 || len(b) < 2+2*int(b[1]) {
		return fmt.Errorf("compound is cut, or of nothing: %w", errVet)
	}
	lengths, parts := b[2:2+2*int(b[1])], b[2+2*int(b[1]):]
	for ; len(lengths) > 0; lengths = lengths[2:] {
		n := int(binary.BigEndian.Uint16(lengths))
		if n > len(parts) {
			return fmt.Errorf("compound is cut: %w", errVet)
		}
		if err := vetMessage(parts[:n]); err != nil {
			return err
		}
		parts = parts[n:]
	}
	if len(parts) != 0 {
		return fmt.Errorf("compound has bytes left: %w", errVet)
	}
	return nil
}

// parts yields the messages of a packet that was vetted, or that memberlist sends.
func parts(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(b) > 5 && b[0] == msgCRC {
			b = b[5:]
		}
		if len(b) > 0 && b[0] != msgCompound {
			yield(b)
		}
		if len(b) < 2 || b[0] != msgCompound {
			return
		}
		k := min(int(b[1]), (len(b)-2)/2)
		lengths, rest := b[2:2+2*k], b[2+2*k:]
		for ; len(lengths) > 0; lengths = lengths[2:] {
			n := int(binary.BigEndian.Uint16(lengths))
			if n == 0 || n > len(rest) || !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

func vetMessage(b []byte) error {
	if len(b) == 0 {
		return fmt.Errorf("empty: %w", errVet)
	}
	switch b[0] {
	case msgPing, msgIndirectPing, msgAck, msgSuspect, msgAlive, msgDead, msgNack:
	default:
		return fmt.Errorf("kind %d: %w", b[0], errVet)
	}
	w := walker{b: b, at: 1}
	numbers, err := w.fields()
	if err != nil {
		return err
	}
	if w.at != len(b) {
		return fmt.Errorf("%d bytes left: %w", len(b)-w.at, errVet)
	}
	if n, ok := numbers[numberOf(b[0])]; !ok || n > math.MaxUint32 {
		return fmt.Errorf("kind %d, numbered %d: %w", b[0], n, errVet)
	}
	return nil
}

// numberOf names the field of a message, of 32 bits, without which its kind means nothing.
func numberOf(kind byte) string {
	switch kind {
	case msgSuspect, msgAlive, msgDead:
		return "Incarnation"
	}
	return "SeqNo"
}

// vetStream reads the one message that comes over a stream in each direction, and returns
// its bytes. Memory grows with what has come.
func vetStream(r io.Reader) ([]byte, error) {
	w := walker{more: r}
	kind, err := w.take(1)
	if err != nil {
		return nil, err
	}
	switch kind[0] {
	case msgPing, msgAck, msgErr:
		_, err = w.fields()
		return w.b, err
	case msgPushPull:
	default:
		return nil, fmt.Errorf("stream of kind %d: %w", kind[0], errVet)
	}
	head, err := w.fields()
	if err != nil {
		return nil, err
	}
	if n := head["Nodes"]; n > maxStates {
		return nil, fmt.Errorf("%d nodes: %w", n, errVet)
	}
	if head["UserStateLen"] != 0 {
		return nil, fmt.Errorf("user state: %w", errVet)
	}
	for range head["Nodes"] {
		if _, err := w.fields(); err != nil {
			return nil, err
		}
	}
	return w.b, nil
}

// walker goes over MessagePack without decoding it.
type walker struct {
	b     []byte
	at    int
	more  io.Reader         // what follows b; nil if nothing does
	texts map[string][]byte // gets the strings of a map; nil if nobody wants them
	text  []byte            // the newest
}

func (w *walker) take(n int) ([]byte, error) {
	if have := len(w.b); w.at+n > have {
		if w.more == nil {
			return nil, fmt.Errorf("cut: %w", errVet)
		}
		if w.at+n > maxStream {
			return nil, fmt.Errorf("longer than %d bytes: %w", maxStream, errVet)
		}
		w.b = append(w.b, make([]byte, w.at+n-have)...)
		if _, err := io.ReadFull(w.more, w.b[have:]); err != nil {
			return nil, err
		}
	}
	v := w.b[w.at : w.at+n]
	w.at += n
	return v, nil
}

func (w *walker) uint(n int) (uint64, error) {
	b, err := w.take(n)
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, err
}

// fields goes over one map and returns its whole numbers. If a name occurs twice the larger
// number counts, whichever of them the library takes.
func (w *walker) fields() (map[string]uint64, error) {
	n, err := w.uint(1)
	switch {
	case err != nil:
		return nil, err
	case n >= 0x80 && n <= 0x8f:
		n &= 0x0f
	case n == 0xde:
		n, err = w.uint(2)
	default:
		return nil, fmt.Errorf("no map: %w", errVet)
	}
	if err != nil {
		return nil, err
	}
	if n > maxFields {
		return nil, fmt.Errorf("%d fields: %w", n, errVet)
	}
	numbers := make(map[string]uint64)
	for range n {
		c, err := w.uint(1)
		if err != nil {
			return nil, err
		}
		if c < 0xa0 || c > 0xbf { // the library writes names as short strings only
			return nil, fmt.Errorf("field name %#02x: %w", c, errVet)
		}
		b, err := w.take(int(c & 0x1f))
		if err != nil {
			return nil, err
		}
		name := string(b)
		v, isNumber, err := w.value()
		if err != nil {
			return nil, err
		}
		if isNumber {
			numbers[name] = max(numbers[name], v)
		} else if w.texts != nil {
			w.texts[name] = w.text
		}
	}
	return numbers, nil
}

// value goes over one string, byte string, whole number, truth value or nil. It refuses
// lists, maps in maps, fractions and extensions. A negative number counts as a large one.
func (w *walker) value() (number uint64, isNumber bool, err error) {
	c, err := w.uint(1)
	if err != nil {
		return 0, false, err
	}
	width := 0 // of the length that follows, in bytes
	var n uint64
	switch {
	case c <= 0x7f: // positive, in the byte itself
		return c, true, nil
	case c >= 0xe0: // negative
		return 1 << 63, true, nil
	case c >= 0xa0 && c <= 0xbf: // a short string
		n = c & 0x1f
	case c == 0xc0, c == 0xc2, c == 0xc3: // nil, false, true
		return 0, false, nil
	case c == 0xc4, c == 0xd9: // byte string, string
		width = 1
	case c == 0xc5, c == 0xda:
		width = 2
	case c == 0xc6, c == 0xdb:
		width = 4
	case c >= 0xcc && c <= 0xcf: // unsigned
		n, err = w.uint(1 << (c - 0xcc))
		return n, true, err
	case c >= 0xd0 && c <= 0xd3: // signed
		width = 1 << (c - 0xd0)
		n, err = w.uint(width)
		if n>>(8*width-1) != 0 {
			n = 1 << 63
		}
		return n, true, err
	default:
		return 0, false, fmt.Errorf("value %#02x: %w", c, errVet)
	}
	if width > 0 {
		if n, err = w.uint(width); err != nil {
			return 0, false, err
		}
	}
	if n > maxField {
		return 0, false, fmt.Errorf("field of %d bytes: %w", n, errVet)
	}
	w.text, err = w.take(int(n))
	return 0, false, err
}
