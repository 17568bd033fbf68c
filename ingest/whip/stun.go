package whip

import (
	"bytes"
	"encoding/binary"
)

// stunMost bounds the first message over TCP, in bytes: a check has some 100.
const stunMost = 512

// callee returns for which call a check of ICE is: the first half of its USERNAME (RFC 8489, 14.3; RFC 8445, 7.2.2), that is
// what the answer called itself. It reports false for what is no check.
func callee(b []byte) (string, bool) {
	const head, request, cookie, username = 20, 0x0001, 0x2112a442, 0x0006
	if len(b) < head || binary.BigEndian.Uint16(b) != request || binary.BigEndian.Uint32(b[4:]) != cookie || int(binary.BigEndian.Uint16(b[2:])) != len(b)-head {
		return "", false
	}
	for b = b[head:]; len(b) >= 4; {
		typ, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if n > len(b) {
			return "", false
		}
		if typ == username {
			name, _, ok := bytes.Cut(b[:n], []byte(":"))
			return string(name), ok && len(name) > 0
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return "", false
}
