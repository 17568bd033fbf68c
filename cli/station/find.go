package station

import (
	"context"
	"crypto/ed25519"
	"time"

	"relay/cli/finding"
	"relay/cli/words"
	"relay/cli/words/byid"
	"relay/relay"
	"relay/relay/dht"
	"relay/tree"
)

// FindByID looks the channel of a link up by its ID while it has no parent, until ctx ends. say tells people
// what came of that, if it is news.
func (s *Station) FindByID(ctx context.Context, c *relay.Channel, inv relay.Invite, say func(string)) {
	told := ""
	s.Finder.Watch(ctx, c, inv, func(l finding.Lookup) {
		if text := byid.LookedUp(l, len(inv.Hosts) == 0, time.Now()); l.Err == nil || text != told {
			say(text)
			told = text
		}
	})
}

// OnAir is what the input of a source is doing, and the title of what it sends; "" if it has none.
type OnAir func() (live bool, title string)

// BeFoundByID has a source's channel found by its ID, until ctx ends. via is the helper that takes it, nil for
// none. warn tells what goes wrong, once.
func (s *Station) BeFoundByID(ctx context.Context, c *relay.Channel, key ed25519.PrivateKey, via *relay.Helper, on OnAir, warn func(words.Warning)) {
	var first []tree.Place
	if via != nil {
		first = append(first, via.Place(ctx))
	}
	item := func() (dht.Item, bool) {
		live, title := on()
		if title == "" {
			title = s.cfg.Title
		}
		return s.Finder.Item(s.Node, c, first, live, title)
	}
	told, last := false, ""
	s.Finder.Publish(ctx, key, s.Invite(c), item, func(p finding.Published) {
		says, w := byid.Published(p)
		if told && w.Text == last {
			return
		}
		if told, last = true, w.Text; last != "" {
			warn(w)
			return
		}
		s.t.Say("%s", says)
	})
}
