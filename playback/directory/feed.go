package directory

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// feedMost bounds the entries of the feed.
const feedMost = 50

// atomFeed is a feed as RFC 4287 has it.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Author  string      `xml:"author>name"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title     string     `xml:"title"`
	ID        string     `xml:"id"`
	Published string     `xml:"published"`
	Updated   string     `xml:"updated"`
	Links     []atomLink `xml:"link"`
	Category  *atomTerm  `xml:"category"`
	Summary   string     `xml:"summary,omitempty"`
}

type atomTerm struct {
	Term string `xml:"term,attr"`
}

// feed tells of the channels that went live last.
func (s *Server) feed(w http.ResponseWriter, r *http.Request) {
	if !s.mayRead(w, r) {
		return
	}
	base := s.asker(r).base
	sh := s.book.shelf(time.Now())
	var live []*Entry
	for _, e := range sh.byCrowd {
		if e.Live {
			live = append(live, e)
		}
	}
	slices.SortStableFunc(live, func(a, b *Entry) int { return b.Began.Compare(a.Began) })
	f := atomFeed{
		Title: cmp.Or(s.cfg.Title, "relay"), ID: base + "/", Author: cmp.Or(s.cfg.Title, "relay"), Updated: sh.at.UTC().Format(time.RFC3339),
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Href: base + "/feed.atom"}, {Rel: "alternate", Type: "text/html", Href: base + "/"}},
	}
	for _, e := range live[:min(len(live), feedMost)] {
		began := e.Began.UTC().Format(time.RFC3339)
		a := atomEntry{
			Title: cmp.Or(e.Title, e.ID.Short()), ID: "urn:relay:" + e.ID.String() + ":" + began, Published: began, Updated: began, Summary: e.Description,
			Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: base + "/?" + url.Values{"q": {e.ID.String()}}.Encode()}},
		}
		if e.Genre != "" {
			a.Category = &atomTerm{e.Genre}
		}
		if l := e.link(); l != "" {
			a.Links = append(a.Links, atomLink{Rel: "related", Href: l})
		}
		f.Entries = append(f.Entries, a)
	}
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	if _, err := w.Write([]byte(xml.Header)); err == nil {
		_ = xml.NewEncoder(w).Encode(f) // whoever asks has gone
	}
}

// link is the link to the channel at the places at which it was reached; "" if there are none.
func (e *Entry) link() string {
	if len(e.Checked) == 0 {
		return ""
	}
	return link(e.ID, e.Checked)
}
