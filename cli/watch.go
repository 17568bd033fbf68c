package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/store"
)

func watchCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "watch a channel, and pass it on",
		UsageText: "relay watch [LINK or NAME] [FLAGS]",
		Description: `Without an argument it watches the channel that is broadcast on this network, and
asks which one if there are several. NAME picks it by its title, or by the first
characters of that or of its ID; relay list shows them. LINK is what relay source
printed: relay://CHANNEL@HOST:PORT; it works from anywhere. Open the address that
relay watch prints in VLC, mpv or ffplay.`,
		Flags: append([]cli.Flag{
			flag.Text("player", "start `NAME` on the stream: vlc, mpv or ffplay"),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write FLV to `FILE`; - for standard output", EnvVars: flag.Env("output")},
			flag.Text("record", "record to `FILE`: .flv, .mp4 or .ts"),
			flag.Text("start", "where -o begins: `HOW` is squash (at once, near live), gop (at once, unchanged) or key (at the next keyframe) (default: squash to standard output, gop to a file)"),
			flag.Text("rtmp", "`ADDR` for players over RTMP, as in 127.0.0.1:1935 (default: none)"),
			flag.Toggle("no-relay", "do not pass the stream on to others"),
			flag.Text("timeout", "give up after `TIME` without a connection, as in 30s or 2m (default: keep trying)"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
		}, nodeFlags(playersHere)...),
		Action: func(c *cli.Context) error { return runWatch(c, t, stdio) },
	}
}

// watch is one run of the command.
type watch struct {
	reporter
	log     *zap.Logger
	station *station
	channel *relay.Channel
	invite  relay.Invite     // the link given, or what was found on this network
	found   []netip.AddrPort // likewise, what cannot be in a link
	lan     lan.Config
	outputs []output
	player  *player      // nil for none
	rtmp    net.Listener // likewise
	joining *words.Joining
}

func runWatch(c *cli.Context, t *term.Terminal, stdio Stdio) (err error) {
	if c.NArg() > 1 {
		return fault.Usage("relay help watch", "relay watch takes one link, %d arguments were given", c.NArg())
	}
	arg := c.Args().First()
	var u relay.Invite
	if isLink(arg) {
		var err error
		if u, err = relay.ParseInvite(arg); err != nil {
			return fault.Usage("copy the whole link that relay source printed", "%w", err)
		}
	} else if c.Bool("no-discovery") {
		return fault.Usage("relay source prints one; it looks like relay://CHANNEL@HOST:PORT", "relay watch --no-discovery needs a link")
	}
	cfg, err := stationFlags(c)
	if err != nil {
		return err
	}
	cfg.alone = c.Bool("no-relay")
	patience, err := flag.Timeout(c)
	if err != nil {
		return err
	}
	if c.Bool("json") && c.String("output") == "-" {
		return fault.Usage("record to a file, or leave --json out", "--json and -o - would both write to standard output")
	}
	w := &watch{reporter: reporter{t, jsonEvents(c, stdio)}, log: words.NewLog(t, c.Bool("verbose")), lan: cfg.discovery}
	defer func() { w.events.End(c.Context, err) }()
	if name := c.String("player"); name != "" {
		p, err := findPlayer(name)
		if err != nil {
			return err
		}
		w.player = &p
	}
	if w.outputs, err = outputsOf(c, stdio); err != nil {
		return err
	}
	if w.rtmp, err = rtmpFlag(c, t); err != nil {
		return err
	}
	if w.rtmp != nil {
		defer w.rtmp.Close()
	}
	if !isLink(arg) {
		s, err := lan.Pick(c.Context, t, w.log, stdio.In, cfg.discovery, arg)
		if s == nil {
			return err // nil if Ctrl-C ended it
		}
		t.Say("Found   %s on this network", s.Name())
		u.Channel = s.ID
		u.Hosts, w.found = lan.Seeds(s.Addrs)
	}
	w.joining = words.NewJoining(time.Now())
	folder, folderErr := store.Open(c.String("config"))
	if folderErr != nil {
		w.warn(words.Warning{Code: words.WarnThrowaway, Text: fmt.Sprintf("nothing can be kept (%v), so this node is a new one with every start", folderErr), Hint: "watching works all the same; --config DIR keeps its key in another folder"})
	}
	cfg.store, w.invite = folder, u
	key, release, err := nodeKey(folder, folderErr, w.log)
	if err != nil {
		return err
	}
	defer release()
	if w.station, err = newStation(t, w.log, cfg, key); err != nil {
		return err
	}
	if w.channel, err = w.station.node.Watch(u, w.notice, w.found...); err != nil {
		return err
	}
	w.station.rtmp = w.rtmp
	w.station.joinedBy(u)
	w.station.show(w.channel, nil)
	return w.run(c.Context, u, cfg.allowHosts, patience)
}

