package playback

import (
	"net/http"
	"net/netip"
	"strings"

	"rsc.io/qr"

	"relay/playback/api"
)

// share tells the page what a person who looks at it may pass on. What names the machine's other
// addresses is for this machine; others are told that by which they came. Nobody is told a secret.
func (s *routes) share(w http.ResponseWriter, r *http.Request) {
	channels := s.config.Channels()
	c, err := find(channels, r.URL.Query().Get("channel"))
	if err != nil && len(channels) == 1 && r.URL.Query().Get("channel") == "" {
		c, err = channels[0], nil
	}
	if err != nil {
		notFound(w, err)
		return
	}
	who := callerOf(r)
	of := api.Share{Link: s.config.Link(c.id, who.host), Page: who.base + "/"}
	if who.here {
		of = s.config.Share(c.id)
	}
	if c.private {
		of.Link = "" // it would open nothing
	}
	in := api.Invitation{Share: of, Private: c.private, QR: []string{}, Embed: append([]string{}, s.config.Embed...)}
	if in.Page != "" && len(channels) > 1 {
		in.Page += "#" + c.id.Short()
	}
	if in.Near = reachable(in.Page); in.Near {
		in.QR = matrix(in.Page)
	}
	writeJSON(w, in)
}

// reachable reports whether a page's address means the same on other machines.
func reachable(page string) bool {
	_, rest, _ := strings.Cut(page, "://")
	host, _, _ := strings.Cut(rest, "/")
	name := strings.Trim(hostOf(host), "[]")
	ip, err := netip.ParseAddr(name)
	return name != "" && name != "localhost" && !strings.HasSuffix(name, ".localhost") && (err != nil || !ip.Unmap().IsLoopback())
}

// matrix returns a QR code of the text, a string for each row in which 1 is a dark module, without the
// empty frame; none if the text is too long for one.
func matrix(text string) []string {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return []string{}
	}
	rows := make([]string, code.Size)
	for y := range rows {
		row := make([]byte, code.Size)
		for x := range row {
			row[x] = '0'
			if code.Black(x, y) {
				row[x] = '1'
			}
		}
		rows[y] = string(row)
	}
	return rows
}
