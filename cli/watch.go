package cli

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/listing"
	"relay/cli/privacy"
	"relay/cli/seek"
	"relay/cli/sink"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/cli/words/byid"
	"relay/ingest/flv"
	"relay/ingest/rtmp"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/store"
	"relay/tree"
)

func watchCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "watch a channel, and pass it on",
		UsageText: "relay watch [LINK or NAME] [FLAGS]",
		Description: `Without an argument it watches the channel that is broadcast on this network, and
asks which one if there are several. NAME picks it by its title, or by the first
characters of that or of its ID; relay list shows them. It may also be the name of a channel
that you follow, or a domain that names a channel, as in relay watch example.org (or
example.org/finals, if it names several): which one that was is remembered, and another one
later is refused until --new-id. LINK is what relay source printed:
relay://CHANNEL@HOST:PORT; it works from anywhere. relay://CHANNEL alone does if the source is
--public. The address of its page works too, from where the page can be opened. Open the
address that relay watch prints in VLC, mpv or ffplay.`,
		Flags: append([]cli.Flag{
			flag.Text("player", "start `NAME` on the stream: vlc, mpv or ffplay"),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write FLV to `FILE`; - for standard output", EnvVars: flag.Env("output")},
			flag.Text("record", "record to `FILE`: .flv, .mp4 or .ts"),
			flag.Text("start", "where -o begins: `HOW` is squash (at once, near live), gop (at once, unchanged) or key (at the next keyframe) (default: squash to standard output, gop to a file)"),
			flag.Text("rtmp", "`ADDR` for players over RTMP, as in 127.0.0.1:1935 (default: none)"),
			flag.Directories(),
			flag.Toggle("no-relay", "do not pass the stream on to others"),
			flag.Text("timeout", "give up after `TIME` without a connection, as in 30s or 2m (default: keep trying)"),
			flag.NewID(),
			flag.Toggle("recording", "play what is older than a minute by this machine's clock, too"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
		}, append(flag.Joining(), nodeFlags(playersHere)...)...),
		Action: func(c *cli.Context) error { return runWatch(c, t, stdio) },
	}
}

// watchPlan is what the command line asks for.
type watchPlan struct {
	pasted  ask.Pasted // what was given; zero for whichever channel there is on this network
	seek    seek.Config
	station station.Config
	folder  string        // --config
	timeout time.Duration // without a connection; 0 for none
	player  *sink.Player  // nil for none
	sinks   []sink.Sink
	privacy privacy.Wish
	lists   listing.Lists // where NAME is looked up, if it is not on this network
}

// watch is one run of the command.
type watch struct {
	reporter
	plan     watchPlan
	recorded string       // the kind of recording that was warned of last
	invite   relay.Invite // that was given, or made of what was found on this network
	log      *zap.Logger
	found    seek.Found
	station  *station.Station
	channel  *relay.Channel
	joining  *words.Joining
	closed   bool // the warning that nobody gets through to this node
	shared   station.SharedLink
}

// runWatch goes from the command line to the end of the command: it decides, finds the
// channel, opens what it needs, and runs. What is opened is closed on the way out.
func runWatch(c *cli.Context, t *term.Terminal, stdio Stdio) (err error) {
	p, err := planWatch(c, stdio)
	if err != nil {
		return err
	}
	w := &watch{reporter: reporter{t, jsonEvents(c, stdio)}, plan: p, log: words.NewLog(t, c.Bool("verbose"))}
	defer w.log.Sync() // it keeps lines for a second
	defer func() { w.events.End(c.Context, err) }()
	if err := sink.Check(p.sinks, p.player); err != nil {
		return err
	}
	found := false
	if found, err = w.find(c.Context, stdio.In); !found {
		return err // nil if Ctrl-C ended it
	}
	w.invite = w.found.Invite
	if err := w.unlock(c.Context, stdio.In); err != nil {
		return err
	}
	w.joining = words.NewJoining(time.Now())
	release, err := w.plan.station.Identify(w.plan.folder, "watching works", w.warn, w.log)
	if err != nil {
		return err
	}
	defer release()
	if w.station, err = station.Open(t, w.log, w.plan.station); err != nil {
		return err
	}
	defer w.station.Close()
	if w.channel, err = w.station.Node.Watch(w.invite, w.notice, w.found.Zoned...); err != nil {
		return err
	}
	w.station.JoinedBy(w.invite)
	w.station.KeepSecret(w.invite)
	w.station.Show(w.channel, nil)
	return w.run(c.Context)
}

