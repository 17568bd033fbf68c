package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/naming"
	"relay/relay/oneline"
	"relay/relay/seal"
	"relay/relay/stream"
)

const (
	// pagePatience bounds the wait for all that a page is asked, and pageMost its answer, in bytes:
	// it is a stranger's, and tells of some seventy channels at most.
	pagePatience = 5 * time.Second
	pageMost     = 64 << 10
	// pageRedirects is how often a page may send on to another address on the same host.
	pageRedirects = 2
	// titleMost bounds what is shown of a channel's title, in bytes.
	titleMost = 200
	askPage   = "is that the page's address, and can this machine reach it? The link that relay source prints works from anywhere"
)

// errElsewhere says that a page sends on to another host.
var errElsewhere = errors.New("it leads to another host")

// InviteFrom returns the invite that was pasted. If it was the address of a page, the node there
// is asked which channel it has and where it takes links.
func (p Pasted) InviteFrom(ctx context.Context) (relay.Invite, error) {
	if p.Page == nil {
		return p.Invite, nil
	}
	a := p.stranger()
	defer a.Close()
	return p.inviteAsked(ctx, a)
}

// inviteAsked asks at all doors, for pagePatience at most.
func (p Pasted) inviteAsked(ctx context.Context, a *Relay) (relay.Invite, error) {
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	doors := p.doors()
	var inv relay.Invite
	var err error
	for elsewhere := true; elsewhere && len(doors) > 0; doors = doors[1:] {
		inv, elsewhere, err = p.inviteBehind(ctx, a, doors[0])
	}
	return inv, err
}

// stranger returns a Relay for the page, which is believed to be one and need not be.
func (p Pasted) stranger() *Relay {
	a := New(p.Page.Host, nil)
	a.scheme, a.most = p.Page.Scheme, pageMost
	a.client.Transport = &http.Transport{MaxResponseHeaderBytes: pageMost}
	a.client.CheckRedirect = func(to *http.Request, before []*http.Request) error {
		if was := before[0].URL; to.URL.Hostname() != was.Hostname() || was.Scheme == "https" && to.URL.Scheme != was.Scheme || len(before) > pageRedirects {
			return errElsewhere
		}
		return nil
	}
	return a
}

// door is where under an address a node may answer, and which of its channels is meant then.
type door struct{ base, channel string }

// doors returns where to ask, in order: the last part of a path may be a channel or, behind a proxy,
// the folder of a page.
func (p Pasted) doors() (all []door) {
	base, named := folder(p.Page.Path)
	if path := strings.TrimSuffix(p.Page.Path, "/"); path != base && !strings.Contains(path[len(base):], ".") {
		d := door{base: path, channel: p.Channel}
		if strings.EqualFold(named, p.Channel) {
			d.channel = ""
		}
		all = append(all, d)
	}
	all = append(all, door{base, p.Channel})
	if base != "" {
		all = append(all, door{"", p.Channel})
	}
	return all
}

// inviteBehind asks at one door. elsewhere says that no relay's page is there: it may be at the next.
func (p Pasted) inviteBehind(ctx context.Context, a *Relay, d door) (inv relay.Invite, elsewhere bool, err error) {
	var open api.Channels
	query := url.Values{}
	if d.channel != "" {
		query.Set("channel", d.channel) // for the answer to be short
	}
	if err := a.get(ctx, d.base+"/api/v1/channels", query, &open); err != nil {
		elsewhere, err = notPage(a.Addr, err)
		return inv, elsewhere, err
	}
	is, err := p.chosen(a, d, open.Channels)
	if err != nil {
		return inv, false, err
	}
	inv, err = inviteAt(p, open.Channels[is])
	return inv, false, err
}

// notPage says what is wrong with an answer, or that there is none.
func notPage(addr string, err error) (elsewhere bool, _ error) {
	nobody := func(hint, format string, args ...any) error {
		return &fault.Error{Err: fmt.Errorf(format, args...), Hint: hint, Code: fault.ExitNobody}
	}
	var no *notOK
	var f *fault.Error
	var lost *url.Error
	switch {
	case errors.As(err, &no) && no.code == http.StatusForbidden:
		return false, nobody(wholeLink, "the page at %s is not for this machine (%d %s)", addr, no.code, http.StatusText(no.code))
	case errors.As(err, &no):
		return true, nobody(wholeLink, "what answers at %s is no relay's page (%d %s)", addr, no.code, http.StatusText(no.code))
	case errors.Is(err, errElsewhere):
		return false, nobody(wholeLink, "what answers at %s is no relay's page: %w", addr, errElsewhere)
	case errors.Is(err, context.DeadlineExceeded):
		return false, nobody(askPage, "no relay answers at %s within %v", addr, pagePatience)
	case errors.As(err, &lost) && errors.Is(lost, io.EOF): // as the port for links ends it with whoever speaks HTTP
		return false, nobody("if a link leads there, give the whole link; the page has a port of its own, 7145 as a rule", "what answers at %s is no relay's page: it ends the connection", addr)
	case errors.As(err, &f) && f.Code == fault.ExitNobody:
		return false, nobody(askPage, "%w", f.Err)
	case errors.As(err, &f):
		return true, &fault.Error{Err: f.Err, Hint: wholeLink, Code: f.Code}
	}
	return false, err
}

