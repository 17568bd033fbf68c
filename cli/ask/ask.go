// Package ask asks a running relay over its HTTP API on behalf of a person who typed a command:
// which of its channels a name means, how they are doing, and which node passes them on to
// which.
package ask

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay/naming"
	"relay/relay/store"
	"relay/relay/stream"
)

const (
	// askPatience bounds the wait for one answer. It is longer than the relay takes to ask the
	// nodes above it in vain.
	askPatience = 15 * time.Second
	// askMost bounds that answer, in bytes: about thirty times the largest tree.
	askMost = 64 << 20
	// refusalMost bounds the part of a refusal that is shown, in bytes: a sentence or two.
	refusalMost = 1000
)

// Relay asks a running relay at its address for players.
type Relay struct {
	Addr   string // host:port
	scheme string // http, if not another is set
	most   int64  // bytes of an answer; askMost, if not another is set
	client http.Client
	own    []store.OwnChannel // this machine's channels, whose names people know
}

// New returns a Relay for the relay at addr (host:port). own are this machine's channels.
func New(addr string, own []store.OwnChannel) *Relay {
	// The relay is never behind a proxy.
	return &Relay{Addr: addr, own: own, client: http.Client{Transport: &http.Transport{}, Timeout: askPatience}}
}

// Close closes the connections that are kept for the next question.
func (a *Relay) Close() { a.client.CloseIdleConnections() }

// notOK is an answer other than 200.
type notOK struct {
	code int
	text string // the answer's text, a sentence
}

func (e *notOK) Error() string { return e.text }

// get asks for path and reads the JSON of the answer.
func (a *Relay) get(ctx context.Context, path string, query url.Values, into any) error {
	u := url.URL{Scheme: cmp.Or(a.scheme, "http"), Host: a.Addr, Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return &fault.Error{
			Err:  fmt.Errorf("no relay answers at %s: %w", a.Addr, err),
			Hint: "start relay source or relay watch first, or name its address for players: --http HOST:PORT", Code: fault.ExitNobody,
		}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, refusalMost))
		return &notOK{resp.StatusCode, strings.TrimSpace(string(text))}
	}
	body := &io.LimitedReader{R: resp.Body, N: cmp.Or(a.most, askMost)}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		if body.N == 0 {
			err = fmt.Errorf("it is longer than %d KiB", cmp.Or(a.most, askMost)>>10)
		}
		return fault.Fail("is it a relay of this version? --http HOST:PORT names another", "what answers at %s makes no sense: %w", a.Addr, err)
	}
	return nil
}

// TreesOf asks for the trees of all channels, or of the one that channel means. For that one it
// also returns the ID, so that the next request can use it.
func (a *Relay) TreesOf(ctx context.Context, channel string) (trees api.Trees, id string, err error) {
	if channel != "" {
		if channel, err = a.idOf(ctx, channel); err != nil {
			return api.Trees{}, "", err
		}
	}
	trees, err = a.Trees(ctx, channel)
	if channel != "" && err == nil && len(trees.Channels) == 1 {
		channel = trees.Channels[0].ID
	}
	return trees, channel, err
}

// idOf asks which of the relay's channels a name means. A whole ID means itself.
func (a *Relay) idOf(ctx context.Context, name string) (string, error) {
	if id, err := stream.ParseChannelID(name); err == nil {
		return id.String(), nil
	}
	var open api.Channels
	err := a.get(ctx, "/api/v1/channels", nil, &open)
	var no *notOK
	if errors.As(err, &no) {
		return "", fault.Fail("", "what answers at %s knows no channels (%d %s): is it a relay of this version?", a.Addr, no.code, http.StatusText(no.code))
	} else if err != nil {
		return "", err
	}
	all := make([]naming.Channel, len(open.Channels))
	for i, c := range open.Channels {
		all[i] = a.called(c.ID, c.Title)
	}
	i, err := a.meant(name, all)
	if err != nil {
		return "", err
	}
	return all[i].ID, nil
}

// called returns what people may call a channel of the relay: its title, and its name on this
// machine.
func (a *Relay) called(id, title string) naming.Channel {
	c := naming.Channel{ID: id, Names: []string{title}}
	for _, o := range a.own {
		if o.ID.String() == id {
			c.Names = append(c.Names, o.Name)
		}
	}
	return c
}

// meant returns the index of the channel that name means among the relay's channels.
func (a *Relay) meant(name string, all []naming.Channel) (int, error) {
	i, err := naming.One(name, all)
	if none, ok := errors.AsType[*naming.NoneError](err); ok {
		return 0, noSuchChannel(a.Addr, none)
	}
	return i, Ambiguous(err)
}

// Ambiguous adds a hint to an error that lists channels: how to name one of them.
func Ambiguous(err error) error {
	if many, ok := errors.AsType[*naming.AmbiguousError](err); ok {
		return fault.Usage("name one in full, or by its ID, the part in brackets", "%w", many)
	}
	return err
}

// DialBacks has other nodes dial the relay, and returns what they found.
func (a *Relay) DialBacks(ctx context.Context) (api.DialBacks, error) {
	var d api.DialBacks
	err := a.get(ctx, "/api/v1/dialback", nil, &d)
	if no, ok := errors.AsType[*notOK](err); ok {
		return d, fault.Fail("", "the relay at %s cannot have itself dialled (%d): is it of this version?", a.Addr, no.code)
	}
	return d, err
}

