package mpegts

// maxSection bounds a section of the tables that are read here, with its head, in bytes (2.4.4.3).
const maxSection = 1021 + 3

// sections puts the sections of one PID together. The zero value is ready.
type sections struct {
	continuity
	buf   []byte
	begun bool // buf is the start of a section
}

// next takes the next packet, and calls each with every section that it completes and that is whole.
func (s *sections) next(p packet, each func([]byte)) {
	again, lost := s.continuity.next(p)
	if again {
		return
	}
	if lost {
		s.begun = false
	}
	b := p.payload
	if len(b) == 0 {
		return
	}
	if !p.starts {
		if s.begun {
			s.buf = append(s.buf, b...)
			s.cut(each)
		}
		return
	}
	pointer := int(b[0])
	if b = b[1:]; pointer > len(b) {
		s.begun = false
		return
	}
	if s.begun {
		s.buf = append(s.buf, b[:pointer]...)
		s.cut(each)
	}
	s.begun, s.buf = true, append(s.buf[:0], b[pointer:]...)
	s.cut(each)
}

// cut takes whole sections from the front.
func (s *sections) cut(each func([]byte)) {
	for s.begun && len(s.buf) > 0 {
		if s.buf[0] == 0xff { // stuffing, until the next packet in which a section starts
			s.begun = false
			return
		}
		if len(s.buf) < 3 {
			return
		}
		n := 3 + int(s.buf[1]&0x0f)<<8 + int(s.buf[2])
		if n > maxSection {
			s.begun = false
			return
		}
		if len(s.buf) < n {
			return
		}
		if crc32(s.buf[:n]) == 0 {
			each(s.buf[:n])
		}
		s.buf = append(s.buf[:0], s.buf[n:]...)
	}
}

// crcTable is for the polynomial of annex A, highest bit first.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&0x80000000 != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// crc32 is 0 over a section that ends with its own.
func crc32(b []byte) uint32 {
	c := ^uint32(0)
	for _, v := range b {
		c = c<<8 ^ crcTable[byte(c>>24)^v]
	}
	return c
}
