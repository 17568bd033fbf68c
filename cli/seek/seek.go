// Package seek finds the channel that a person means by what they gave: a link, a page, a name of those that are
// followed, a domain, or a title on this network.
package seek

import (
	"context"
	"errors"
	"io"
	"net/netip"

	"go.uber.org/zap"

	"relay/cli/ask"
	"relay/cli/domain"
	"relay/cli/fault"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/store"
	"relay/relay/stream"
)

// Config says where to look.
type Config struct {
	Folder  string // with what is remembered, as [store.Open] has it
	Network lan.Config
	Domains *domain.Resolver
	// NewID takes the channel that a domain names now in the place of the one that it named before.
	NewID bool
	// ByID says that a channel of which only the ID is known can be looked up by that.
	ByID bool
}

// Found is the channel that is meant.
type Found struct {
	Invite relay.Invite
	Zoned  []netip.AddrPort // of nodes with the channel, what cannot be in an invite
	named  store.Named      // by a domain; zero if it was not
	folder string
}

// Remember keeps which channel a domain has named, so that a change is noticed. It is for the moment when a node
// of the channel has answered: what was never there is not worth remembering.
func (f Found) Remember() (words.Warning, bool) {
	if f.named.As == "" {
		return words.Warning{}, false
	}
	if err := store.RememberNamed(f.folder, f.named); err != nil {
		return words.DomainForgotten(f.named.As, err), true
	}
	return words.Warning{}, false
}

// errNoName says that a name is wanted where the network is not looked at.
func errNoName() error {
	return fault.Usage("relay source prints one; it looks like relay://CHANNEL@HOST:PORT", "relay watch --no-discovery needs a link")
}

// Find finds the channel that is meant, or any on this network if nothing was given. If there are several, it asks
// which one, provided that somebody can be asked. It reports false if Ctrl-C has ended it.
func (c Config) Find(ctx context.Context, t *term.Terminal, log *zap.Logger, in io.Reader, p ask.Pasted) (Found, bool, error) {
	s := seeker{c, t, log, in}
	var f Found
	var err error
	if f.Invite, err = p.InviteFrom(ctx); err != nil || p.Link() || len(f.Invite.Hosts) > 0 {
		return f, err == nil, err
	}
	if p.Name == "" {
		return s.onNetwork(ctx, "")
	}
	if f, found, err := s.byFollowed(ctx, p.Bare()); found || err != nil || ctx.Err() != nil {
		return f, found, err
	}
	n, which, ok := Domain(p.Bare())
	if !ok {
		return s.onNetwork(ctx, p.Name)
	}
	f, found, none := s.byDomain(ctx, n, which)
	if found || ctx.Err() != nil || none == nil {
		return f, found, nil
	}
	e, ok := errors.AsType[*domain.Error](none)
	if !ok || final(none) {
		return f, false, none
	}
	if !c.Network.Off {
		f, found, err = s.onNetwork(ctx, p.Name)
		if found || ctx.Err() != nil || !isNobody(err) {
			return f, found, err
		}
	}
	if e.Kind == domain.NoRecord && which == "" {
		if page, err := ask.PageOf(string(n)); err == nil {
			f.Invite, err = page.InviteFrom(ctx)
			if err == nil || ctx.Err() != nil || !isNobody(err) {
				return f, err == nil, err
			}
		}
	}
	return f, false, words.DomainNone(e, !c.Network.Off)
}

// final reports whether an error is for the person as it is.
func final(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}

// isNobody reports whether an error says that what was looked for is not there.
func isNobody(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == fault.ExitNobody
}

// seeker is one search.
type seeker struct {
	Config
	t   *term.Terminal
	log *zap.Logger
	in  io.Reader
}

// onNetwork looks for the channel on this network.
func (s seeker) onNetwork(ctx context.Context, name string) (Found, bool, error) {
	if id, err := stream.ParseChannelID(name); err == nil && s.ByID && s.Network.Off {
		return Found{Invite: relay.Invite{Channel: id}}, true, nil
	}
	if s.Network.Off {
		return Found{}, false, errNoName()
	}
	found, err := lan.Pick(ctx, s.t, s.log, s.in, s.Network, name)
	if id, bad := stream.ParseChannelID(name); bad == nil && s.ByID && isNobody(err) {
		return Found{Invite: relay.Invite{Channel: id}}, true, nil
	}
	if found == nil {
		return Found{}, false, err
	}
	return s.neighbour(found), true, nil
}

// neighbour is a channel of this network.
func (s seeker) neighbour(c *lan.Channel) (f Found) {
	s.t.Say("Found   %s on this network", c.Name())
	f.Invite.Channel = c.ID
	f.Invite.Hosts, f.Zoned = lan.Seeds(c.Addrs)
	return f
}