// Trees asks for the trees of all channels, or of the one with that ID.
func (a *Relay) Trees(ctx context.Context, channel string) (api.Trees, error) {
	var trees api.Trees
	query := url.Values{}
	if channel != "" {
		query.Set("channel", channel)
	}
	err := a.get(ctx, "/api/v1/tree", query, &trees)
	var no *notOK
	switch {
	case errors.As(err, &no) && no.code == http.StatusNotFound && channel != "":
		return trees, noSuchChannel(a.Addr, &naming.NoneError{Name: channel})
	case errors.As(err, &no) && no.code == http.StatusServiceUnavailable:
		return trees, fault.Fail("", "%s", no.text)
	case errors.As(err, &no):
		return trees, fault.Fail("", "what answers at %s knows no trees (%d %s): is it a relay of this version?", a.Addr, no.code, http.StatusText(no.code))
	case err != nil:
		return trees, err
	}
	for i, t := range trees.Channels {
		for at, n := range t.Nodes {
			if n.Depth < 0 || n.Parent >= at || (n.Parent < 0) != (at == 0) {
				return trees, fault.Fail("", "what answers at %s is no tree", a.Addr)
			}
		}
		cleanTree(&trees.Channels[i])
	}
	return trees, nil
}

// cleanTree makes the texts of a tree fit for people and JSON, because anything may answer at
// an address, and a relay passes on what strangers said.
func cleanTree(t *api.ChannelTree) {
	for _, s := range []*string{&t.ID, &t.Name, &t.Title, &t.Self, &t.SeenBy, &t.Problem} {
		*s = term.Clean(*s)
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.ID, n.Version = term.Clean(n.ID), term.Clean(n.Version)
	}
}

// leastSecret is how many characters a secret behind a # has, and a number in a title has not.
const leastSecret = 26

// Shown is what a person has pasted, fit for a message, which may end in a log: without the secret behind a #.
func Shown(text string) string {
	if before, behind, ok := strings.Cut(text, "#"); ok && len(word(behind)) >= leastSecret {
		return before + "#…"
	}
	return text
}

func noSuchChannel(addr string, none *naming.NoneError) error {
	f := &fault.Error{Err: fmt.Errorf("the relay at %s has no channel %q", addr, Shown(none.Name)), Hint: "relay tree without a channel shows all that are open there", Code: fault.ExitNobody}
	if id, err := stream.ParseChannelID(none.Name); err == nil {
		f.Err = fmt.Errorf("the relay at %s has no channel %s", addr, id.Short())
	} else if none.Short {
		f.Err = none
	}
	return f
}

// Link asks for the channel that wanted means, or the only one if wanted is empty, and its invite. That
// of a private channel has no secret; see [WithSecret].
func (a *Relay) Link(ctx context.Context, wanted string) (api.ChannelStatus, error) {
	c, err := a.One(ctx, wanted, func(name string) string { return "name one of them: relay link " + name })
	if err == nil && c.Link == "" {
		return c, fault.Fail("share the link by which it was joined", "nobody can reach this node, so it has no link of its own")
	}
	return c, err
}

// One asks for the channel that wanted means, or the only one if wanted is empty. hint says how one of
// several is named.
func (a *Relay) One(ctx context.Context, wanted string, hint func(name string) string) (api.ChannelStatus, error) {
	st, err := a.Status(ctx)
	if err != nil {
		return api.ChannelStatus{}, err
	}
	all := make([]naming.Channel, len(st.Channels))
	for i, ch := range st.Channels {
		all[i] = a.called(ch.ID, ch.Title)
	}
	is := 0
	switch {
	case len(all) == 0:
		return api.ChannelStatus{}, &fault.Error{Err: fmt.Errorf("no channel is open at %s", a.Addr), Hint: "start relay source or relay watch first", Code: fault.ExitNobody}
	case wanted != "":
		if is, err = a.meant(wanted, all); err != nil {
			return api.ChannelStatus{}, err
		}
	case len(all) > 1:
		return api.ChannelStatus{}, fault.Usage(hint(term.Clean(st.Channels[0].Name)), "there are %d channels that may be meant: %s", len(all), naming.List(all))
	}
	return st.Channels[is], nil
}

// Status asks how the relay is doing. A relay answers this only on its own machine.
func (a *Relay) Status(ctx context.Context) (api.Status, error) {
	var st api.Status
	err := a.get(ctx, "/api/v1/status", nil, &st)
	var no *notOK
	switch {
	case errors.As(err, &no) && no.code == http.StatusNotFound:
		return st, fault.Fail("", "what answers at %s has no status (%d %s): is it a relay of this version?", a.Addr, no.code, http.StatusText(no.code))
	case errors.As(err, &no):
		return st, fault.Fail("", "the relay at %s does not tell how it is doing (%d %s)", a.Addr, no.code, http.StatusText(no.code))
	}
	return st, err
}

// Channel reads the arguments that name a channel. It returns the ID if they are an
// invite or the name of a channel of this machine. The user gave that name, so it goes before
// any stranger's title. Otherwise it returns what was given, to be matched with the relay's
// channels. A page that names no channel means all at it; at is where the relay of a page is, host:port, "" if no page was given.
func Channel(args []string, own []store.OwnChannel) (channel, at string, err error) {
	p, err := Given(args)
	switch {
	case err != nil:
		return "", "", err
	case p.Link():
		return p.Invite.Channel.String(), "", nil
	case p.Page != nil && p.Page.Scheme == "http" && p.Page.Port() != "":
		return p.Channel, p.Page.Host, nil
	case p.Page != nil: // behind a proxy, most likely
		return p.Channel, "", nil
	}
	for _, c := range own {
		if strings.EqualFold(c.Name, p.Name) {
			return c.ID.String(), "", nil
		}
	}
	return p.Name, "", nil
}
