package flv

import (
	"bufio"
	"bytes"
	"unicode/utf8"
)

// sniffLen is how much of the input is looked at to guess what it is, in bytes:
// two MPEG-TS packets and a bit.
const sniffLen = 400

// NotFLVError refuses input that is no FLV.
type NotFLVError struct {
	Looks string // what it looks like, "" if nobody knows
}

// Error names what the input looks like.
func (e *NotFLVError) Error() string {
	if e.Looks == "" {
		return "the input is not FLV"
	}
	return "the input is not FLV, it looks like " + e.Looks
}

func notFLV(r *bufio.Reader) error {
	head, _ := r.Peek(sniffLen) // what there is of it will do
	return &NotFLVError{Looks: looksLike(head)}
}

const (
	tsPacket = 188  // length of an MPEG-TS packet, in bytes (ISO 13818-1)
	tsSync   = 0x47 // its first byte
)

func looksLike(b []byte) string {
	switch {
	case len(b) == 0:
		return "nothing at all"
	case len(b) >= 8 && string(b[4:8]) == "ftyp":
		return "MP4"
	case bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")):
		return "Matroska or WebM"
	case bytes.HasPrefix(b, []byte("OggS")):
		return "Ogg"
	case bytes.HasPrefix(b, []byte("RIFF")):
		return "AVI or WAV"
	case bytes.HasPrefix(b, []byte("#EXTM3U")):
		return "an HLS playlist"
	case b[0] == tsSync && (len(b) <= tsPacket || b[tsPacket] == tsSync):
		return "MPEG-TS"
	case bytes.HasPrefix(bytes.TrimSpace(b), []byte("<")):
		return "HTML"
	case isText(b):
		return "text"
	}
	return ""
}

func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax {
			return false
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return false
		}
		b = b[n:]
	}
	return true
}