// planWatch reads the command line. It opens nothing.
func planWatch(c *cli.Context, stdio Stdio) (p watchPlan, err error) {
	p.folder = c.String("config")
	if p.pasted, err = ask.Given(c.Args().Slice()); err != nil {
		return p, err
	}
	p.lists.Version = Version
	if p.lists.At, err = flag.ReadDirectories(c); err != nil {
		return p, err
	}
	if p.pasted.ByID() && c.Bool("no-dht") {
		return p, ask.NoAddress()
	}
	if p.station, err = stationFlags(c); err != nil {
		return p, err
	}
	p.seek = seek.Config{Folder: p.folder, Network: p.station.Discovery, Domains: p.station.Domains, NewID: c.Bool("new-id"), ByID: !p.station.Finding.Off}
	p.station.Watches, p.station.Alone, p.station.Recordings = true, c.Bool("no-relay"), c.Bool("recording")
	if p.station.RTMP, err = wanted(c, "players over RTMP", "rtmp", rtmp.DefaultPort); err != nil {
		return p, err
	}
	if p.timeout, err = flag.Timeout(c); err != nil {
		return p, err
	}
	if c.Bool("json") && c.String("output") == "-" {
		return p, fault.Usage("record to a file, or leave --json out", "--json and -o - would both write to standard output")
	}
	if name := c.String("player"); name != "" {
		found, err := sink.Find(name)
		if err != nil {
			return p, err
		}
		p.player = &found
	}
	if p.privacy, err = flag.ReadPrivacy(c); err != nil {
		return p, err
	}
	p.sinks, err = sink.Of(c.String("output"), c.String("record"), c.String("start"), stdio.Out)
	return p, err
}

// unlock adds what it takes to join a private channel. A node that cannot read it plays nothing.
func (w *watch) unlock(ctx context.Context, in io.Reader) (err error) {
	if w.invite, err = w.plan.privacy.ForJoining(ctx, w.t, in, w.invite); err != nil {
		return err
	}
	if err := w.plan.station.PeerCast.NoPrivate(w.invite.Access.Private()); err != nil {
		return err
	}
	if w.invite.Access.Private() && !w.invite.Access.CanRead() && (w.plan.player != nil || len(w.plan.sinks) > 0) {
		return fault.Usage("leave them out, or watch with the whole link", "this node passes the channel on and cannot read it: there is nothing for --player, -o or --record")
	}
	return nil
}

// find finds the channel that is meant, in directories if nowhere else. It returns false if there is none, or if Ctrl-C
// has ended the search.
func (w *watch) find(ctx context.Context, in io.Reader) (found bool, err error) {
	w.found, found, err = w.plan.seek.Find(ctx, w.t, w.log, in, w.plan.pasted)
	name := w.plan.pasted.Name
	if found || ctx.Err() != nil || name == "" || len(w.plan.lists.At) == 0 || !fault.Nobody(err) && !w.plan.seek.Network.Off {
		return found, err
	}
	w.found.Invite, err = w.plan.lists.Find(ctx, w.t, name)
	return err == nil, err
}

func (w *watch) run(ctx context.Context) error {
	g := newGroup(ctx)
	defer g.stop()
	w.greet() // before there can be a parent to tell of
	w.station.Run(g.ctx, g.Group)
	g.Go(func() error { return fault.Tell(w.t, words.EndedWatching(w.channel.Run(g.ctx))) })
	g.Go(func() error { w.follow(g.ctx); return nil })
	g.Go(func() error {
		w.station.FindByID(g.ctx, w.channel, w.invite, func(text string) { w.t.Say("%s", text) })
		return nil
	})
	if !w.plan.station.Discovery.Off {
		g.Go(func() error { w.lookAround(g.ctx); return nil })
	}
	if w.plan.timeout > 0 {
		g.Go(func() error { return w.giveUp(g.ctx, w.plan.timeout) })
	}
	if w.station.RTMP != nil {
		g.Go(func() error { return w.station.PlayRTMP(g.ctx) })
	}
	for _, o := range w.plan.sinks {
		g.Go(func() error {
			err := o.Write(g.ctx, w.t, w.channel.Ring())
			if o.Pipes() {
				g.stop()
			}
			return err
		})
	}
	if w.plan.player != nil {
		g.Go(func() error { return w.play(g.ctx) })
	}
	return g.Wait()
}

