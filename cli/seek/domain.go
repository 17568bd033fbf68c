package seek

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"relay/cli/ask"
	"relay/cli/domain"
	"relay/cli/fault"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/naming"
	"relay/relay/store"
	"relay/relay/stream"
)

// Domain reads a name as that of a domain, with which of its channels is meant. A file's name is none, but with a
// slash behind it.
func Domain(name string) (n domain.Name, which string, ok bool) {
	if n, which, ok = domain.Split(name); ok && ask.MediaFile(string(n)) && !strings.Contains(name, "/") {
		ok = false
	}
	return n, which, ok
}

// ByDomain returns what a name means that is that of a domain, where nobody can be asked which of several
// channels is meant, as [ask.ByName] has it.
func (c Config) ByDomain(t *term.Terminal) ask.ByName {
	return func(ctx context.Context, name string) (relay.Invite, bool, error) {
		n, which, ok := Domain(name)
		if !ok {
			return relay.Invite{}, false, nil
		}
		s := seeker{Config: c, t: t}
		f, found, err := s.byDomain(ctx, n, which)
		if found {
			if w, bad := f.Remember(); bad {
				t.Warn(w.Text, w.Hint)
			}
			return f.Invite, true, nil
		}
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || final(err) {
			return relay.Invite{}, false, err
		}
		if e.Kind == domain.NoRecord && which == "" {
			return relay.Invite{}, false, nil // it may be a machine with a page
		}
		return relay.Invite{}, false, words.DomainNone(e, false)
	}
}

// byDomain asks a domain. The error of one that names none is a [*domain.Error].
func (s seeker) byDomain(ctx context.Context, n domain.Name, which string) (f Found, found bool, err error) {
	known, err := s.remembered(n)
	if err != nil {
		return f, false, err
	}
	s.t.Show(words.DomainAsked(n))
	a, err := s.Domains.Look(ctx, n)
	s.t.Show("")
	if err != nil {
		return s.without(ctx, n, which, known, err)
	}
	for _, p := range a.Problems {
		s.t.Say("%s", words.DomainTrouble(n, p))
	}
	i, err := s.record(ctx, n, which, a.Records)
	if i < 0 {
		return f, false, err
	}
	r := a.Records[i]
	if f, err = s.found(n, asOf(n, a.Records, r), r.Channel); err != nil {
		return f, false, err
	}
	old, changed, more := compare(known, f.named, a.Records)
	switch {
	case changed && !s.NewID:
		return Found{}, false, words.DomainChanged(f.named.As, old.Channel, r.Channel, old.At)
	case more:
		s.t.Say("%s", words.DomainAlso(n))
	}
	s.t.Say("%s", words.DomainSays(n, calledOf(r).String()))
	return f, true, nil
}

// found is the channel as a domain names it. Its link has no address but the domain: that is asked for addresses
// whenever the node looks for a parent.
// A private channel's secret is one that was kept from a link.
func (s seeker) found(n domain.Name, as string, id stream.ChannelID) (Found, error) {
	secret, err := store.SecretOf(s.Folder, id)
	if err != nil {
		return Found{}, fault.Fail("", "secret of channel %s: %w", id.Short(), err)
	}
	return Found{
		Invite: relay.Invite{Channel: id, Hosts: []relay.HostPort{relay.AskedOf(string(n))}, Access: secret},
		named:  store.Named{As: as, Channel: id, At: time.Now()},
		folder: s.Folder,
	}, nil
}

// remembered is what the domain has named earlier, the latest first.
func (s seeker) remembered(n domain.Name) ([]store.Named, error) {
	all, err := store.NamedChannels(s.Folder)
	if err != nil {
		if s.NewID {
			return nil, nil
		}
		return nil, fault.Fail("move that file away; --new-id goes on without it", "it is not known which channels domains have named: %w", err)
	}
	return slices.DeleteFunc(all, func(o store.Named) bool {
		of, _, _ := strings.Cut(o.As, "/")
		return of != string(n)
	}), nil
}