// chosen returns the index of the channel that is meant among those at a page.
func (p Pasted) chosen(a *Relay, d door, open []api.PublicChannel) (int, error) {
	all := make([]naming.Channel, len(open))
	for i, c := range open {
		id, err := stream.ParseChannelID(c.ID)
		if err != nil {
			return 0, fault.Fail(wholeLink, "what answers at %s makes no sense: %w", a.Addr, err)
		}
		all[i] = a.called(id.String(), oneline.Clean(c.Title, titleMost))
	}
	switch {
	case len(all) == 0:
		return 0, &fault.Error{Err: fmt.Errorf("no channel is open at %s", a.Addr), Hint: wholeLink, Code: fault.ExitNobody}
	case d.channel != "":
		i, err := naming.One(d.channel, all)
		if none, ok := errors.AsType[*naming.NoneError](err); ok {
			return 0, &fault.Error{Err: noSuchChannel(a.Addr, none), Hint: "there is " + naming.List(all), Code: fault.ExitNobody}
		}
		return i, Ambiguous(err)
	case len(all) > 1:
		return 0, fault.Usage("name one behind the page's address: "+p.Page.Scheme+"://"+a.Addr+d.base+"/#ID", "there are %d channels at %s: %s", len(all), a.Addr, naming.List(all))
	}
	return 0, nil
}

// inviteAt makes the invite of what a node tells of one of its channels. Nodes of older
// versions do not tell where they take links: at the usual port, most likely.
func inviteAt(p Pasted, c api.PublicChannel) (relay.Invite, error) {
	id, err := stream.ParseChannelID(c.ID)
	if err != nil {
		return relay.Invite{}, fault.Fail(wholeLink, "what answers at %s makes no sense: %w", p.Page.Host, err)
	}
	if inv, err := relay.ParseInvite(c.URLs.Link); err == nil && inv.Channel == id {
		inv.Access = seal.Access{} // no node tells one, and nobody is asked for a passphrase on a stranger's word
		return inv, nil
	}
	return relay.ParseInvite(relay.Invite{Channel: id, Hosts: []relay.HostPort{{Host: p.Page.Hostname(), Port: relay.DefaultPort}}}.String())
}

// ByName returns the invite to the channel that a name means which is no link: that of a domain. It reports false
// if it means none.
type ByName func(ctx context.Context, name string) (relay.Invite, bool, error)

// Invite reads a link, or asks the page at the address that a person has pasted for its link. A name goes to
// byName first, which may be nil.
func Invite(ctx context.Context, text string, byName ByName) (relay.Invite, error) {
	p, err := Paste(text)
	host := bare(mended(text))
	if err == nil && p.Name != "" && byName != nil {
		if inv, found, err := byName(ctx, host); found || err != nil {
			return inv, err
		}
	}
	if err == nil && p.Name != "" && MachineName(host) && strings.Contains(host, ".") { // for names of channels there is no use here
		p, err = PageOf(host)
	}
	switch {
	case err != nil:
		return relay.Invite{}, err
	case p.Page != nil:
		return p.InviteFrom(ctx)
	case p.ByID():
		return relay.Invite{}, NoAddress()
	case !p.Link():
		return relay.Invite{}, fault.Usage(wholeLink+", or the page's address, as in http://192.168.1.5:7145/", "%q is no link, which begins with %s", term.Clean(Shown(text)), relay.Scheme)
	}
	return p.Invite, nil
}

// PageOf is the page of the node on a machine, as if its address had been pasted.
func PageOf(host string) (Pasted, error) {
	p, _, err := pastedPage("http://" + net.JoinHostPort(host, strconv.Itoa(playback.DefaultPort)))
	return p, err
}

// Bare is a name that was pasted, without what stands around it in a message.
func (p Pasted) Bare() string { return bare(mended(p.Name)) }
