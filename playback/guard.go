package playback

import (
	"context"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"relay/relay/refusal"
)

// gate says who may ask, and counts who may not. Its zero value lets in every client that
// asks under localhost or an IP address.
type gate struct {
	hosts []string              // further host names, in lower case
	near  func(netip.Addr) bool // whether an address is let in; nil for all
	by    Proxies               // that are believed
	sites Origins               // that may show the picture
	count *refusal.Counts       // nil for none
}

// guard lets through only clients that are let in, only GET and HEAD, and only host names
// by which a browser can mean this machine. A page of another site whose
// name was made to resolve to this machine (DNS rebinding) carries its own name and
// is refused. So is one that has a browser ask under this machine's name: it may link here, and
// nothing else, but for what the sites of g may.
func guard(next http.Handler, g gate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		c := g.by.caller(r)
		switch {
		case g.near != nil && !c.addr.IsValid() && forwarded(r):
			g.count.Add(RefusedNetwork)
			http.Error(w, "This node answers only the networks that it is in itself, and does not know for whom this proxy asks. Who runs it can name the proxy with --trusted-proxy, or let everyone in with --http.", http.StatusForbidden)
		case g.near != nil && !g.near(c.addr):
			g.count.Add(RefusedNetwork)
			http.Error(w, "This node answers only the networks that it is in itself, and you ask from elsewhere. To watch: relay watch LINK. Who runs it can let everyone in with --http.", http.StatusForbidden)
		case preflights(r) && hostAllowed(c.host, g.hosts) && g.sites.reads(r):
			g.sites.preflight(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			g.count.Add(RefusedMethod)
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		case !hostAllowed(c.host, g.hosts):
			g.count.Add(RefusedHost)
			http.Error(w, "This node does not answer under that host name. Use its IP address or localhost, or allow the name (--allow-host NAME).", http.StatusForbidden)
		case otherSite(r, c.host) && !followed(r) && !g.sites.lets(r):
			g.count.Add(RefusedSite)
			http.Error(w, "A page of another site asks for this, and only this node's own page gets it. A proxy that changes the host name can be named with --trusted-proxy, and a site that may show the picture with --embed.", http.StatusForbidden)
		default:
			g.sites.open(w, r)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
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
	host = hostOf(host)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(allow, host)
}
