package directory

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"relay/relay/hostnet"
	"relay/relay/oneline"
	"relay/relay/stream"
)

const (
	// mirrorEvery is how often another directory is asked for what is new, and mirrorAll how many of these questions
	// are for all.
	mirrorEvery = time.Minute
	mirrorAll   = 15
)

// cleanTitle makes a directory's title fit to show.
func cleanTitle(s string) string { return oneline.Clean(s, MaxTitle) }

// mirror lists here what another directory lists. It is believed no more than an announcer: each channel is
// verified. That its places were reached is its word.
type mirror struct {
	s   *Server
	url *url.URL
	ask Client

	// Owned by follow's goroutine.
	since   int64 // by the other directory's clock
	asked   int
	failing bool

	mu sync.Mutex
	st MirrorStatus
}

// MirrorStatus is how it goes with another directory.
type MirrorStatus struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
	// Taken counts channels that were newer there, and Refused those that could not be taken.
	Taken   int   `json:"taken"`
	Refused int   `json:"refused"`
	Read    int64 `json:"read"` // when it was last read to its end, Unix ms; 0 for never
}

func newMirror(s *Server, u *url.URL) *mirror {
	m := &mirror{s: s, url: u, ask: Client{Transport: s.cfg.Mirror}}
	m.st.URL = u.Redacted()
	return m
}

func (m *mirror) status() MirrorStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st
}

// follow asks each minute, until ctx ends.
func (m *mirror) follow(ctx context.Context) {
	h := m.ask.http()
	defer h.CloseIdleConnections()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		err := m.pull(ctx, h)
		if ctx.Err() != nil {
			return
		}
		if m.failing != (err != nil) {
			m.failing = err != nil
			m.s.cfg.Trouble(Trouble{Mirror: m.url.Redacted(), Err: err})
		}
		next.Reset(mirrorEvery)
	}
}

// pull asks for what is new since the last time, and now and then for all.
func (m *mirror) pull(ctx context.Context, h *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, mirrorEvery)
	defer cancel()
	if m.asked%mirrorAll == 0 {
		m.since = 0
	}
	m.asked++
	query := url.Values{}
	if m.since > 0 {
		query.Set("since", strconv.FormatInt(m.since, 10))
	}
	var first Page
	err := m.ask.eachPage(ctx, h, m.url, query, 0, func(p Page) {
		if first.Now == 0 {
			first = p
		}
		m.take(p.Channels)
	})
	if err != nil {
		m.asked = 0
		return err
	}
	m.since = first.Now
	m.mu.Lock()
	defer m.mu.Unlock()
	m.st.Title, m.st.Read = cleanTitle(first.Title), time.Now().UnixMilli()
	return nil
}

// take takes channels in that are newer than what is known here. What is known already is not verified again.
func (m *mirror) take(some []Listed) {
	now, taken, refused := time.Now(), 0, 0
	for _, one := range some {
		e, err := openListed(one)
		switch {
		case err != nil:
			m.s.refused.Add(RefusedGarbled)
			refused++
			continue
		case m.known(now, e.ID, e.Seq):
			continue
		case !m.s.cfg.Lists.Lists(e.ID):
			m.s.refused.Add(RefusedDenied)
			continue
		case !counts(e, now):
			m.s.refused.Add(RefusedClock)
			refused++
			continue
		case !e.Verify(e.ID):
			m.s.refused.Add(RefusedForged)
			refused++
			continue
		}
		e.Checked = slices.DeleteFunc(e.Checked, func(at netip.AddrPort) bool { return !m.means(now, at.Addr()) })
		switch why := m.s.book.put(now, e, Source{Mirror: m.url.String()}); why {
		case "":
			taken++
		case RefusedReplayed: // somebody was quicker
		default:
			m.s.refused.Add(why)
			refused++
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.st.Taken += taken
	m.st.Refused += refused
}

func (m *mirror) known(now time.Time, id stream.ChannelID, seq int64) bool {
	was := m.s.book.get(now, id)
	return was != nil && was.Seq >= seq
}

// means reports whether an address at which the other directory has reached a channel means something to those who ask
// here.
func (m *mirror) means(now time.Time, a netip.Addr) bool {
	_, inside := hostnet.Inside(a)
	switch {
	case hostnet.Nowhere(a):
		return false
	case a.IsLoopback():
		host, err := netip.ParseAddr(m.url.Hostname())
		return err == nil && host.IsLoopback()
	}
	return !inside || m.s.cfg.Near.Near(now, a)
}