// without goes on where a domain names no channel. One that has named some and is silent now has not changed its
// mind; one that names none any more may have been taken over, and a title on this network could be anybody's.
func (s seeker) without(ctx context.Context, n domain.Name, which string, known []store.Named, err error) (Found, bool, error) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || ctx.Err() != nil {
		return Found{}, false, nil
	}
	as := string(n)
	if which != "" {
		as += "/" + which
	}
	i := slices.IndexFunc(known, func(o store.Named) bool { return strings.EqualFold(o.As, as) })
	switch {
	case e.Kind == domain.Broken:
		return Found{}, false, words.DomainNone(e, false)
	case i < 0 || s.NewID:
		return Found{}, false, e
	case e.Kind == domain.Silent || e.Kind == domain.Blocked:
		s.t.Say("%s", words.DomainKept(e, known[i].Channel, known[i].At))
		f, err := s.found(n, known[i].As, known[i].Channel)
		f.named.At = known[i].At
		return f, err == nil, err
	}
	return Found{}, false, words.DomainGone(e, known[i].Channel, known[i].At)
}

// record returns which of a domain's channels is meant, -1 if Ctrl-C or an error has ended it.
func (s seeker) record(ctx context.Context, n domain.Name, which string, all []domain.Record) (int, error) {
	is := make([]int, len(all))
	called := make([]naming.Channel, len(all))
	for i, r := range all {
		is[i], called[i] = i, calledOf(r)
	}
	if which != "" {
		is = naming.Meant(which, called)
	}
	switch {
	case len(is) == 0:
		return -1, &fault.Error{Err: fmt.Errorf("%s names no channel whose title or ID begins with %q", n.Shown(), which), Hint: "there is " + naming.List(called), Code: fault.ExitNobody}
	case len(is) == 1:
		return is[0], nil
	case s.in == nil || !term.IsKeyboard(s.in) || !s.t.ErrTTY:
		return -1, fault.Usage("name one: relay watch "+string(n)+"/"+all[is[0]].Channel.Short()+". There is "+naming.List(called), "%s names %d channels", n.Shown(), len(is))
	}
	rows := make([]string, len(is))
	for i, at := range is {
		rows[i] = called[at].String()
	}
	i, err := lan.Choose(ctx, s.t, s.in, fmt.Sprintf("%s names %d channels:", n.Shown(), len(is)), rows, func(line string) int {
		if of := naming.Meant(line, called); len(of) == 1 {
			return slices.Index(is, of[0])
		}
		return -1
	})
	if err != nil {
		return -1, fault.Usage("name it: relay watch "+string(n)+"/"+all[is[0]].Channel.Short(), "%w", err)
	}
	if i < 0 {
		return -1, nil
	}
	return is[i], nil
}

func calledOf(r domain.Record) naming.Channel {
	return naming.Channel{ID: r.Channel.String(), Names: []string{r.Title}}
}

// asOf is by what name a domain's channel is remembered: the domain, or if that names several, with the title
// behind it.
func asOf(n domain.Name, all []domain.Record, r domain.Record) string {
	switch {
	case len(all) == 1:
		return string(n)
	case r.Title == "":
		return string(n) + "/" + r.Channel.Short()
	}
	return string(n) + "/" + r.Title
}

// compare tells whether a domain names another channel than before: by the same name, or if it names none of those
// of then any more. more says that it is another one beside them.
func compare(known []store.Named, now store.Named, all []domain.Record) (old store.Named, changed, more bool) {
	if len(known) == 0 {
		return old, false, false
	}
	if i := slices.IndexFunc(known, func(o store.Named) bool { return strings.EqualFold(o.As, now.As) }); i >= 0 {
		return known[i], known[i].Channel != now.Channel, false
	}
	for _, o := range known {
		if o.Channel == now.Channel {
			return o, false, false
		}
	}
	for _, o := range known {
		if slices.ContainsFunc(all, func(r domain.Record) bool { return r.Channel == o.Channel }) {
			return o, false, true
		}
	}
	return known[0], true, false
}
