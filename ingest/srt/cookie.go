package srt

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
	"time"
)

// cookieTime is how long a cookie is good for, at least; twice that at most.
const cookieTime = time.Minute

// cookies prove that a caller gets what is sent to its address: it has to bring the one that was sent
// there. Nothing is kept of a caller until then.
type cookies struct{ secret [32]byte }

func newCookies() (c cookies) {
	rand.Read(c.secret[:]) // never fails
	return c
}

// of returns the cookie of an address, which is not 0.
func (c *cookies) of(a netip.AddrPort, now time.Time) uint32 {
	return c.in(a, now.Unix()/int64(cookieTime.Seconds()))
}

// good reports whether a cookie is that of an address.
func (c *cookies) good(cookie uint32, a netip.AddrPort, now time.Time) bool {
	period := now.Unix() / int64(cookieTime.Seconds())
	return subtle.ConstantTimeEq(int32(cookie), int32(c.in(a, period)))|subtle.ConstantTimeEq(int32(cookie), int32(c.in(a, period-1))) == 1
}

func (c *cookies) in(a netip.AddrPort, period int64) uint32 {
	m := hmac.New(sha256.New, c.secret[:])
	ip := a.Addr().As16()
	m.Write(ip[:])
	m.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(nil, a.Port()), uint64(period)))
	return binary.BigEndian.Uint32(m.Sum(nil)) | 1
}
