package portmap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"unicode/utf8"
)

// Bounds of what a router answers over HTTP.
const (
	// documentMost is the longest document, in bytes; real ones have 2 to 20 kB.
	documentMost = 256 << 10
	// elementsMost and depthMost bound its elements, real ones have up to 300, ten deep. An
	// element of nine bytes becomes a kilobyte of memory.
	elementsMost = 4096
	depthMost    = 32
)

// errDocument is why a document is not used.
var errDocument error = &failure{Broken, errors.New("the router's document is too long, too deep or no XML")}

// tidy makes a router's document fit for the XML decoder, and refuses what is not worth
// decoding. The declaration in front is taken off, because its encoding is often wrong:
// what is no UTF-8 is taken for Latin-1. The decoder knows no entities but XML's own five,
// so that none can grow.
func tidy(b []byte) ([]byte, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.Trim(b, " \t\r\n\x00")
	if bytes.HasPrefix(b, []byte("<?xml")) {
		_, rest, ok := bytes.Cut(b, []byte("?>"))
		if !ok {
			return nil, errDocument
		}
		b = rest
	}
	if !utf8.Valid(b) {
		b = fromLatin1(b)
	}
	b = bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return '?' // XML has no such characters, routers' texts do
		}
		return r
	}, b)
	if len(b) > 2*documentMost || !shallow(b) {
		return nil, errDocument
	}
	return b, nil
}

func fromLatin1(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// shallow reports whether a document is well-formed and within its bounds.
func shallow(b []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(b))
	depth, elements := 0, 0
	for {
		t, err := d.RawToken()
		if err != nil {
			return errors.Is(err, io.EOF) && depth == 0 && elements > 0
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			elements += 1 + len(t.Attr)
		case xml.EndElement:
			depth--
		}
		if depth > depthMost || depth < 0 || elements > elementsMost {
			return false
		}
	}
}
