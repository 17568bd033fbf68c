package rtspin

import (
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
)

// Address is where a camera is, and how to fetch from it.
type Address struct {
	URL *url.URL // rtsp or rtsps, perhaps with a name and a password; without what is ours
	// UDP has packets come one by one, instead of in the connection.
	UDP bool
	// Certificate is the SHA-256 of the only certificate that is taken, in lower-case hexadecimal; "" for
	// one that this machine trusts.
	Certificate string
}

// Parameters of an address that are ours.
const (
	transportQuery   = "transport"   // tcp or udp; another value is the camera's own
	certificateQuery = "certificate" // SHA-256, as 64 hexadecimal digits; another value likewise
)

// ErrAddress says that an address names no host.
var ErrAddress = errors.New("an address of RTSP has a host: rtsp://user:password@host/path")

// Parse takes off what is ours in an address, the first of each; the rest stays byte for byte, as
// cameras compare.
func Parse(u *url.URL) (Address, error) {
	if u.Hostname() == "" {
		return Address{}, ErrAddress
	}
	clean := *u
	clean.Scheme, clean.Fragment, clean.RawFragment = strings.ToLower(u.Scheme), "", ""
	a := Address{URL: &clean}
	var rest []string
	how := ""
	for _, p := range strings.Split(u.RawQuery, "&") {
		name, value, _ := strings.Cut(p, "=")
		switch {
		case name == transportQuery && how == "" && (value == "udp" || value == "tcp"):
			how = value
		case name == certificateQuery && a.Certificate == "" && isSHA256(value):
			a.Certificate = strings.ToLower(value)
		default:
			rest = append(rest, p)
		}
	}
	a.UDP = how == "udp"
	clean.RawQuery = strings.Join(rest, "&")
	return a, nil
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32
}

// Host names the camera for people: no credentials.
func (a Address) Host() string { return a.URL.Host }

// With returns the address with one more parameter of ours, as it may be shown: without the password.
func (a Address) with(name, value string) string {
	u := *a.URL
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += name + "=" + value
	return u.Redacted()
}
