package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/store"
	"relay/relay/stream"
)

const (
	// listEvery is how often --list is read again.
	listEvery = time.Minute
	// reopenAfter is the pause before a channel that could not be opened, because a
	// name in its link does not resolve, is tried again.
	reopenAfter = 30 * time.Second
)

func serveCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "pass channels on, as a service",
		UsageText: "relay serve [LINK...] [--list FILE|URL] [FLAGS]",
		Description: `Carries channels without anybody watching here, all through one port. LINK is what
relay source printed. --list names a file or an http(s) address with a link on each
line, before or behind it a name if you like, and # before remarks; it is read again
every minute and on SIGHUP. A channel that fails does not end the others.

--max-children and --upload count for each channel.`,
		Flags: append([]cli.Flag{
			flag.Text("list", "`FILE` or http(s) URL with the channels to carry"),
			flag.Toggle("json", "write what happens to stdout, a JSON object on a line"),
		}, nodeFlags(playersHere)...),
		Action: func(c *cli.Context) error { return runServe(c, t, stdio) },
	}
}

// serve is one run of the command.
type serve struct {
	t       *term.Terminal
	log     *zap.Logger
	station *station.Station
	given   []wanted    // on the command line
	list    *listSource // nil for none

	channels sync.WaitGroup // one for each that runs
	running  map[stream.ChannelID]*served
	leaving  map[stream.ChannelID]*served // the newest of each that was ended
}

// served is one channel that is carried.
type served struct {
	wanted
	stop   context.CancelFunc
	done   chan struct{} // closed when it has ended
	joined *words.Joining
}

func runServe(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	s := &serve{t: t, log: words.NewLog(t, c.Bool("verbose")), running: make(map[stream.ChannelID]*served), leaving: make(map[stream.ChannelID]*served)}
	for _, arg := range c.Args().Slice() {
		u, err := relay.ParseInvite(arg)
		if err != nil {
			return fault.Usage("copy the whole link that relay source printed", "%w", err)
		}
		s.given = append(s.given, wanted{invite: u})
	}
	if c.IsSet("list") {
		s.list = &listSource{from: c.String("list")}
	} else if len(s.given) == 0 {
		return fault.Usage("relay serve LINK, or relay serve --list FILE", "relay serve needs a channel to carry")
	}
	if len(s.given) > maxServed {
		return fault.Usage("run a second relay serve", "relay serve carries %d channels at most, %d were given", maxServed, len(s.given))
	}
	cfg, err := stationFlags(c)
	if err != nil {
		return err
	}
	all := s.given
	if s.list != nil {
		more, err := s.list.read(c.Context)
		if err != nil {
			return fault.Fail("--list takes a file or an http(s) address with a relay:// link on each line", "read the list of channels: %w", err)
		}
		s.sayProblems()
		all = union(all, more)
		if len(all) == 0 {
			t.Say("The list names no channel yet. It is read again every minute.")
		}
	}
	folder, folderErr := store.Open(c.String("config"))
	if folderErr != nil {
		t.Say("relay: warning: nothing can be kept (%v), so this node is a new one with every start", folderErr)
		t.Hint("channels are carried all the same; --config DIR keeps its key in another folder")
	}
	cfg.Store = folder
	key, release, err := station.NodeKey(folder, folderErr, s.log)
	if err != nil {
		return err
	}
	defer release()
	cfg.Key = key
	if s.station, err = station.Open(t, s.log, cfg); err != nil {
		return err
	}
	defer s.station.Close()
	var lines io.Writer
	if c.Bool("json") {
		lines = stdio.Out
	}
	return s.run(c.Context, all, lines)
}

func (s *serve) run(ctx context.Context, all []wanted, lines io.Writer) error {
	g := newGroup(ctx)
	defer g.stop()
	if lines != nil {
		go s.station.WriteLines(g.ctx, lines) // ends with g.ctx, or with the process if lines blocks
	}
	s.station.Run(g.ctx, g.Group)
	s.t.Say("Players http://%s/", station.LocalAddr(s.station.HTTP))
	if lines == nil {
		s.t.Result("http://" + station.LocalAddr(s.station.HTTP) + "/")
	}
	g.Go(func() error {
		defer s.channels.Wait()
		s.keep(g.ctx, all)
		return nil
	})
	return g.Wait()
}

