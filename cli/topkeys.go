package cli

// key is one key that was pressed: a printable character as itself, others by the
// names below.
type key rune

// Keys that are no characters, numbered where Unicode has none.
const (
	keyUp key = -1 - iota
	keyDown
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyInterrupt key = 3 // Ctrl-C, which a raw terminal gives as it is
	keyTab       key = '\t'
)

// keyNames are what terminals send for them after ESC [ or ESC O.
var keyNames = map[string]key{
	"A": keyUp, "B": keyDown, "H": keyHome, "F": keyEnd,
	"5~": keyPageUp, "6~": keyPageDown, "1~": keyHome, "4~": keyEnd, "7~": keyHome, "8~": keyEnd,
}

// maxSequence is the longest escape sequence that is waited for, in bytes: longer than
// those of any key.
const maxSequence = 16

// keyReader takes what a raw terminal sends apart. A sequence may come in pieces.
type keyReader struct{ begun []byte }

// keys returns the keys in b. A key that it does not know is left out.
func (r *keyReader) keys(b []byte) []key {
	var got []key
	for _, c := range b {
		switch n := len(r.begun); {
		case c == 0x1b:
			r.begun = append(r.begun[:0], c)
		case n == 0:
			got = append(got, key(c))
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

// press changes the screen as the key says. It reports false for a key that ends.
func (s *topScreen) press(k key) bool {
	page := max(1, s.height-5)
	switch k {
	case 'q', 'Q':
		return false
	case 'h', 'd', 'l', 'u':
		s.order, s.offset = topOrder(k), 0
	case 'j', keyDown:
		s.offset++
	case 'k', keyUp:
		s.offset--
	case ' ', keyPageDown:
		s.offset += page
	case keyPageUp:
		s.offset -= page
	case 'g', keyHome:
		s.offset = 0
	case 'G', keyEnd:
		s.offset = s.most()
	case keyTab:
		if n := len(s.channels); n > 0 {
			s.chosen, s.offset = (s.chosen+1)%n, 0
		}
	}
	s.offset = max(0, min(s.offset, s.most()))
	return true
}

// most is the greatest offset that means anything.
func (s *topScreen) most() int {
	if len(s.channels) == 0 {
		return 0
	}
	return max(0, len(s.channels[s.chosen].Nodes)-1)
}
