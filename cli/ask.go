package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/playback"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/naming"
	"relay/relay/store"
	"relay/relay/stream"
)

const (
	// askPatience bounds one answer of the relay that is asked: longer than it takes
	// to ask the nodes above it in vain.
	askPatience = 15 * time.Second
	// askMost bounds that answer, in bytes: some thirty times the largest tree.
	askMost = 64 << 20
	// refusalMost bounds what is shown of a refusal, in bytes: a sentence or two.
	refusalMost = 1000
)

// asker asks a relay that runs, at the address it has for players.
type asker struct {
	addr   string // host:port
	client http.Client
	own    []store.OwnChannel // of this machine, whose names people know
}

// askFlags are those of every command that asks a relay.
func askFlags() []cli.Flag {
	return []cli.Flag{
		flag.Text("http", fmt.Sprintf("`ADDR` of the relay to ask: the one it gives for players (default 127.0.0.1:%d)", playback.DefaultPort)),
		flag.Number("offset", "add `N` to the default port, as given to the relay to ask", "0"),
	}
}

// newAsker reads askFlags.
func newAsker(c *cli.Context) (asker, error) {
	// The relay to ask is never behind a proxy.
	a := asker{client: http.Client{Transport: &http.Transport{}, Timeout: askPatience}}
	off, err := flag.Offset(c)
	if err != nil {
		return a, err
	}
	a.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(playback.DefaultPort+off))
	if !c.IsSet("http") {
		return a, nil
	}
	a.addr, err = askable(c.String("http"))
	return a, err
}

func (a *asker) close() { a.client.CloseIdleConnections() }

// askable reads --http: an address as the relay was given it, or the URL it printed.
func askable(value string) (string, error) {
	s := value
	if u, err := url.Parse(value); err == nil && u.Scheme == "http" {
		s = u.Host
	}
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		s = ":" + s
	}
	host, num, err := net.SplitHostPort(s)
	n, numErr := strconv.ParseUint(num, 10, 16)
	if err != nil || numErr != nil || n == 0 {
		return "", fault.Usage("it is in the address that the relay printed for players, such as 127.0.0.1:"+strconv.Itoa(playback.DefaultPort),
			"--http %q is no address to ask", value)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, num), nil
}

// notOK is an answer other than 200.
type notOK struct {
	code int
	text string // what it says, a sentence
}

func (e *notOK) Error() string { return e.text }

// get asks for path, and reads the JSON that comes.
func (a *asker) get(ctx context.Context, path string, query url.Values, into any) error {
	u := url.URL{Scheme: "http", Host: a.addr, Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return &fault.Error{
			Err:  fmt.Errorf("no relay answers at %s: %w", a.addr, hostnet.Bare(err)),
			Hint: "start relay source or relay watch first, or name its address for players: --http HOST:PORT", Code: fault.ExitNobody,
		}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, refusalMost))
		return &notOK{resp.StatusCode, strings.TrimSpace(string(text))}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, askMost)).Decode(into); err != nil {
		return fault.Fail("is it a relay of this version? --http HOST:PORT names another", "what answers at %s makes no sense: %w", a.addr, err)
	}
	return nil
}

// treesOf asks for the trees of all channels, or of the one that channel means. It
// returns the ID of the only one, to ask for the next time.
func (a *asker) treesOf(ctx context.Context, channel string) (trees api.Trees, id string, err error) {
	if channel != "" {
		if channel, err = a.idOf(ctx, channel); err != nil {
			return api.Trees{}, "", err
		}
	}
	trees, err = a.trees(ctx, channel)
	if channel != "" && err == nil && len(trees.Channels) == 1 {
		channel = trees.Channels[0].ID
	}
	return trees, channel, err
}

