package listing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/words/listed"
	"relay/playback/api"
	"relay/playback/directory"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/naming"
)

const (
	// shown is how many channels of each list people are shown, and told how many programs are told.
	shown = 100
	told  = 1000
	// meant is how many channels with a name's words are looked at for the one that is meant.
	meant = 200
)

// Lists are the directories that are asked. Its zero value is none.
type Lists struct {
	At      []*url.URL
	Version string // the program's
}

// Ask reads the directories that a command line names, beside what the command does meanwhile.
func Ask(c *cli.Context, t *term.Terminal, version string) (<-chan *directory.List, error) {
	at, err := flag.ReadDirectories(c)
	if err != nil {
		return nil, err
	}
	read := make(chan *directory.List, 1)
	go func() { // ends with the reading, which has a bound
		read <- Lists{At: at, Version: version}.Look(c.Context, t, c.String("search"), c.Bool("json"))
	}()
	return read, nil
}

// Print prints a table of what was found on this network, if that is something, and one of what is listed elsewhere.
func Print(t *term.Terminal, out io.Writer, near []string, l *directory.List) error {
	lines := near
	if !Empty(l) {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, Table(l, t.Lang.In)...)
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	if more := listed.More(len(l.Channels)+len(l.PeerCast), l.Total); more != "" {
		t.Say("%s", more)
	}
	return err
}

// Look reads the lists, as much as people or programs get, and says what could not be read.
func (d Lists) Look(ctx context.Context, t *term.Terminal, search string, forPrograms bool) *directory.List {
	w := directory.Wish{Words: search, Most: shown}
	if forPrograms {
		w.Most = told
	}
	return d.read(ctx, t, w)
}

func (d Lists) read(ctx context.Context, t *term.Terminal, w directory.Wish) *directory.List {
	if len(d.At) == 0 {
		return &directory.List{}
	}
	c := directory.Client{Version: d.Version}
	l, failed := c.Read(ctx, d.At, w)
	for _, f := range failed {
		t.Warn(listed.Failed(f))
	}
	if s := listed.Refused(l); s != "" {
		t.Say("%s", s)
	}
	return l
}

// Empty reports whether nothing was found.
func Empty(l *directory.List) bool { return len(l.Channels)+len(l.PeerCast) == 0 }

// Find looks for the channel that a name means, and returns the invite to it.
func (d Lists) Find(ctx context.Context, t *term.Terminal, name string) (relay.Invite, error) {
	l := d.read(ctx, t, directory.Wish{Words: name, Most: meant})
	var all []naming.Channel
	for _, f := range l.Channels {
		all = append(all, naming.Channel{ID: f.ID.String(), Names: []string{f.Title}})
	}
	i, err := naming.One(name, all)
	if _, none := errors.AsType[*naming.NoneError](err); none {
		for _, p := range l.PeerCast {
			if strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(name)) && p.Tip != "" {
				return relay.Invite{}, listed.OnlyPeerCast(p.Name, address(p))
			}
		}
		return relay.Invite{}, listed.None(name, d.At)
	}
	if err != nil {
		return relay.Invite{}, ask.Ambiguous(err)
	}
	f := l.Channels[i]
	link := f.Link(meansHere(&hostnet.Subnets{}))
	if link == "" {
		return relay.Invite{}, listed.Unreachable(all[i].String())
	}
	inv, err := relay.ParseInvite(link)
	if err == nil {
		t.Say("%s", listed.FoundIn(all[i].String(), host(f.In)))
	}
	return inv, err
}

func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

// meansHere reports of an address in a list, which a stranger has named, whether it means something on this machine: it is
// of the Internet, or of a network that this machine is in.
func meansHere(s *hostnet.Subnets) func(netip.AddrPort) bool {
	return func(at netip.AddrPort) bool {
		now, a := time.Now(), at.Addr()
		_, inside := hostnet.Inside(a)
		return !hostnet.Nowhere(a) && !s.ForAll(now, a) && (!inside || s.Near(now, a))
	}
}

// address is how relay source is told of a channel of PeerCast's.
func address(p directory.Pulled) string { return "pcp://" + p.Tip + "/" + p.ID.String() }

// columns are those of the table; heads and states are words of it, in which the person's language has as many.
var columns = []term.Column{{Least: 8}, {}, {Least: 7}, {Least: 9, Right: true}, {Least: 8, Right: true}, {}}

const (
	heads  = "CHANNEL|TITLE|STATE|BIT RATE|WATCHING|AT"
	states = "live|waiting"
)

// Table returns a table of what was read, its heads first, with strangers' text made safe. in puts words into the person's
// language.
func Table(l *directory.List, in func(string) string) []string {
	live, waiting, _ := strings.Cut(in(states), "|")
	rows := [][]string{strings.Split(in(heads), "|")}
	rate := func(bps int) string {
		if bps <= 0 {
			return ""
		}
		return term.RateText(bps)
	}
	keep := meansHere(&hostnet.Subnets{})
	for _, f := range l.Channels {
		state := waiting
		if f.Live {
			state = live
		}
		rows = append(rows, []string{f.ID.Short(), term.Clean(f.Title), state, rate(f.BitRate), count(f.Listeners), f.Link(keep)})
	}
	for _, p := range l.PeerCast {
		at := ""
		if p.Tip != "" {
			at = address(p)
		}
		rows = append(rows, []string{"PeerCast", term.Clean(p.Name), live, rate(p.Kbps * 1000), count(p.Listeners), at})
	}
	lines := term.Table(columns, rows)
	for i, l := range lines {
		lines[i] = term.Clean(l)
	}
	return lines
}

func stateOf(f *directory.Found) string {
	if f.Live {
		return "live"
	}
	return "waiting"
}

func count(n int) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// WriteJSON writes one JSON object a line.
func WriteJSON(w io.Writer, l *directory.List) error {
	enc := json.NewEncoder(w)
	keep := meansHere(&hostnet.Subnets{})
	for _, f := range l.Channels {
		one := api.Listed{
			ID: f.ID.String(), Name: f.ID.Short(), Title: f.Title, State: stateOf(f), BitRate: f.BitRate, BitRateBPS: f.BitRate, Source: true, Link: f.Link(keep),
			Directory: &api.InDirectory{At: f.In, Genre: f.Genre, Description: f.Description, Comment: f.Comment, URL: f.URL, Codecs: f.Codecs, Seq: f.Seq},
		}
		if f.Listeners >= 0 {
			one.Directory.Listeners = &f.Listeners
		}
		for _, a := range f.Places {
			one.Addrs = append(one.Addrs, a.String())
		}
		if err := enc.Encode(one); err != nil {
			return err
		}
	}
	for _, p := range l.PeerCast {
		one := api.Listed{
			ID: p.ID.String(), Name: p.ID.String()[:8], Title: p.Name, State: "live", BitRate: p.Kbps * 1000, BitRateBPS: p.Kbps * 1000,
			Directory: &api.InDirectory{
				At: p.In, Genre: p.Genre, Description: p.Description, URL: p.Contact,
				PeerCast: &api.InPeerCast{
					Tip: p.Tip, Relays: p.Relays, Type: p.Type, Artist: p.Artist, Album: p.Album, Track: p.Channel.Title, TrackURL: p.TrackURL,
					UptimeS: int64(p.Uptime.Seconds()), Comment: p.Comment, Direct: p.Direct,
				},
			},
		}
		if p.Listeners >= 0 {
			one.Directory.Listeners = &p.Listeners
		}
		if p.Tip != "" {
			one.Addrs = []string{p.Tip}
		}
		if err := enc.Encode(one); err != nil {
			return err
		}
	}
	return nil
}
