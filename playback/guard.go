package playback

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// gate says who may ask, and counts who may not. Its zero value lets in every client that
// asks under localhost or an IP address.
type gate struct {
	hosts []string              // further host names, in lower case
	near  func(netip.Addr) bool // whether an address is let in; nil for all
	count *refusals             // nil for none
}

// guard lets through only clients that are let in, only GET and HEAD, and only host names
// by which a browser can mean this machine. A page of another site whose
// name was made to resolve to this machine (DNS rebinding) carries its own name and
// is refused.
func guard(next http.Handler, g gate) http.Handler {
	if g.count == nil {
		g.count = &refusals{}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case g.near != nil && !g.near(asker(r)):
			g.count.network.Add(1)
			http.Error(w, "This node answers only the networks that it is in itself, and you ask from elsewhere. To watch: relay watch LINK. Who runs it can let everyone in with --http.", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		case !hostAllowed(r.Host, g.hosts):
			g.count.host.Add(1)
			http.Error(w, "This node does not answer under that host name. Use its IP address or localhost, or allow the name (--allow-host NAME).", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Guard lets through only GET and HEAD, and only host names by which a browser can mean
// this machine: IP addresses, localhost, its own name, and hosts. It is for listeners other
// than the players'.
func Guard(next http.Handler, hosts []string) http.Handler {
	return guard(next, gate{hosts: ownHosts(hosts)})
}

// ownHosts returns the names under which this machine may be asked, in lower case.
func ownHosts(more []string) (hosts []string) {
	for _, h := range more {
		hosts = append(hosts, strings.ToLower(h))
	}
	if h, err := os.Hostname(); err == nil {
		hosts = append(hosts, strings.ToLower(h))
	}
	return hosts
}

// hostAllowed reports whether a Host header names this machine: by address, as
// localhost, or by a name of allow, which is in lower case.
func hostAllowed(host string, allow []string) bool {
	if host == "" {
		return true // an HTTP/1.0 player; every browser sends one
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(allow, host)
}
