package station

import (
	"sync/atomic"

	"relay/cli/term"
	"relay/cli/words"
)

// SharedLink is the link that people were told, to tell them again when the machine has other
// addresses.
type SharedLink struct {
	first atomic.Pointer[string] // nil until people were told one, or that there is none

	// Owned by whoever looks.
	told, newest string
}

// Tell says which link people were told first; "" for none.
func (s *SharedLink) Tell(link string) { s.first.CompareAndSwap(nil, &link) }

// look returns what to tell people now, "" for nothing: a link that is another than they were
// told, and that has been the same for two looks. While an address changes there is none at
// all for a moment. A link with the router's address, "" for none, is told at once if they have
// been told none with that.
func (s *SharedLink) look(link, router string) string {
	first := s.first.Load()
	if first == nil {
		return ""
	}
	if s.newest == "" {
		s.told, s.newest = *first, *first
	}
	was := s.newest
	s.newest = link
	if (link == was || words.Brings(s.told, link, router)) && link != s.told {
		s.told = link
		return link
	}
	return ""
}

// Again tells people the link that replaces the one they were told, if it is another.
func (s *SharedLink) Again(t *term.Terminal, st *Station, link func() string) {
	if !st.Reachable() {
		return
	}
	was := s.told
	if first := s.first.Load(); was == "" && first != nil {
		was = *first
	}
	m, _ := st.Mapped()
	router := ""
	if p, open := m.Open(); open {
		router = p.External.String()
	}
	if now := s.look(link(), router); now != "" {
		page, _ := st.Page()
		for _, l := range words.Moved(was, now, page, m) {
			t.Say("%s", l)
		}
	}
}
