package playback

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// maxPrefix bounds the path under which a proxy says that it has this node, in characters.
const maxPrefix = 128

// Proxies are the addresses of reverse proxies that are believed when they say for whom they ask, and
// how they were called. It is for reading only.
type Proxies []netip.Prefix

func (p Proxies) trusts(a netip.Addr) bool {
	for _, of := range p {
		if of.Contains(a) {
			return true
		}
	}
	return false
}

// byProxies are headers that reverse proxies add, in canonical form.
var byProxies = []string{
	"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix",
	"X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded", "Forwarded-For", "X-Original-Forwarded-For",
	"X-Original-Host", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Envoy-External-Address",
	"Client-Ip", "Cf-Connecting-Ip", "Cf-Ray", "True-Client-Ip", "Fastly-Client-Ip", "Fly-Client-Ip",
	"X-Amzn-Trace-Id",
}

// caller is who asks, and how it calls this node.
type caller struct {
	addr netip.Addr // zero if it is not known
	host string     // with a port or without one, as the client has it; may be empty
	base string     // the address of the listener, without a slash at its end
	here bool       // it is a program on this machine, and no page of another site
}

// Asks returns who asks with a request that no guard has seen: the address, the zero Addr if a proxy asks that is
// not trusted; whether it is a program on this machine; and the listener's address as the caller has it.
func (p Proxies) Asks(r *http.Request) (addr netip.Addr, here bool, base string) {
	c := p.caller(r)
	return c.addr, c.here, c.base
}

// callerKey is the key to a request's caller in its context.
type callerKey struct{}

// callerOf returns who asks with a request that has passed a guard. Of one that has not, no proxy
// is believed.
func callerOf(r *http.Request) caller {
	if c, ok := r.Context().Value(callerKey{}).(caller); ok {
		return c
	}
	return Proxies(nil).caller(r)
}

// caller returns who asks. An address on this machine is no proof of being at this machine: a reverse
// proxy may run here, and ask for anybody.
func (p Proxies) caller(r *http.Request) caller {
	c := caller{addr: peerOf(r), host: r.Host}
	scheme, prefix, proxied := "http", "", forwarded(r)
	switch {
	case !proxied:
		// nginx adds nothing unless it is told to, but speaks HTTP/1.0 then. No program here does.
		c.here = c.addr.IsLoopback() && r.ProtoAtLeast(1, 1)
	case p.trusts(c.addr):
		c.addr = p.client(r)
		c.here = c.addr.IsLoopback()
		if h := single(r, "X-Forwarded-Host"); h != "" {
			c.host = h
		}
		if strings.EqualFold(single(r, "X-Forwarded-Proto"), "https") {
			scheme = "https"
		}
		prefix = prefixOf(single(r, "X-Forwarded-Prefix"))
	default:
		c.addr = netip.Addr{} // it says so itself, whoever it is
	}
	c.here = c.here && !otherSite(r, c.host)
	host := c.host
	if host == "" {
		if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			host = a.String()
		}
	}
	c.base = scheme + "://" + host + prefix
	return c
}

// forwarded reports whether a proxy has had the request in its hands.
func forwarded(r *http.Request) bool {
	for _, name := range byProxies {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return false
}

// client returns the newest address in X-Forwarded-For that is no trusted proxy's, as each proxy
// appends the one that it is asked from, or the first of all. It is the zero Addr if there is none,
// or if one on the way cannot be read.
func (p Proxies) client(r *http.Request) (a netip.Addr) {
	all := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(all) - 1; i >= 0; i-- {
		if a = addrOf(strings.TrimSpace(all[i])); !a.IsValid() || !p.trusts(a) {
			return a
		}
	}
	return a
}

// addrOf reads an address, which may have a port behind it.
func addrOf(s string) netip.Addr {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.Addr().Unmap()
	}
	a, _ := netip.ParseAddr(strings.Trim(s, "[]")) // the zero Addr if it is none
	return a.Unmap()
}

// single returns the last value of a header, which the nearest proxy has written; "" if there is
// none.
func single(r *http.Request, name string) string {
	all := r.Header[name]
	if len(all) == 0 {
		return ""
	}
	v := all[len(all)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// prefixOf returns a path without a slash at its end, "" if it is none that can stand in an address
// as it is.
func prefixOf(path string) string {
	path = strings.TrimRight(path, "/")
	if len(path) > maxPrefix || !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains(path, "..") {
		return ""
	}
	for _, c := range path {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.~", c) {
			return ""
		}
	}
	return path
}

// otherSite reports whether a page of another site has a browser ask. The browser says so of
// addresses on this machine and of those with https; for others it names the page's, if the page
// could read the answer.
func otherSite(r *http.Request, host string) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	_, of, _ := strings.Cut(origin, "://")
	return origin != "" && !strings.EqualFold(of, host)
}

// followed reports whether a person has followed a link, or typed an address: the answer is shown by
// itself, and no page can read it.
func followed(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// peerOf returns the address that a connection comes from; the zero Addr if there is none.
func peerOf(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

// hostOf takes the port off a host, in lower case; "" if what follows it is no port.
func hostOf(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return ""
		}
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
