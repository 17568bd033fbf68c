package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// cat joins strings and byte slices.
func cat(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		case byte:
			b = append(b, p)
		case int: // a constant
			b = append(b, byte(p))
		default:
			panic(fmt.Sprintf("%T is no part of an input", p))
		}
	}
	return b
}

func rep(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func u16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func u24(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
func u32(n uint32) []byte {
	return binary.BigEndian.AppendUint32(nil, n)
}
func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// with16 puts the length in front, in 16 bits.
func with16(b ...any) []byte { body := cat(b...); return cat(u16(len(body)), body) }

// with8 puts the length in front, in 8 bits.
func with8(b ...any) []byte { body := cat(b...); return cat(byte(len(body)), body) }

// Values of AMF0.
func amfNumber(n float64) []byte { return cat("\x00", u64(math.Float64bits(n))) }
func amfString(s string) []byte  { return cat("\x02", with16(s)) }
func amfNull() []byte            { return []byte{5} }

// amfObject is an object of keys and values that are marshalled already.
func amfObject(pairs ...any) []byte {
	b := []byte{3}
	for p := range slices.Chunk(pairs, 2) {
		b = cat(b, with16(p[0]), p[1])
	}
	return cat(b, "\x00\x00\x09")
}

// command is an RTMP command's body: a name, a transaction and arguments.
func command(name string, id float64, args ...any) []byte {
	return cat(amfString(name), amfNumber(id), cat(args...))
}

// message is an RTMP message in chunks of 128 bytes, as they are before anybody has said another
// size, on a chunk stream below 64.
func message(stream byte, typ byte, id byte, body []byte) []byte {
	return messageAt(stream, typ, id, 0, body, 128)
}

func messageAt(stream, typ, id byte, ms uint32, body []byte, size int) []byte {
	field, extended := ms, []byte(nil)
	if ms >= 0xffffff {
		field, extended = 0xffffff, u32(ms)
	}
	b := cat(stream, u24(int(field)), u24(len(body)), typ, id, "\x00\x00\x00", extended)
	for i := 0; i < len(body); i += size {
		if i > 0 {
			b = append(append(b, 0xc0|stream), extended...)
		}
		b = append(b, body[i:min(len(body), i+size)]...)
	}
	return b
}

// Values of msgpack, as memberlist has them.
func mpInt(n uint64) []byte { return cat("\xcf", u64(n)) }

func mpText(s string) []byte {
	if len(s) < 32 {
		return cat(0xa0|byte(len(s)), s)
	}
	return cat("\xda", with16(s))
}
func mpRaw(b []byte) []byte { return mpText(string(b)) }
func mpBool(is bool) []byte {
	if is {
		return []byte{0xc3}
	}
	return []byte{0xc2}
}

// mpMap is a map of up to 15 keys and values that are marshalled already.
func mpMap(pairs ...any) []byte {
	b := []byte{0x80 | byte(len(pairs)/2)}
	for p := range slices.Chunk(pairs, 2) {
		b = cat(b, mpText(p[0].(string)), p[1])
	}
	return b
}
