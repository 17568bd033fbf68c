package seek

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/follow"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/naming"
	"relay/relay/store"
)

const (
	// besideFor is how long this network is looked at for a followed channel whose addresses are known, and for
	// others of that name.
	besideFor = 300 * time.Millisecond
	// aloneFor is how long it is if none is known.
	aloneFor = 3 * time.Second
)

// byFollowed returns the channel that the user follows by that name. Where others on this network have it for a
// title, it asks.
func (s seeker) byFollowed(ctx context.Context, name string) (Found, bool, error) {
	list, err := follow.Read(s.Folder)
	if err != nil {
		s.t.Say("%s", words.FollowUnread(err))
	}
	c := list.Find(name)
	if c == nil {
		return Found{}, false, nil
	}
	var cat lan.Catalog
	if !s.Network.Off {
		patience := besideFor
		if len(c.Hosts) == 0 {
			patience = aloneFor
		}
		s.t.Show(s.t.Lang.In("looking for channels on this network"))
		found, _, err := s.Network.Look(ctx, s.log, patience, func(cat *lan.Catalog) bool {
			return slices.ContainsFunc(cat.Channels, func(o *lan.Channel) bool { return o.ID == c.ID && o.State != discovery.Lost })
		})
		s.t.Show("")
		if ctx.Err() != nil {
			return Found{}, false, nil
		}
		if err == nil {
			cat = *found
		}
	}
	here, others := besides(&cat, *c)
	if len(others) > 0 {
		o, err := s.whichOf(ctx, *c, others)
		if err != nil || o == nil {
			return Found{}, false, err
		}
		if o.ID != c.ID {
			return s.neighbour(o), true, nil
		}
	}
	f, err := s.known(*c, here)
	if err != nil {
		return Found{}, false, err
	}
	s.t.Say(words.FollowWhere, naming.Channel{ID: c.ID.String(), Names: []string{c.Name}})
	return f, true, nil
}

// besides returns a followed channel as it is on this network, nil if it is not, and the others there that have its
// name for a title.
func besides(cat *lan.Catalog, c follow.Channel) (here *lan.Channel, others []*lan.Channel) {
	for _, o := range cat.Sorted() {
		switch {
		case o.ID == c.ID:
			here = o
		case strings.EqualFold(strings.TrimSpace(o.Title), c.Name):
			others = append(others, o)
		}
	}
	return here, others
}

// whichOf asks whether the followed channel is meant, or one of the others. It returns nil if Ctrl-C ends it.
func (s seeker) whichOf(ctx context.Context, c follow.Channel, others []*lan.Channel) (*lan.Channel, error) {
	mine := &lan.Channel{Channel: discovery.Channel{ID: c.ID, Title: c.Name}}
	all := append([]*lan.Channel{mine}, others...)
	called := make([]naming.Channel, len(all))
	rows := make([]string, len(all))
	for i, o := range all {
		called[i] = naming.Channel{ID: o.ID.String(), Names: []string{o.Title}}
		rows[i] = called[i].String() + words.OnThisNetwork
	}
	rows[0] = called[0].String() + words.Followed
	if !term.IsKeyboard(s.in) || !s.t.ErrTTY {
		return nil, fault.Usage("an ID names one: there is "+strings.Join(rows, ", "), "%d channels are called %q", len(all), c.Name)
	}
	i, err := lan.Choose(ctx, s.t, s.in, fmt.Sprintf("%d channels are called %q:", len(all), c.Name), rows, func(line string) int {
		if is := naming.Meant(line, called); len(is) == 1 {
			return is[0]
		}
		return -1
	})
	switch {
	case err != nil:
		return nil, fault.Usage("an ID names one", "%w", err)
	case i < 0:
		return nil, nil
	}
	return all[i], nil
}

// known is a followed channel with what is known of where it may be.
func (s seeker) known(c follow.Channel, here *lan.Channel) (f Found, err error) {
	f.Invite = c.Invite()
	if f.Invite.Access, err = store.SecretOf(s.Folder, c.ID); err != nil {
		return f, fault.Fail("", "secret of channel %s: %w", c.ID.Short(), err)
	}
	if here != nil {
		var hosts []relay.HostPort
		hosts, f.Zoned = lan.Seeds(here.Addrs)
		f.Invite = f.Invite.With(hosts...)
	}
	if len(f.Invite.Hosts)+len(f.Zoned) > 0 {
		return f, nil
	}
	if st, err := store.Open(s.Folder); err == nil {
		last, _ := st.Remembered(c.ID, time.Now())
		for _, p := range last[:min(len(last), maxLast)] {
			f.Zoned = append(f.Zoned, p.Addrs...)
		}
	}
	if len(f.Zoned) == 0 && !s.ByID {
		return f, words.FollowLost(c.Name, c.ID)
	}
	return f, nil
}

// maxLast bounds the nodes of the last run at which a channel of no known address is looked for first.
const maxLast = 8
