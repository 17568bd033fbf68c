package upkeep

import (
	"crypto/ed25519"
	"slices"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/finding"
	"relay/cli/flag"
	"relay/cli/follow"
	"relay/cli/lan"
	"relay/cli/listing"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/directory"
	"relay/relay"
	"relay/relay/store"
)

// List is the command that lists the channels on this network, and those that are followed.
func List(t *term.Terminal, version string) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list the channels on this network, and those that you follow",
		UsageText: "relay list [FLAGS]",
		Description: `Asks on every network interface for a second. A source that was started with
--private or --no-discovery does not answer. To watch one: relay watch, with its title or ID.
Of the channels that you follow (relay follow) it says which are live: asked at their
addresses, where their nodes were last, and where the BitTorrent DHT has them. "on" means that a node of it has a way to the source.
With --directory it also shows what is listed there: relay's directories, whose entries are
signed by the broadcasters, and index.txt of PeerCast's, of which nothing is.`,
		Flags: append([]cli.Flag{
			flag.Text("wait", "give those who are asked about followed channels `TIME`, as in 2s (default 5s)"),
			flag.Toggle("json", "write one JSON object a line"),
			flag.Toggle("verbose", "log what happens to stderr"),
			flag.Resolver(),
		}, slices.Concat(flag.Looking(), flag.Finding(), flag.Discovery())...),
		Action: func(c *cli.Context) error { return list(c, t, version) },
	}
}

func list(c *cli.Context, t *term.Terminal, version string) error {
	if c.NArg() > 0 {
		return fault.Usage("relay watch NAME watches one", "relay list takes no arguments")
	}
	d, err := flag.ReadDiscovery(c)
	if err != nil {
		return err
	}
	wait, err := flag.Wait(c)
	if err != nil {
		return err
	}
	followed, err := follow.Read(c.String("config"))
	if err != nil {
		t.Say("%s", words.FollowUnread(err))
	}
	node, kept, err := asker(c, len(followed.Channels) > 0)
	if err != nil {
		return err
	}
	byID, err := flag.ReadFinding(c)
	if err != nil {
		return err
	}
	log := words.NewLog(t, c.Bool("verbose"))
	finder := finding.Open(byID, kept, log)
	defer finder.Close()
	elsewhere, err := listing.Ask(c, t, version)
	if err != nil {
		return err
	}
	t.Show(t.Lang.In("looking for channels on this network"))
	l, err := follow.Survey(c.Context, d, log, node, followed.Channels, wait,
		follow.AtHosts(node, follow.SecretsIn(c.String("config"))), follow.ByID(finder, node, follow.SecretsIn(c.String("config"))))
	t.Show("")
	listed := <-elsewhere
	if err != nil || c.Context.Err() != nil {
		return err
	}
	if len(l.Network.Channels)+len(l.Followed) == 0 && listing.Empty(listed) {
		return lan.NoneFound(l.Asked)
	}
	if err := writeListing(c, t, l, listed); err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}

// asker is a node that carries nothing, and asks others. kept is the user's folder, if it is wanted and can be used.
func asker(c *cli.Context, remembers bool) (n *relay.Node, kept *store.Store, err error) {
	names, err := flag.ReadResolver(c)
	if err != nil {
		return nil, nil, err
	}
	nc := relay.Config{Slots: -1, AskDomain: names.Addrs}
	if _, nc.Key, err = ed25519.GenerateKey(nil); err != nil {
		return nil, nil, err
	}
	if remembers { // the folder is there, with the list in it
		kept, _ = store.Open(c.String("config")) // without it, they are asked at their addresses alone
		nc.Store = kept
	}
	n, err = relay.New(nc)
	return n, kept, err
}

func writeListing(c *cli.Context, t *term.Terminal, l follow.Listing, listed *directory.List) error {
	if c.Bool("json") {
		if err := lan.WriteJSON(t.Out, l.Network); err != nil {
			return err
		}
		if err := l.WriteJSON(t.Out); err != nil {
			return err
		}
		return listing.WriteJSON(t.Out, listed)
	}
	var lines []string
	if here := l.Network.Sorted(); len(here) > 0 {
		lines = append(lines, lan.Table(here, t.Lang.In)...)
	} else {
		t.Say("%s", words.ListNobodyHere)
	}
	if len(l.Followed) > 0 {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, follow.Table(l.Followed, t.Lang.In)...)
	}
	return listing.Print(t, t.Out, lines, listed)
}