// idOf asks which of the relay's channels a name means. A whole ID means itself.
func (a *asker) idOf(ctx context.Context, name string) (string, error) {
	if id, err := stream.ParseChannelID(name); err == nil {
		return id.String(), nil
	}
	var open api.Channels
	err := a.get(ctx, "/api/v1/channels", nil, &open)
	var no *notOK
	if errors.As(err, &no) {
		return "", fault.Fail("", "what answers at %s knows no channels (%d %s): is it a relay of this version?", a.addr, no.code, http.StatusText(no.code))
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

// called is what people may call a channel of the relay: by its title, or by the name
// that it has on this machine.
func (a *asker) called(id, title string) naming.Channel {
	c := naming.Channel{ID: id, Names: []string{title}}
	for _, o := range a.own {
		if o.ID.String() == id {
			c.Names = append(c.Names, o.Name)
		}
	}
	return c
}

// meant returns the index of the channel that name means, of those of the relay.
func (a *asker) meant(name string, all []naming.Channel) (int, error) {
	i, err := naming.One(name, all)
	if none, ok := errors.AsType[*naming.NoneError](err); ok {
		return 0, noSuchChannel(a.addr, none)
	}
	return i, ambiguous(err)
}

// ambiguous adds to an error that lists channels how to name one of them.
func ambiguous(err error) error {
	if many, ok := errors.AsType[*naming.AmbiguousError](err); ok {
		return fault.Usage("name one in full, or by its ID, the part in brackets", "%w", many)
	}
	return err
}

// trees asks for the trees of all channels, or of the one with that ID.
func (a *asker) trees(ctx context.Context, channel string) (api.Trees, error) {
	var trees api.Trees
	query := url.Values{}
	if channel != "" {
		query.Set("channel", channel)
	}
	err := a.get(ctx, "/api/v1/tree", query, &trees)
	var no *notOK
	switch {
	case errors.As(err, &no) && no.code == http.StatusNotFound && channel != "":
		return trees, noSuchChannel(a.addr, &naming.NoneError{Name: channel})
	case errors.As(err, &no) && no.code == http.StatusServiceUnavailable:
		return trees, fault.Fail("", "%s", no.text)
	case errors.As(err, &no):
		return trees, fault.Fail("", "what answers at %s knows no trees (%d %s): is it a relay of this version?", a.addr, no.code, http.StatusText(no.code))
	case err != nil:
		return trees, err
	}
	for i, t := range trees.Channels {
		for at, n := range t.Nodes {
			if n.Depth < 0 || n.Parent >= at || (n.Parent < 0) != (at == 0) {
				return trees, fault.Fail("", "what answers at %s is no tree", a.addr)
			}
		}
		cleanTree(&trees.Channels[i])
	}
	return trees, nil
}

// cleanTree makes the texts of a tree fit for people and JSON: anything may answer at an
// address, and a relay passes on what strangers said.
func cleanTree(t *api.ChannelTree) {
	for _, s := range []*string{&t.ID, &t.Name, &t.Title, &t.Self, &t.SeenBy, &t.Problem} {
		*s = term.Clean(*s)
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.ID, n.Version = term.Clean(n.ID), term.Clean(n.Version)
	}
}

func noSuchChannel(addr string, none *naming.NoneError) error {
	f := &fault.Error{Err: fmt.Errorf("the relay at %s has no channel %q", addr, none.Name), Hint: "relay tree without a channel shows all that are open there", Code: fault.ExitNobody}
	if id, err := stream.ParseChannelID(none.Name); err == nil {
		f.Err = fmt.Errorf("the relay at %s has no channel %s", addr, id.Short())
	} else if none.Short {
		f.Err = none
	}
	return f
}

// status asks how the relay is doing, which it tells on its own machine alone.
func (a *asker) status(ctx context.Context) (api.Status, error) {
	var st api.Status
	err := a.get(ctx, "/api/v1/status", nil, &st)
	var no *notOK
	switch {
	case errors.As(err, &no) && no.code == http.StatusNotFound:
		return st, fault.Fail("", "what answers at %s has no status (%d %s): is it a relay of this version?", a.addr, no.code, http.StatusText(no.code))
	case errors.As(err, &no):
		return st, fault.Fail("", "the relay at %s does not tell how it is doing (%d %s)", a.addr, no.code, http.StatusText(no.code))
	}
	return st, err
}

// channelOf reads an argument that names a channel. It returns the ID if that is a link
// or the name of a channel of this machine, which the user gave and no stranger's title
// takes over, and else the argument, which the relay's channels tell the meaning of.
func channelOf(arg string, own []store.OwnChannel) (string, error) {
	if strings.HasPrefix(strings.ToLower(arg), "relay:") {
		u, err := relay.ParseInvite(arg)
		if err != nil {
			return "", fault.Usage("copy the whole link that relay source printed", "%w", err)
		}
		return u.Channel.String(), nil
	}
	for _, c := range own {
		if strings.EqualFold(c.Name, arg) {
			return c.ID.String(), nil
		}
	}
	return arg, nil
}
