package listing

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/cli/words/listed"
	"relay/playback/directory"
	"relay/relay/oneline"
)

// Command is relay directory.
func Command(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:      "directory",
		Usage:     "list channels that are announced, for everybody",
		UsageText: "relay directory [FLAGS]",
		Description: `Takes announcements of relay source --announce, dials each channel back, and lists
those that answer: as a page, as JSON (/api/v1/channels), as an Atom feed (/feed.atom) and, where
they are PeerCast channels too, as index.txt. What is listed is signed by the broadcasters'
keys. With --mirror it also lists what other directories list. Where these name it with
--mirrored-at, broadcasters announce here while they are gone: taking one down takes nothing away. --allow and --deny are files with a channel's ID or link on each line and # before
remarks, and are read again when they change.`,
		Flags: []cli.Flag{
			flag.Text("listen", fmt.Sprintf("`ADDR` to listen on (default :%d; a free port if that is taken)", directory.DefaultPort)),
			flag.Number("offset", "add `N` to the default port", "0"),
			flag.Text("title", fmt.Sprintf("`TEXT` that people see, up to %d characters", directory.MaxTitle)),
			flag.Text("allow", "list the channels in `FILE` alone"),
			flag.Text("deny", "do not list the channels in `FILE`"),
			flag.List("mirror", "`URL` of another directory, whose channels are listed as well"),
			flag.List("mirrored-at", "`URL` of another directory that mirrors this one: broadcasters announce there while this one is gone"),
			flag.List("trusted-proxy", "`ADDR` or ADDR/BITS of a reverse proxy that is believed when it says for whom it asks, by X-Forwarded-For, -Host, -Proto and -Prefix"),
			flag.Config(),
			flag.Toggle("verbose", "log what happens to stderr"),
		},
		Action: func(c *cli.Context) error { return runDirectory(c, t) },
	}
}

func runDirectory(c *cli.Context, t *term.Terminal) error {
	if c.NArg() > 0 {
		return fault.Usage("relay list --directory URL asks one", "relay directory takes no arguments")
	}
	addr, given, err := flag.Listen(c, "listen", "", directory.DefaultPort)
	if err != nil {
		return err
	}
	port := station.Port{What: "the directory", Flag: "listen", Addr: addr, Given: given}
	cfg := directory.Config{Title: oneline.Clean(c.String("title"), directory.MaxTitle), Log: words.NewLog(t, c.Bool("verbose"))}
	if cfg.Mirrors, err = flag.Mirrors(c); err != nil {
		return err
	}
	if cfg.MirroredAt, err = flag.MirroredAt(c); err != nil {
		return err
	}
	proxies, err := flag.Proxies(c)
	if err != nil {
		return err
	}
	cfg.Proxies = proxies
	cfg.Lists = &directory.Moderation{Allow: c.String("allow"), Deny: c.String("deny")}
	if _, err := cfg.Lists.Load(); err != nil {
		text, _ := listed.Trouble(directory.Trouble{Files: true, Err: err})
		return fault.Usage("it has a channel's ID or link at the beginning of each line, and # before remarks", "%s", text)
	}
	ln, err := port.Open(t)
	if err != nil {
		return err
	}
	base := "http://" + station.LocalAddr(ln)
	for _, l := range listed.Open(base) {
		t.Say("%s", l)
	}
	t.Result(base + "/")
	return Serve(c.Context, t, ln, cfg)
}
