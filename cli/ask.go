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

	"relay/cli/hostnet"
	"relay/playback"
	"relay/relay"
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
}

// askFlags are those of every command that asks a relay.
func askFlags() []cli.Flag {
	return []cli.Flag{
		text("http", fmt.Sprintf("`ADDR` of the relay to ask: the one it gives for players (default 127.0.0.1:%d)", portHTTP)),
		number("offset", "add `N` to the default port, as given to the relay to ask", "0"),
	}
}

// newAsker reads askFlags.
func newAsker(c *cli.Context) (asker, error) {
	// The relay to ask is never behind a proxy.
	a := asker{client: http.Client{Transport: &http.Transport{}, Timeout: askPatience}}
	off := c.Int("offset")
	if off < 0 || off > maxOffset {
		return a, usage("", "--offset %d is not from 0 to %d", off, maxOffset)
	}
	a.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(portHTTP+off))
	if !c.IsSet("http") {
		return a, nil
	}
	var err error
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
		return "", usage("it is in the address that the relay printed for players, such as 127.0.0.1:"+strconv.Itoa(portHTTP),
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
		return &failure{
			fmt.Errorf("no relay answers at %s: %w", a.addr, bareURL(err)),
			"start relay source or relay watch first, or name its address for players: --http HOST:PORT", exitNobody,
		}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, refusalMost))
		return &notOK{resp.StatusCode, strings.TrimSpace(string(text))}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, askMost)).Decode(into); err != nil {
		return fail("is it a relay of this version? --http HOST:PORT names another", "what answers at %s makes no sense: %w", a.addr, err)
	}
	return nil
}

// treesOf asks for the trees of all channels, or of the one whose ID begins so or whose
// title is that. It returns the ID of the only one, to ask for the next time.
func (a *asker) treesOf(ctx context.Context, channel string) (trees playback.Trees, id string, err error) {
	trees, err = a.trees(ctx, channel)
	var f *failure
	if channel != "" && errors.As(err, &f) && f.code == exitNobody {
		if all, anyErr := a.trees(ctx, ""); anyErr == nil {
			if t, ok := titled(all.Channels, channel); ok {
				return playback.Trees{Channels: []playback.ChannelTree{t}}, t.ID, nil
			}
		}
	}
	if channel != "" && err == nil && len(trees.Channels) == 1 {
		channel = trees.Channels[0].ID
	}
	return trees, channel, err
}

// titled returns the channel with that title, or the only one whose title begins so.
// The name is in lower case; titles may be in any.
func titled(all []playback.ChannelTree, name string) (playback.ChannelTree, bool) {
	var begin []playback.ChannelTree
	for _, t := range all {
		title := strings.ToLower(t.Title)
		if title == name {
			return t, true
		}
		if strings.HasPrefix(title, name) {
			begin = append(begin, t)
		}
	}
	if len(begin) != 1 {
		return playback.ChannelTree{}, false
	}
	return begin[0], true
}

// trees asks for the trees of all channels, or of the one whose ID begins so.
func (a *asker) trees(ctx context.Context, channel string) (playback.Trees, error) {
	var trees playback.Trees
	query := url.Values{}
	if channel != "" {
		query.Set("channel", channel)
	}
	err := a.get(ctx, "/api/tree", query, &trees)
	var no *notOK
	switch {
	case errors.As(err, &no) && no.code == http.StatusNotFound && channel != "":
		return trees, noSuchChannel(a.addr, channel)
	case errors.As(err, &no) && no.code == http.StatusServiceUnavailable:
		return trees, fail("", "%s", no.text)
	case errors.As(err, &no):
		return trees, fail("", "what answers at %s knows no trees (%d %s): is it a relay of this version?", a.addr, no.code, http.StatusText(no.code))
	case err != nil:
		return trees, err
	}
	for _, t := range trees.Channels {
		for i, n := range t.Nodes {
			if n.Depth < 0 || n.Parent >= i || (n.Parent < 0) != (i == 0) {
				return trees, fail("", "what answers at %s is no tree", a.addr)
			}
		}
	}
	return trees, nil
}

func noSuchChannel(addr, channel string) error {
	what := fmt.Sprintf("%q, or more than one that begins like that", channel)
	if len(channel) == stream.ChannelIDLen {
		what = channel[:stream.ShortLen]
	}
	return &failure{
		fmt.Errorf("the relay at %s has no channel %s", addr, what),
		"relay tree without a channel shows all that are open there", exitNobody,
	}
}

// status asks how the relay is doing, which it tells on its own machine alone.
func (a *asker) status(ctx context.Context) (playback.Status, error) {
	var st playback.Status
	err := a.get(ctx, "/api/status", nil, &st)
	var no *notOK
	if errors.As(err, &no) {
		return st, fail("", "the relay at %s does not tell how it is doing (%d %s)", a.addr, no.code, http.StatusText(no.code))
	}
	return st, err
}

// channelOf reads an argument that names a channel: a link, the name of a channel of
// this machine, or (the start of) an ID or a title, which it returns in lower case.
func channelOf(arg string, own []relay.OwnChannel) (string, error) {
	if strings.HasPrefix(strings.ToLower(arg), "relay:") {
		u, err := relay.ParseURL(arg)
		if err != nil {
			return "", usage("copy the whole link that relay source printed", "%w", err)
		}
		return u.Channel.String(), nil
	}
	for _, c := range own {
		if c.Name == arg {
			return c.ID.String(), nil
		}
	}
	return strings.ToLower(arg), nil
}

// bareURL strips what net/http and net put around the system's own words.
func bareURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return hostnet.Bare(err)
}
