package cast

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"
)

// maxFrame bounds a frame, in bytes (the protocol's own bound).
const maxFrame = 64 << 10

var errFrame = errors.New("no frame of CASTV2")

// message is a CastMessage of version 0 with text in it.
type message struct {
	from, to, namespace, text string
}

// Fields of a CastMessage, as protobuf numbers them.
const (
	fieldVersion = 1 + iota
	fieldFrom
	fieldTo
	fieldNamespace
	fieldKind // of what is in it: 0 for text
	fieldText
)

// Ways in which protobuf writes a field.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// frame returns the message as it is sent.
func (m message) frame() []byte {
	b := make([]byte, 4, 256)
	b = append(b, fieldVersion<<3|wireVarint, 0)
	for i, s := range []string{m.from, m.to, m.namespace} {
		b = appendText(b, fieldFrom+i, s)
	}
	b = append(b, fieldKind<<3|wireVarint, 0)
	b = appendText(b, fieldText, m.text)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendText(b []byte, field int, s string) []byte {
	b = append(b, byte(field<<3|wireBytes))
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readMessage reads one. The buffer grows with what comes, and not with what a length says.
func readMessage(r io.Reader) (m message, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return m, errFrame
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(b) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return m, err
	}
	return parseMessage(b)
}

// parseMessage reads a CastMessage. Fields that it does not know are passed over.
func parseMessage(b []byte) (m message, err error) {
	texts := map[uint64]*string{fieldFrom: &m.from, fieldTo: &m.to, fieldNamespace: &m.namespace, fieldText: &m.text}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return m, errFrame
		}
		b = b[n:]
		skip := 0
		switch tag & 7 {
		case wireVarint:
			if _, skip = binary.Uvarint(b); skip <= 0 {
				return m, errFrame
			}
		case wire64:
			skip = 8
		case wire32:
			skip = 4
		case wireBytes:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return m, errFrame
			}
			skip = n + int(size)
			if to := texts[tag>>3]; to != nil {
				if *to = string(b[n:skip]); !utf8.ValidString(*to) {
					return m, errFrame
				}
			}
		default:
			return m, errFrame
		}
		if skip > len(b) {
			return m, errFrame
		}
		b = b[skip:]
	}
	return m, nil
}