// greet prints the addresses, and writes the first event.
func (w *watch) greet() {
	w.t.Say("Joining channel %s", w.invite.Channel.Short())
	if len(w.invite.Hosts) == 0 && len(w.found.Zoned) == 0 {
		w.t.Say(byid.Unnamed)
	}
	if own, _ := store.OwnChannels(w.plan.folder); slices.ContainsFunc(own, func(o store.OwnChannel) bool { return o.ID == w.invite.Channel }) {
		w.t.Say(words.OwnChannel)
	}
	start := api.Start{Command: "watch", Link: w.invite.Link(), URL: w.station.URL(w.channel), RTMP: w.station.RTMPURL(w.channel)}
	start.Page, _ = w.station.Page()
	w.t.Say("Page    %s", start.Page)
	if w.channel.CanRead() {
		w.t.Say("Watch   %s", start.URL)
	} else {
		w.t.Say("The channel is private, and this node passes it on without being able to read it.")
	}
	if start.RTMP != "" {
		w.t.Say("RTMP    %s", start.RTMP)
	}
	if !slices.ContainsFunc(w.plan.sinks, sink.Sink.Pipes) && w.events == nil && w.channel.CanRead() {
		w.t.Result(start.URL)
	}
	w.events.Start(w.channel.ID(), w.station.Node.ID().String(), start, w.station.Events())
}

// play starts the player once there is something to see.
func (w *watch) play(ctx context.Context) error {
	if _, err := w.channel.Ring().Cursor().Next(ctx); err != nil {
		return nil // it is over
	}
	if err := w.plan.player.Run(ctx, w.playerURL()); err != nil {
		w.t.Say("relay: error: %s", fault.Plain(err))
	}
	if ctx.Err() == nil {
		w.t.Say("The player has ended; the stream is still passed on. Ctrl-C ends that too.")
	}
	return nil
}

// share returns the link for others. It names this node first, then the hosts of the invite
// without loopback addresses, which mean nothing on another machine.
func (w *watch) share() string {
	hosts := slices.DeleteFunc(slices.Clone(w.invite.Hosts), func(h relay.HostPort) bool {
		ip, err := netip.ParseAddr(h.Host)
		return err == nil && ip.IsLoopback()
	})
	return w.station.Link(w.channel, hosts...)
}

// playerURL returns the address that the player is given.
func (w *watch) playerURL() string {
	url := w.station.URL(w.channel)
	if h := w.channel.Ring().Header(); h != nil {
		url = strings.TrimSuffix(url, ".flv") + w.plan.player.Suffix(flv.Describe(h.Payload()))
	}
	return url
}

// notice handles a notice from the channel. It must not block.
func (w *watch) notice(n relay.Notice) {
	news := w.joining.Note(n, time.Now())
	switch n := n.(type) {
	case relay.Attached:
		if news != words.NoParentNews {
			w.t.Say("Connected to %s, %s from the source", words.Place(n.Parent), term.Links(n.Depth))
		}
		if news == words.ParentFirst {
			link := ""
			if w.station.Reachable() {
				link = w.share()
				w.t.Greet(words.Share(link))
			}
			w.shared.Tell(link)
		}
		w.events.Tell(words.AttachedAlias(w.invite.Channel, n))
	case relay.NotLive:
		if kind := n.Later.String(); w.recorded != kind {
			w.recorded = kind
			w.warn(words.NotLive(n))
		}
	case relay.Orphaned:
		w.events.Tell(words.OrphanedAlias(w.invite.Channel, n))
	}
}

// explain says why there is no parent, once for each cause, and whether others can get through to
// this node.
func (w *watch) explain(now time.Time) {
	if t := w.channel.Trial(); w.channel.Reach() == tree.Closed && !w.closed {
		m, _ := w.station.Mapped()
		if w.closed = !m.MayYetOpen(); w.closed {
			router, next := m.Sentences()
			w.warn(words.Closed(t.Addr.String(), router, next, w.station.Node.AnswersCalls()))
		}
	}
	why, first := w.joining.Trouble(now)
	switch {
	case why == "":
	case first:
		const hint = "is relay source running, can this machine reach it, and is the link whole? Still trying; Ctrl-C ends it"
		w.t.Say("Not connected yet: %s", why)
		w.t.Hint(hint)
		w.events.Tell(words.Warning{Code: words.WarnNotConnected, Text: why, Hint: hint}.Event())
	default:
		w.t.Say("Not connected: %s. Still trying.", why)
	}
}

// giveUp returns an error once there has been no parent for the duration after, and nil when ctx
// ends.
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
