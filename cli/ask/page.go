package ask

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/naming"
	"relay/relay/stream"
)

// InviteFrom returns the invite that was pasted. If it was the address of a page, the node there
// is asked which channel it has and where it takes links.
func (p Pasted) InviteFrom(ctx context.Context) (relay.Invite, error) {
	if p.Page == nil {
		return p.Invite, nil
	}
	a := New(p.Page.Host, nil)
	a.scheme = p.Page.Scheme
	defer a.Close()
	var open api.Channels
	err := a.get(ctx, "/api/v1/channels", nil, &open)
	var no *notOK
	var f *fault.Error
	switch {
	case errors.As(err, &no) && no.code == http.StatusForbidden:
		return relay.Invite{}, &fault.Error{Err: fmt.Errorf("the page at %s is not for this machine (%d %s)", a.Addr, no.code, http.StatusText(no.code)), Hint: wholeLink, Code: fault.ExitNobody}
	case errors.As(err, &no):
		return relay.Invite{}, &fault.Error{Err: fmt.Errorf("what answers at %s is no relay's page (%d %s)", a.Addr, no.code, http.StatusText(no.code)), Hint: wholeLink, Code: fault.ExitNobody}
	case errors.As(err, &f) && f.Code == fault.ExitNobody:
		return relay.Invite{}, &fault.Error{Err: f.Err, Hint: "is that the page's address, and can this machine reach it? The link that relay source prints works from anywhere", Code: f.Code}
	case err != nil:
		return relay.Invite{}, err
	}
	all := make([]naming.Channel, len(open.Channels))
	for i, c := range open.Channels {
		all[i] = a.called(c.ID, c.Title)
	}
	is := 0
	switch {
	case len(all) == 0:
		return relay.Invite{}, &fault.Error{Err: fmt.Errorf("no channel is open at %s", a.Addr), Hint: wholeLink, Code: fault.ExitNobody}
	case p.Channel != "":
		if is, err = a.meant(p.Channel, all); err != nil {
			return relay.Invite{}, err
		}
	case len(all) > 1:
		return relay.Invite{}, fault.Usage("name one behind the page's address: "+p.Page.String()+"/#ID", "there are %d channels at %s: %s", len(all), a.Addr, naming.List(all))
	}
	return inviteAt(p, open.Channels[is])
}

// inviteAt makes the invite of what a node tells of one of its channels. Nodes of older
// versions do not tell where they take links: at the usual port, most likely.
func inviteAt(p Pasted, c api.PublicChannel) (relay.Invite, error) {
	id, err := stream.ParseChannelID(c.ID)
	if err != nil {
		return relay.Invite{}, fault.Fail("is it a relay of this version?", "what answers at %s makes no sense: %w", p.Page.Host, err)
	}
	if inv, err := relay.ParseInvite(c.URLs.Link); err == nil && inv.Channel == id {
		return inv, nil
	}
	return relay.ParseInvite(relay.Invite{Channel: id, Hosts: []relay.HostPort{{Host: p.Page.Hostname(), Port: relay.DefaultPort}}}.String())
}

// Invite reads a link, or asks the page at the address that a person has pasted for its link.
func Invite(ctx context.Context, text string) (relay.Invite, error) {
	p, err := Paste(text)
	switch {
	case err != nil:
		return relay.Invite{}, err
	case p.Page != nil:
		return p.InviteFrom(ctx)
	case len(p.Invite.Hosts) == 0:
		return relay.Invite{}, fault.Usage("copy the whole link that relay source printed", "%q is no link, which begins with %s", term.Clean(shown(text)), relay.Scheme)
	}
	return p.Invite, nil
}