// keep carries what is wanted, and reads the list again, until ctx ends.
func (s *serve) keep(ctx context.Context, all []wanted) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	reread := time.NewTicker(listEvery)
	defer reread.Stop()
	explain := time.NewTicker(words.JoinPatience / 4)
	defer explain.Stop()
	for s.apply(ctx, all); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-explain.C:
			for _, k := range s.running {
				if why, _ := k.joined.Trouble(now); why != "" {
					s.t.Say("Channel %s: not connected: %s. Still trying.", k.label(), why)
				}
			}
			continue
		case <-reread.C:
		case <-hup:
		}
		if s.list == nil {
			continue
		}
		more, err := s.list.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if s.list.firstFailure() {
				s.t.Say("relay: error: read the list of channels: %v", err)
				s.t.Hint("the channels stay as they are; it is read again every minute")
			}
			continue
		}
		s.sayProblems()
		s.apply(ctx, union(s.given, more))
	}
}

// sayProblems tells of lines of the list that are none, once for each.
func (s *serve) sayProblems() {
	for _, p := range s.list.newProblems() {
		s.t.Say("relay: error: the list of channels, %s", p)
	}
}

// apply begins to carry what is wanted and is not carried, and ends the rest. One
// whose link has changed begins anew unless it is served well.
func (s *serve) apply(ctx context.Context, all []wanted) {
	keep := make(map[stream.ChannelID]bool, len(all))
	for _, w := range all {
		id := w.invite.Channel
		keep[id] = true
		if k := s.running[id]; k != nil {
			if k.invite.String() == w.invite.String() || k.joined.IsAttached() {
				continue
			}
			s.end(k)
		}
		s.running[id] = s.begin(ctx, w)
	}
	for id, k := range s.running {
		if !keep[id] {
			s.t.Say("Channel %s is no longer on the list", k.label())
			s.end(k)
		}
	}
}

// end has a channel leave in good order, in its own time.
func (s *serve) end(k *served) {
	id := k.invite.Channel
	k.stop()
	delete(s.running, id)
	for old, l := range s.leaving { // those that have left need not be kept
		select {
		case <-l.done:
			delete(s.leaving, old)
		default:
		}
	}
	s.leaving[id] = k
}

// begin carries a channel until ctx ends, or stop is called.
func (s *serve) begin(ctx context.Context, w wanted) *served {
	ctx, stop := context.WithCancel(ctx)
	k := &served{wanted: w, stop: stop, done: make(chan struct{}), joined: words.NewJoining(time.Now())}
	before := s.leaving[w.invite.Channel]
	s.channels.Go(func() { // ends with ctx
		defer stop()
		defer close(k.done)
		if before != nil {
			<-before.done
		}
		for {
			err := s.carry(ctx, k)
			if ctx.Err() != nil {
				return
			}
			s.t.Say("relay: error: channel %s: %v", k.label(), err)
			s.t.Hint("check the host name in its link, and this machine's network; it is tried again in %v", reopenAfter)
			select {
			case <-time.After(reopenAfter):
			case <-ctx.Done():
				return
			}
		}
	})
	return k
}

func (s *serve) carry(ctx context.Context, k *served) error {
	c, err := s.station.Node.Watch(k.invite, func(n relay.Notice) {
		news := k.joined.Note(n, time.Now())
		if a, ok := n.(relay.Attached); ok && (news == words.ParentFirst || news == words.ParentBack) { // a change that nobody felt is not worth a line
			s.t.Say("Channel %s: connected to %s, %s from the source", k.label(), words.Place(a.Parent), term.Links(a.Depth))
		}
	})
	if err != nil {
		return err
	}
	s.station.JoinedBy(k.invite)
	s.station.Show(c, nil)
	defer s.station.Hide(c)
	return c.Run(ctx)
}
