package directory

import (
	"bytes"
	"cmp"
	_ "embed" // for the page
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// perPage is how many channels a page shows.
const perPage = 50

// pagePolicy (Content Security Policy Level 3) has the page load its own style sheet and nothing else: there are no
// scripts, and a stranger's title that became markup could neither run nor load anything.
const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed page.html
var pageSource string

//go:embed style.css
var styleSheet []byte

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// view is what the page shows. All in it but Link is escaped.
type view struct {
	t            tongue
	Lang, Asked  string
	Title, Query string
	Count, None  string
	Back, Next   string
	Channels     []shown
	Languages    []language
	Mirrors      []string
}

// Say returns a sentence of the page's language.
func (v view) Say(key string) string { return v.t.say(key) }

// shown is one channel on the page.
type shown struct {
	Title, Genre, Description, URL, Open string
	Facts                                []string
	// Link is made of an ID and addresses, and of nothing that a stranger has written; html/template knows no relay://.
	Link template.URL
}

// language is one that the page can be had in.
type language struct {
	Tag, Name, Href string
	Here            bool
}

// page answers people.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if !s.mayRead(w, r) {
		return
	}
	q := r.URL.Query()
	query := q.Get("q")
	query = query[:min(len(query), maxQuery)]
	asked := q.Get("lang")
	t := tongueOf(asked, r.Header.Get("Accept-Language"))
	if asked != t.tag {
		asked = ""
	}
	found := s.book.shelf(time.Now()).search(query)
	v := view{t: t, Lang: t.tag, Asked: asked, Title: cmp.Or(s.cfg.Title, "relay"), Query: query, Count: t.count("channels", len(found)), None: t.say("none"), Mirrors: s.mirroredAt}
	if query != "" {
		v.Count, v.None = t.count("found", len(found)), t.say("noneFound")
	}
	at := func(page int, lang string) string {
		to := url.Values{}
		if query != "" {
			to.Set("q", query)
		}
		if page > 0 {
			to.Set("page", strconv.Itoa(page))
		}
		if lang != "" {
			to.Set("lang", lang)
		}
		return "./?" + to.Encode()
	}
	page := pageOf(q.Get("page"))
	from := page * perPage
	if from < len(found) {
		for _, e := range found[from:min(len(found), from+perPage)] {
			v.Channels = append(v.Channels, show(t, e))
		}
	}
	if page > 0 {
		v.Back = at(page-1, asked)
	}
	if from+perPage < len(found) {
		v.Next = at(page+1, asked)
	}
	for _, tag := range tongues {
		v.Languages = append(v.Languages, language{tag, spoken[tag].say("name"), at(page, tag), tag == t.tag})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		s.cfg.Log.Sugar().Errorf("the page: %v", err)
		text(w, http.StatusInternalServerError, "The page cannot be shown.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Content-Language", t.tag)
	h.Add("Vary", "Accept-Language")
	_, _ = w.Write(b.Bytes()) // whoever asks has gone
}

func show(t tongue, e *Entry) shown {
	c := shown{Title: e.Title, Genre: e.Genre, Description: e.Description, URL: e.URL, Link: template.URL(e.link())}
	if c.Title == "" {
		c.Title = t.say("untitled", "name", e.ID.Short())
	}
	c.Open = t.say("openThis", "title", c.Title)
	state := "off"
	if e.Live {
		state = "live"
	}
	c.Facts = append(c.Facts, t.say(state))
	if e.Listeners >= 0 {
		c.Facts = append(c.Facts, t.count("listeners", e.Listeners))
	}
	if e.BitRate > 0 {
		c.Facts = append(c.Facts, t.say("rate", "n", t.tenths(float64(e.BitRate)/1e6)))
	}
	if e.Codecs != "" {
		c.Facts = append(c.Facts, e.Codecs)
	}
	return c
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(styleSheet) // whoever asks has gone
}
