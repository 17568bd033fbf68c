package directory

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"relay/relay/hostnet"
)

const (
	// mostMirrors is how many mirrors of a directory a source remembers.
	mostMirrors = 3
	// goneAfter is how many announcements in a row have to fail before its mirrors are asked to stand in: what was announced
	// before counts still.
	goneAfter = 2
	// agreeAgain is how long after a mirror did not say that it is one it is asked again.
	agreeAgain = time.Hour
	// maxStatus bounds what a mirror says of itself, in bytes.
	maxStatus = 256 << 10
)

// errBack ends what stands in for a directory that is there again.
var errBack = errors.New("the directory is back")

// standIns keep a channel on the lists of a directory's mirrors while that directory is gone. A mirror holds what it has
// read there for [TTL] at most.
//
// A directory may name anybody. So one is asked first whether it mirrors that directory, once an hour at most, and is sent
// nothing more if it does not say so; and nobody is asked who could not be asked from afar ([mayStandIn]).
type standIns struct {
	a    *Announcer
	at   []*url.URL              // as the directory has named them
	back context.CancelCauseFunc // nil while none is at work
	work sync.WaitGroup
}

// named notes the mirrors that a directory has named in its answer.
func (s *standIns) named(all []string) {
	s.at = nil
	for _, one := range all {
		u, err := url.Parse(one)
		if err == nil && len(s.at) < mostMirrors && mayStandIn(s.a.URL, u) {
			s.at = append(s.at, u)
		}
	}
}

// begin has the mirrors stand in until end, or until ctx ends: then they take the channel off their lists.
func (s *standIns) begin(ctx context.Context) {
	if s.back != nil {
		return
	}
	ctx, s.back = context.WithCancelCause(ctx)
	for _, u := range s.at {
		s.work.Go(func() { s.keep(ctx, u) })
	}
}

// end says that the directory is back, which the mirrors follow from now on.
func (s *standIns) end() {
	if s.back == nil {
		return
	}
	s.back(errBack)
	s.work.Wait()
	s.back = nil
}

// keep announces the channel at a mirror, once that has said that it is one.
func (s *standIns) keep(ctx context.Context, u *url.URL) {
	h := s.a.Client.http()
	defer h.CloseIdleConnections()
	for !s.a.Client.mirrors(ctx, h, u, s.a.URL) {
		again := time.NewTimer(agreeAgain)
		defer again.Stop()
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
	one := Announcer{URL: u, Key: s.a.Key, What: s.a.What, Client: s.a.Client, Told: func(err error) {
		if err == nil {
			s.a.Instead(u)
		}
	}}
	one.Run(ctx)
}

// mirrors asks a directory whether it mirrors another one.
func (c *Client) mirrors(ctx context.Context, h *http.Client, at, other *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var st Status
	err := c.get(ctx, h, at, statusPath, nil, func(r io.Reader) error {
		return json.NewDecoder(io.LimitReader(r, maxStatus)).Decode(&st)
	})
	if err != nil {
		return false
	}
	for _, m := range st.Mirrors {
		if u, err := url.Parse(m.URL); err == nil && sameDirectory(u, other) {
			return true
		}
	}
	return false
}

// sameDirectory reports whether two addresses are of one directory.
func sameDirectory(a, b *url.URL) bool {
	path := func(u *url.URL) string { return strings.TrimRight(u.Path, "/") }
	return strings.EqualFold(a.Host, b.Host) && path(a) == path(b)
}

// mayStandIn reports whether a source may ask an address which a directory has named. Over https the name has to prove who
// it is, which no router or printer on the source's network can. Without it, only numbers will do, and a number in a private network, or
// of this machine, only for a directory there.
func mayStandIn(directory, u *url.URL) bool {
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || sameDirectory(directory, u) {
		return false
	}
	there, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return u.Scheme == "https"
	}
	if u.Scheme != "https" && u.Scheme != "http" || hostnet.Nowhere(there) {
		return false
	}
	block, inside := hostnet.Inside(there)
	if !inside && !there.IsLoopback() {
		return true
	}
	from, err := netip.ParseAddr(directory.Hostname())
	if err != nil || from.IsLoopback() != there.IsLoopback() {
		return false
	}
	same, _ := hostnet.Inside(from)
	return there.IsLoopback() || block == same
}
