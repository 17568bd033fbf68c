package directory

import (
	"cmp"
	"net/http"
	"time"

	"relay/relay/pcp"
	"relay/relay/pcp/index"
)

// indexMost bounds the lines of index.txt.
const indexMost = 5000

// index answers with those channels that PeerCast programs can get, in the form in which they know lists. A gateway counts
// at an address at which the channel has answered, and at no other.
func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	if !s.mayRead(w, r) {
		return
	}
	now := time.Now()
	var b []byte
	lines := 0
	for _, e := range s.book.shelf(now).byCrowd {
		if !e.Live || !e.gatewayCounts() {
			continue
		}
		c := index.Channel{
			Name: e.Title, ID: index.ID(pcp.ChannelID(e.ID)), Tip: e.PeerCast.String(), Contact: e.URL, Genre: e.Genre, Description: e.Description,
			Listeners: e.Listeners, Relays: index.Hidden, Kbps: e.BitRate / 1000, Type: "FLV", Uptime: now.Sub(e.Began), Comment: cmp.Or(e.Comment, e.Codecs),
		}
		if c.Name == "" {
			c.Name = e.ID.Short()
		}
		b = append(append(b, c.Line()...), '\n')
		if lines++; lines == indexMost {
			break
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(b) // whoever asks has gone
}

func (e *Entry) gatewayCounts() bool {
	for _, at := range e.Checked {
		if e.PeerCast.IsValid() && at.Addr() == e.PeerCast.Addr() {
			return true
		}
	}
	return false
}
