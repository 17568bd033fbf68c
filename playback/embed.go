package playback

import (
	"net/http"
	"slices"
	"strings"

	"relay/playback/web"
)

// embedPath is the page that other sites may show in a frame, where [Config].Embed names some.
const embedPath = "/embed"

// Origins are the sites whose pages may show [embedPath] in a frame and read the media, as browsers
// write them in Origin headers. Without any, no other site may.
type Origins []string

// lets reports whether the page of another site gets what it has a browser ask for. A browser does
// not say which site frames a page: what it is told with the page, it obeys itself.
func (o Origins) lets(r *http.Request) bool {
	if len(o) == 0 {
		return false
	}
	return r.URL.Path == embedPath && framed(r) || o.reads(r)
}

// reads reports whether r is a script's of a page of one of the sites that wants media. Such a
// request names its origin; that of an element without crossorigin does not, and is refused.
func (o Origins) reads(r *http.Request) bool {
	return isMedia(r.URL.Path) && len(r.Header["Origin"]) == 1 && slices.Contains(o, r.Header.Get("Origin"))
}

// open tells a browser that the page which asks may read the answer, if it may.
func (o Origins) open(w http.ResponseWriter, r *http.Request) {
	if len(o) == 0 || !isMedia(r.URL.Path) {
		return
	}
	w.Header().Add("Vary", "Origin")
	if o.reads(r) {
		w.Header().Set(allowOrigin, r.Header.Get("Origin"))
	}
}

// preflights reports whether a browser asks if a script may ask for something.
func preflights(r *http.Request) bool {
	wants := r.Header.Get("Access-Control-Request-Method")
	return r.Method == http.MethodOptions && (wants == http.MethodGet || wants == http.MethodHead)
}

// preflight tells a browser that a script of such a site may ask for the media. One with https that asks for an
// address in a private network asks first, and so does an older one that wants a range.
func (o Origins) preflight(w http.ResponseWriter, r *http.Request) {
	o.open(w, r)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Range")
	h.Set("Access-Control-Allow-Private-Network", "true")
	w.WriteHeader(http.StatusNoContent)
}

const allowOrigin = "Access-Control-Allow-Origin"

// framed reports whether a page wants to show the answer in a frame, and cannot read it.
func framed(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && (dest == "iframe" || dest == "frame")
}

// isMedia reports whether path is that of a stream, or of a part of HLS.
func isMedia(path string) bool {
	name, f := formatOf(strings.TrimPrefix(path, "/"))
	return f != nil && !strings.Contains(name, "/") || strings.HasPrefix(path, hlsPrefix)
}

// embed answers for [embedPath].
func (s *routes) embed(w http.ResponseWriter, r *http.Request) {
	if len(s.config.Embed) == 0 {
		http.Error(w, "No other site may show the picture here. Who runs this node can name sites: --embed https://example.org.", http.StatusNotFound)
		return
	}
	web.ServeEmbed(w, r, s.config.Embed)
}
