package remux

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// tsParser reads a transport stream, whole frames at a time, and complains of all that a demuxer
// complains of, and of more.
type tsParser struct {
	counts  map[int]byte
	pat     []byte
	pmt     []byte
	types   map[int]byte // of streams, by PID
	clocks  int          // PID
	clock   int64        // the newest clock reference, -1 if there was none
	sps     string
	decoded map[int]int64 // the newest decoding times by PID
}

const tsMapPID = 0x1000

func newTSParser() *tsParser {
	return &tsParser{counts: map[int]byte{}, decoded: map[int]int64{}, clock: -1}
}

func (p *tsParser) pictures() string {
	if t, ok := p.types[tsVideo]; ok {
		return fmt.Sprintf("stream type %d", t)
	}
	return ""
}

func (p *tsParser) next(t *testing.T, b []byte) (all []found) {
	t.Helper()
	if len(b)%tsPacket != 0 {
		t.Fatalf("%d bytes are no whole packets", len(b))
	}
	open := map[int]*found{} // by PID
	var order []*found
	lengths := map[*found]int{}
	for ; len(b) > 0; b = b[tsPacket:] {
		pkt := b[:tsPacket]
		pid, start := int(pkt[1]&0x1f)<<8|int(pkt[2]), pkt[1]&tsUnitStart != 0
		if pkt[0] != tsSync || pkt[3]&tsPayload == 0 || pkt[1]&0x80 != 0 {
			t.Fatalf("a packet begins with % x", pkt[:4])
		}
		if was, ok := p.counts[pid]; ok && pkt[3]&tsCount != (was+1)&tsCount {
			t.Fatalf("PID %d: packet %d comes after %d", pid, pkt[3]&tsCount, was)
		}
		p.counts[pid] = pkt[3] & tsCount
		load, random, clock := pkt[tsHeadLen:], false, int64(-1)
		if pkt[3]&tsAdaptation != 0 {
			n := int(load[0])
			if n >= len(load) {
				t.Fatalf("an adaptation field of %d bytes", n)
			}
			if n > 0 {
				if random = load[1]&afRandom != 0; load[1]&afClock != 0 {
					clock = int64(binary.BigEndian.Uint32(load[2:]))<<1 | int64(load[6]>>7)
				}
			}
			load = load[1+n:]
		}
		switch {
		case pid == 0:
			p.table(t, &p.pat, load, true)
			continue
		case pid == tsMapPID:
			if p.table(t, &p.pmt, load, p.pmt == nil) {
				p.program(load)
			}
			continue
		case p.types[pid] == 0:
			t.Fatalf("PID %d is in no table", pid)
		}
		if clock >= 0 {
			if pid != p.clocks || p.clock >= 0 && ahead(clock, p.clock) < 0 {
				t.Fatalf("PID %d: clock reference %d after %d", pid, clock, p.clock)
			}
			p.clock = clock
		}
		f := open[pid]
		if !start {
			if f == nil {
				t.Fatalf("PID %d goes on without a beginning", pid)
			}
			f.data = append(f.data, load...)
			continue
		}
		f = &found{video: pid == tsVideo, key: random}
		length := int(binary.BigEndian.Uint16(load[4:]))
		shown := tsTimeOf(load[pesHeadLen:])
		f.at = shown
		if load[7]&pesDecoded != 0 {
			f.at = tsTimeOf(load[pesHeadLen+timeLen:])
		}
		if f.show = ahead(shown, f.at); f.show < 0 {
			t.Fatalf("shown at %d, decoded at %d", shown, f.at)
		}
		if was, ok := p.decoded[pid]; ok && ahead(f.at, was) <= 0 {
			t.Fatalf("PID %d: decoded at %d after %d", pid, f.at, was)
		}
		if clock >= 0 && ahead(f.at, clock) != clockAhead {
			t.Fatalf("decoded at %d, by a clock at %d", f.at, clock)
		}
		p.decoded[pid] = f.at
		f.data = slices.Clone(load[pesHeadLen+int(load[8]):])
		if length > 0 {
			lengths[f] = length - 3 - int(load[8])
		}
		open[pid], order = f, append(order, f)
	}
	for _, f := range order {
		if n, ok := lengths[f]; ok && n != len(f.data) {
			t.Fatalf("a frame of %d bytes, which says %d", len(f.data), n)
		}
		if f.video {
			if at := bytes.Index(f.data, []byte{0, 0, 0, 1, 0x67}); at >= 0 { // H.264's parameters
				end := bytes.Index(f.data[at+4:], startCode)
				p.sps = string(f.data[at:][:4+max(end, 0)])
			}
		}
		f.describe = fmt.Sprintf("%s, %x", p.pictures(), p.sps)
		all = append(all, *f)
	}
	return all
}

// table notes a table and reports whether it is another one than before.
func (p *tsParser) table(t *testing.T, was *[]byte, load []byte, first bool) bool {
	t.Helper()
	section := load[1+int(load[0]):]
	end := 3 + int(binary.BigEndian.Uint16(section[1:])&0xfff)
	if crcMPEG(section[:end]) != 0 {
		t.Fatalf("a table's check is wrong: % x", section[:end])
	}
	if bytes.Equal(*was, section[:end]) {
		return false
	}
	if !first && (*was)[5] == section[5] {
		t.Fatalf("another table of the same version")
	}
	*was = section[:end]
	return true
}

func (p *tsParser) program(load []byte) {
	section := load[1+int(load[0]):]
	end := 3 + int(binary.BigEndian.Uint16(section[1:])&0xfff) - 4
	p.clocks, p.types, p.clock = int(binary.BigEndian.Uint16(section[8:])&0x1fff), map[int]byte{}, -1
	for at := 12 + int(binary.BigEndian.Uint16(section[10:])&0xfff); at < end; {
		p.types[int(binary.BigEndian.Uint16(section[at+1:])&0x1fff)] = section[at]
		at += 5 + int(binary.BigEndian.Uint16(section[at+3:])&0xfff)
	}
}

func tsTimeOf(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}
