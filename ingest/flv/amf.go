package flv

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Bounds of AMF0 that is to be decoded. The decoders in use recurse once per level
// and allocate by declared counts, so nothing reaches them that is not within.
const (
	// MaxAMFDepth is how deep objects and arrays may lie in each other. Real
	// metadata has two levels.
	MaxAMFDepth = 16
	// MaxAMFValues is how many values there may be in all. Encoders send about
	// twenty; a value can take 1 byte to send and dozens to hold.
	MaxAMFValues = 256
	// MaxScript is the longest script body or command that is looked into, in
	// bytes.
	MaxScript = 64 << 10
)

// Errors of [CheckAMF0]: all wrap the first.
var (
	ErrAMF      = errors.New("AMF0 is malformed or out of bounds")
	ErrAMFDepth = fmt.Errorf("more than %d levels deep: %w", MaxAMFDepth, ErrAMF)
)

// AMF0 markers (Action Message Format AMF 0, section 2.1).
const (
	amfNumber      = 0x00
	amfBoolean     = 0x01
	amfString      = 0x02
	amfObject      = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfReference   = 0x07
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0a
	amfDate        = 0x0b
	amfLongString  = 0x0c
	amfUnsupported = 0x0d
	amfXML         = 0x0f
	amfTypedObject = 0x10
	amfAMF3        = 0x11
)

// CheckAMF0 reports whether b is a run of whole AMF0 values within [MaxScript],
// [MaxAMFDepth] and [MaxAMFValues], with every length and count inside b. It does
// not recurse, does not allocate but for its error, and takes time linear in b at
// most.
func CheckAMF0(b []byte) error {
	s := amfScanner{b: b, most: MaxAMFValues}
	return s.run()
}

// PlainAMF0 is CheckAMF0 for values that are to be decoded. It returns them without what no
// decoder here understands: dates, references, XML and what the sender could not say become
// undefined, and an object of a class becomes an object. Values that go on in AMF3 end there.
// The result may be b itself.
func PlainAMF0(b []byte) ([]byte, error) {
	s := amfScanner{b: b, most: MaxAMFValues, plain: &amfPlain{all: b}}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.plain.done(), nil
}

// amfPlain makes a copy of values that has other values in the place of some.
type amfPlain struct {
	all    []byte
	copied int // of all, with what was replaced
	out    []byte
}

// replace puts something else in the place of all[from:to].
func (p *amfPlain) replace(from, to int, by ...byte) {
	p.out = append(append(p.out, p.all[p.copied:from]...), by...)
	p.copied = to
}

func (p *amfPlain) done() []byte {
	if p.copied == 0 {
		return p.all
	}
	return append(p.out, p.all[p.copied:]...)
}

// amfScanner walks over values with a stack of its own.
type amfScanner struct {
	b      []byte
	most   int // values
	values int
	depth  int
	open   [MaxAMFDepth]amfContainer
	plain  *amfPlain // nil if there is none to be made
	err    error
}

func (s *amfScanner) run() error {
	if len(s.b) > MaxScript {
		return fmt.Errorf("%d bytes, the most is %d: %w", len(s.b), MaxScript, ErrAMF)
	}
	for s.err == nil && (len(s.b) > 0 || s.depth > 0) {
		s.step()
	}
	return s.err
}

// amfContainer is an object or array that is not finished.
type amfContainer struct {
	keyed bool
	left  uint32 // values still to come, if not keyed
}

// step takes one value, or the end of a container.
func (s *amfScanner) step() {
	if s.depth > 0 {
		c := &s.open[s.depth-1]
		if c.keyed {
			if !s.key() {
				return
			}
		} else {
			if c.left == 0 {
				s.depth--
				return
			}
			c.left--
		}
	}
	s.value()
}

// key takes a property's name. It reports false at the object's end.
func (s *amfScanner) key() bool {
	n := s.uint16()
	if s.take(n); s.err != nil {
		return false
	}
	if n > 0 {
		return true
	}
	if end := s.take(1); s.err == nil && end[0] != amfObjectEnd {
		s.fail("object without an end")
	}
	s.depth--
	return false
}

func (s *amfScanner) value() {
	if s.values++; s.values > s.most {
		s.fail("too many values")
		return
	}
	left := len(s.b)
	marker := s.take(1)
	if s.err != nil {
		return
	}
	switch marker[0] {
	case amfNull, amfUndefined:
	case amfNumber:
		s.take(8)
	case amfBoolean:
		s.take(1)
	case amfDate:
		s.take(8 + 2) // milliseconds and a time zone
		s.replace(left, amfUndefined)
	case amfString:
		s.take(s.uint16())
	case amfLongString:
		s.take(s.uint32())
	case amfObject:
		s.enter(amfContainer{keyed: true})
	case amfECMAArray:
		s.uint32() // a hint only: the array ends like an object
		s.enter(amfContainer{keyed: true})
	case amfStrictArray:
		n := s.uint32()
		if uint64(n) > uint64(len(s.b)) {
			s.fail("array longer than its bytes")
			return
		}
		s.enter(amfContainer{left: n})
	default:
		if s.plain == nil {
			s.fail("unknown marker")
			return
		}
		s.rare(marker[0], left)
	}
}

// rare takes a value that no decoder here understands, and whose marker was taken when there
// were left bytes.
func (s *amfScanner) rare(marker byte, left int) {
	switch marker {
	case amfUnsupported:
	case amfReference:
		s.take(2)
	case amfXML:
		s.take(s.uint32())
	case amfTypedObject:
		s.take(s.uint16()) // the name of the class
		s.replace(left, amfObject)
		s.enter(amfContainer{keyed: true})
		return
	case amfAMF3:
		if s.depth > 0 {
			s.fail("AMF3 within AMF0")
			return
		}
		s.b = nil
	default:
		s.fail("unknown marker")
		return
	}
	s.replace(left, amfUndefined)
}

// replace puts by in the place of what was taken since there were left bytes.
func (s *amfScanner) replace(left int, by byte) {
	if s.err == nil && s.plain != nil {
		n := len(s.plain.all)
		s.plain.replace(n-left, n-len(s.b), by)
	}
}

func (s *amfScanner) enter(c amfContainer) {
	if s.err != nil {
		return
	}
	if s.depth == MaxAMFDepth {
		s.err = ErrAMFDepth
		return
	}
	s.open[s.depth] = c
	s.depth++
}

func (s *amfScanner) take(n uint32) []byte {
	if s.err != nil {
		return nil
	}
	if uint64(n) > uint64(len(s.b)) {
		s.fail("cut short")
		return nil
	}
	taken := s.b[:n]
	s.b = s.b[n:]
	return taken
}

func (s *amfScanner) uint16() uint32 {
	if b := s.take(2); b != nil {
		return uint32(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (s *amfScanner) uint32() uint32 {
	if b := s.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (s *amfScanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("%s: %w", what, ErrAMF)
	}
}
