package cli

import (
	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/carry"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/seek"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
)

func serveCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "pass channels on, as a service",
		UsageText: "relay serve [LINK...] [--list FILE|URL] [FLAGS]",
		Description: `Carries channels without anybody watching here, all through one port. LINK is what
relay source printed, or a domain that names one. --list names a file or an http(s) address with a link on each
line, before or behind it a name if you like, and # before remarks; it is read again
every minute and on SIGHUP. A channel that fails does not end the others.

--max-children counts for each channel, --upload for all together. With --helper and
--token no LINK is needed: whoever knows the token brings channels.`,
		Flags: append([]cli.Flag{
			flag.Text("list", "`FILE` or http(s) URL with the channels to carry"),
			flag.NewID(),
			flag.Toggle("check", "read the flags, the links and the list, say what is wrong with them, and end"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
		}, append(flag.Helping(), nodeFlags(playersHere)...)...),
		Action: func(c *cli.Context) error { return runServe(c, t, stdio) },
	}
}

func runServe(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	cfg, err := stationFlags(c)
	if err != nil {
		return err
	}
	if cfg.Helper, cfg.Brought, cfg.MaxRate, err = flag.ReadHelping(c); err != nil {
		return err
	}
	given, err := givenTo(c, t, cfg)
	if err != nil {
		return err
	}
	channels := carry.New(t, given, c.String("list"))
	cfg.Brought.Open = channels.Open
	if err := channels.Read(c.Context); err != nil {
		return err
	}
	if c.Bool("check") {
		return nil
	}
	log := words.NewLog(t, c.Bool("verbose"))
	defer log.Sync() // it keeps lines for a second
	for _, name := range cfg.Shown {
		reporter{t: t}.warn(words.Shown(name))
	}
	release, err := cfg.Identify(c.String("config"), "channels are carried", reporter{t: t}.warn, log)
	if err != nil {
		return err
	}
	defer release()
	st, err := station.Open(t, log, cfg)
	if err != nil {
		return err
	}
	defer st.Close()

	g := newGroup(c.Context)
	defer g.stop()
	players := "http://" + station.LocalAddr(st.HTTP) + "/"
	if c.Bool("json") {
		defer st.WriteLines(stdio.Out)() // after g has ended: that is told too
	}
	st.Run(g.ctx, g.Group)
	t.Say("Players %s", players)
	if cfg.Helper {
		for _, h := range st.Helpers() {
			t.Say("Helper  relay source %s", h)
		}
	}
	if !c.Bool("json") {
		t.Result(players)
	}
	g.Go(func() error { channels.Run(g.ctx, st); return nil })
	return g.Wait()
}

// givenTo reads the links on the command line. There need be none where sources bring channels.
func givenTo(c *cli.Context, t *term.Terminal, cfg station.Config) ([]relay.Invite, error) {
	var given []relay.Invite
	named := seek.Config{Folder: c.String("config"), Domains: cfg.Domains, NewID: c.Bool("new-id")}
	links, err := ask.Invites(c.Context, c.Args().Slice(), named.ByDomain(t))
	if err != nil {
		return nil, err
	}
	for _, u := range links {
		if u, err = carry.Unread(u); err != nil {
			return nil, fault.Usage("ask whoever broadcasts for the link that relay link --join-only prints", "%w", err)
		}
		given = append(given, u)
	}
	if len(given) == 0 && c.String("list") == "" && cfg.Brought.Token.IsZero() {
		return nil, fault.Usage("relay serve LINK, or relay serve --list FILE; as a service: relay service install LINK", "relay serve needs a channel to carry")
	}
	if len(given) > carry.MaxServed {
		return nil, fault.Usage("run a second relay serve", "relay serve carries %d channels at most, %d were given", carry.MaxServed, len(given))
	}
	return given, nil
}
