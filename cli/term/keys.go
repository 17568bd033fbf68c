package term

// Key is one key that was pressed: a printable character as itself, any other key by a name
// below.
type Key rune

// These keys are not characters. Their numbers are outside Unicode.
const (
	KeyUp Key = -1 - iota
	KeyDown
	KeyPageUp
	KeyPageDown
	KeyHome
	KeyEnd
	KeyInterrupt Key = 3 // Ctrl-C, which a raw terminal passes on
	KeyTab       Key = '\t'
)

// keyNames maps what terminals send after ESC [ or ESC O to these keys.
var keyNames = map[string]Key{
	"A": KeyUp, "B": KeyDown, "H": KeyHome, "F": KeyEnd,
	"5~": KeyPageUp, "6~": KeyPageDown, "1~": KeyHome, "4~": KeyEnd, "7~": KeyHome, "8~": KeyEnd,
}

// maxSequence is the longest escape sequence to wait for, in bytes. No key's sequence is as
// long.
const maxSequence = 16

// KeyReader splits the input from a raw terminal into keys. A sequence may come in pieces.
type KeyReader struct{ begun []byte }

// Keys returns the keys in b. It leaves out unknown keys.
func (r *KeyReader) Keys(b []byte) []Key {
	var got []Key
	for _, c := range b {
		switch n := len(r.begun); {
		case c == 0x1b:
			r.begun = append(r.begun[:0], c)
		case n == 0:
			got = append(got, Key(c))
		case n == 1 && (c == '[' || c == 'O'):
			r.begun = append(r.begun, c)
		case n == 1: // a key with Alt
			r.begun = r.begun[:0]
		case c >= 0x40 && c <= 0x7e: // the last byte of a sequence (ECMA-48)
			if k, ok := keyNames[string(append(r.begun[2:], c))]; ok {
				got = append(got, k)
			}
			r.begun = r.begun[:0]
		case n >= maxSequence:
			r.begun = r.begun[:0]
		default:
			r.begun = append(r.begun, c)
		}
	}
	return got
}
