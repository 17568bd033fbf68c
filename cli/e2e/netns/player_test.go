//go:build e2e && linux

package netns

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
)

// player plays a channel over HTTP on a node's own host, and notes every tag.
type player struct {
	name string
	quit func() // closes the connection and waits
	tape

	mu    sync.Mutex
	notes []note
	due   int   // how many of notes are ready for take
	err   error // why the connection ended
}

// note is a tag as it came.
type note struct {
	tag
	when   time.Time
	config bool // a decoder configuration or metadata
}

// play opens an address on a host until the test ends or quit is called.
func (h *host) play(t *testing.T, name, url string) *player {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"?start=gop", nil)
	must(t, err)
	tr := &http.Transport{DialContext: h.dial, DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		cancel()
		t.Fatalf("%s: %s answers %s", name, url, resp.Status)
	}
	p := &player{name: name, tape: tape{at: -1}}
	ended := make(chan struct{})
	p.quit = sync.OnceFunc(func() {
		cancel()
		resp.Body.Close()
		<-ended
	})
	t.Cleanup(p.quit)
	go func() { // ends with the connection
		defer close(ended)
		r := flv.NewReader(resp.Body)
		for {
			ft, err := r.Next()
			now := time.Now()
			p.mu.Lock()
			if err != nil {
				p.err = err
				p.mu.Unlock()
				return
			}
			p.notes = append(p.notes, note{tagOf(ft), now, flv.Classify(ft).Config})
			p.mu.Unlock()
		}
	}()
	return p
}

// take gives the tape what has come since.
func (p *player) take(l *ledger) {
	p.mu.Lock()
	notes := p.notes[:p.due]
	p.notes, p.due = p.notes[p.due:], 0
	p.mu.Unlock()
	for _, n := range notes {
		p.add(l, n)
	}
}

// playsAfter is how long after a moment the first tag came that came then. It reports false while
// there is none.
func (p *player) playsAfter(moment time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.notes {
		if n.when.After(moment) {
			return n.when.Sub(moment), true
		}
	}
	return 0, false
}

// broken is why the connection ended, nil while it has not.
func (p *player) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return fmt.Errorf("%s: the connection ended: %w", p.name, p.err)
	}
	return nil
}