func (w *watch) run(ctx context.Context, u relay.Invite, allowHosts []string, patience time.Duration) error {
	g := newGroup(ctx)
	defer g.stop()
	w.station.run(g.ctx, g.Group, allowHosts)
	g.Go(func() error {
		if err := w.channel.Run(g.ctx); err != nil {
			return &fault.Error{Err: err, Hint: "check the host name in the link, and this machine's network", Code: fault.ExitNobody}
		}
		return nil
	})
	w.t.Say("Joining channel %s", u.Channel.Short())
	start := api.Start{Command: "watch", Link: w.invite.String(), URL: w.station.url(w.channel)}
	start.Page, _ = w.station.page()
	w.t.Say("Page    %s", start.Page)
	w.t.Say("Watch   %s", start.URL)
	if w.rtmp != nil {
		w.runRTMP(g.ctx, g.Group)
	}
	if !w.pipes() && w.events == nil {
		w.t.Result(start.URL)
	}
	if w.rtmp != nil {
		start.RTMP = rtmpURL(w.rtmp, w.channel)
	}
	w.events.Start(w.channel.ID(), w.station.node.ID().String(), start, w.station.ops.events)
	g.Go(func() error { w.follow(g.ctx); return nil })
	if !w.lan.Off {
		g.Go(func() error { w.lookAround(g.ctx); return nil })
	}
	if patience > 0 {
		g.Go(func() error { return w.giveUp(g.ctx, patience) })
	}
	for _, o := range w.outputs {
		g.Go(func() error { return w.write(g, o) })
	}
	if w.player != nil {
		g.Go(func() error { return w.play(g.ctx) })
	}
	return g.Wait()
}

// play starts the player once there is something to see.
func (w *watch) play(ctx context.Context) error {
	if _, err := w.channel.Ring().Cursor().Next(ctx); err != nil {
		return nil // it is over
	}
	if err := w.player.run(ctx, w.playerURL()); err != nil {
		w.t.Say("relay: error: %s: %v", w.player.name, err)
	}
	if ctx.Err() == nil {
		w.t.Say("The player has ended; the stream is still passed on. Ctrl-C ends that too.")
	}
	return nil
}

// share is the link for others: this node, and behind it those it came by, as far as
// they mean something on another machine.
func (w *watch) share() string {
	hosts := slices.DeleteFunc(slices.Clone(w.invite.Hosts), func(h relay.HostPort) bool {
		ip, err := netip.ParseAddr(h.Host)
		return err == nil && ip.IsLoopback()
	})
	return w.station.link(w.channel, hosts...)
}

// playerURL is the address that the player is started on.
func (w *watch) playerURL() string {
	url := w.station.url(w.channel)
	if h := w.channel.Ring().Header(); h != nil {
		url = strings.TrimSuffix(url, ".flv") + w.player.suffix(flv.Describe(h.Payload()))
	}
	return url
}

// notice takes what the channel says of itself. It must not block.
func (w *watch) notice(n relay.Notice) {
	news := w.joining.Note(n, time.Now())
	switch n := n.(type) {
	case relay.Attached:
		if news != words.NoParentNews {
			w.t.Say("Connected to %s, %s from the source", words.Place(n.Parent), term.Links(n.Depth))
		}
		if news == words.ParentFirst && !w.station.local() && len(w.station.addrs) > 0 {
			w.t.Say("Share   relay watch %s", w.share())
		}
		w.events.Tell(words.AttachedAlias(w.invite.Channel, n))
	case relay.Orphaned:
		w.events.Tell(words.OrphanedAlias(w.invite.Channel, n))
	}
}

// explain says why there is no parent, once for each cause.
func (w *watch) explain(now time.Time) {
	why, first := w.joining.Trouble(now)
	switch {
	case why == "":
	case first:
		w.t.Say("Not connected yet: %s", why)
		w.events.Tell(words.Warning{Code: words.WarnNotConnected, Text: why}.Event())
		w.t.Hint("is relay source running, and can this machine reach it? Still trying; Ctrl-C ends it")
	default:
		w.t.Say("Not connected: %s. Still trying.", why)
	}
}

// giveUp returns an error once there has been no parent for so long.
func (w *watch) giveUp(ctx context.Context, after time.Duration) error {
	wait := time.NewTimer(after)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		left, err := w.joining.Overdue(time.Now(), after)
		if err != nil {
			return err
		}
		wait.Reset(left)
	}
}
