// Package carry passes channels on at a station, each in its own time: those that were given,
// and those on a list that is read again and again.
package carry

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"relay/cli/fault"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/stream"
)

const (
	// listEvery is how often --list is read again.
	listEvery = time.Minute
	// reopenAfter is the pause before a channel that could not be opened, because a
	// name in its link does not resolve, is tried again.
	reopenAfter = 30 * time.Second
	// theftPause is how long a channel whose key is used by two is not carried.
	theftPause = time.Hour
)

// carrier passes channels on at a station.
type carrier struct {
	t       *term.Terminal
	station *station.Station // from Run on, which closes runs
	runs    chan struct{}
	given   []wanted    // on the command line
	list    *listSource // nil for none
	first   []wanted    // what Read has found

	channels sync.WaitGroup // counts the channels that run
	running  map[stream.ChannelID]*served
	leaving  map[stream.ChannelID]*served // the newest of each that was ended
}

// New returns a carrier for the given channels and those on list. list is a file or an http(s)
// address, or "" for no list.
func New(t *term.Terminal, given []relay.Invite, list string) *carrier {
	s := &carrier{t: t, runs: make(chan struct{}), running: make(map[stream.ChannelID]*served), leaving: make(map[stream.ChannelID]*served)}
	for _, u := range given {
		s.given = append(s.given, wanted{invite: u})
	}
	if list != "" {
		s.list = &listSource{from: list}
	}
	return s
}

// Read reads the list, if there is one, before anything is opened for the channels on it.
func (s *carrier) Read(ctx context.Context) error {
	s.first = s.given
	if s.list == nil {
		return nil
	}
	more, err := s.list.read(ctx)
	if err != nil {
		return fault.Fail("--list takes a file or an http(s) address with a relay:// link on each line", "read the list of channels: %w", err)
	}
	s.list.sayProblems(s.t)
	if s.first = union(s.given, more); len(s.first) == 0 {
		s.t.Say("The list names no channel yet. It is read again every minute.")
	}
	return nil
}

// served is one channel that is carried.
type served struct {
	wanted
	stop   context.CancelFunc
	done   chan struct{} // closed when it has ended
	joined *words.Joining
	told   words.Told                    // owned by Run's goroutine
	open   atomic.Pointer[relay.Channel] // nil while it is not
}

// Run carries what is wanted, and reads the list again, until ctx ends; then it waits until all
// channels have ended.
func (s *carrier) Run(ctx context.Context, st *station.Station) {
	s.station = st
	close(s.runs)
	defer s.channels.Wait()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	reread := time.NewTicker(listEvery)
	defer reread.Stop()
	explain := time.NewTicker(words.JoinPatience / 4)
	defer explain.Stop()
	for s.apply(ctx, s.first); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-explain.C:
			for _, k := range s.running {
				if why, _ := k.joined.Trouble(now); why != "" {
					s.t.Say("Channel %s: not connected: %s. Still trying.", k.label(), why)
				}
				if c := k.open.Load(); c != nil {
					if says := k.told.Note(station.SituationOf(c, now), false, c.Private(), now); says != "" {
						s.t.Say("Channel %s: %s", k.label(), says)
					}
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
				s.t.Say("relay: error: read the list of channels: %s", fault.Plain(err))
				s.t.Hint("the channels stay as they are; it is read again every minute")
			}
			continue
		}
		s.list.sayProblems(s.t)
		s.apply(ctx, union(s.given, more))
	}
}

// apply begins to carry what is wanted and is not carried, and ends the rest. One
// whose link has changed begins anew unless it is served well.
func (s *carrier) apply(ctx context.Context, all []wanted) {
	keep := make(map[stream.ChannelID]bool, len(all))
	for _, w := range all {
		id := w.invite.Channel
		keep[id] = true
		if k := s.running[id]; k != nil {
			if k.invite.Link() == w.invite.Link() || k.joined.IsAttached() {
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

// end makes a channel leave cleanly and does not wait for it.
func (s *carrier) end(k *served) {
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
func (s *carrier) begin(ctx context.Context, w wanted) *served {
	ctx, stop := context.WithCancel(ctx)
	k := &served{wanted: w, stop: stop, done: make(chan struct{}), joined: words.NewJoining(time.Now()), told: words.Told{Live: true}}
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
			select {
			case <-time.After(s.ended(k, err)):
			case <-ctx.Done():
				return
			}
		}
	})
	return k
}

// ended says why a channel has ended, and returns how long to wait before it is tried again.
func (s *carrier) ended(k *served, err error) time.Duration {
	if fast, ok := errors.AsType[*relay.TooFastError](err); ok {
		s.sayTooFast(k, fast)
		return relay.TooFastFor
	}
	if theft, ok := errors.AsType[*relay.StolenError](err); ok {
		s.t.Say("relay: error: channel %s: %v", k.label(), theft)
		s.t.Hint("it is not carried for an hour; whoever broadcasts it needs another key: relay key rotate")
		return theftPause
	}
	if !errors.Is(err, relay.ErrOpen) { // a source has brought it, and it is carried
		s.t.Say("relay: error: channel %s: %s", k.label(), fault.Plain(err))
		s.t.Hint("check the host name in its link, and this machine's network; it is tried again in %v", reopenAfter)
	}
	return reopenAfter
}

func (s *carrier) sayTooFast(k *served, e *relay.TooFastError) {
	text, hint := words.TooFast(k.label(), e)
	s.t.Say("%s", text)
	s.t.Hint("%s", hint)
}

func (s *carrier) carry(ctx context.Context, k *served) error {
	c, err := s.watch(s.station.Node, k)
	if err != nil {
		return err
	}
	s.station.JoinedBy(k.invite)
	k.open.Store(c)
	defer k.open.Store(nil)
	ctx, stop := context.WithCancel(ctx)
	var finding sync.WaitGroup
	finding.Go(func() { // ends with ctx
		s.station.FindByID(ctx, c, k.invite, func(text string) { s.t.Say("Channel %s: %s", k.label(), text) })
	})
	defer finding.Wait()
	defer stop()
	return s.run(ctx, c)
}

// watch opens a channel, and tells of its parents.
func (s *carrier) watch(n *relay.Node, k *served) (*relay.Channel, error) {
	return n.Watch(k.invite, func(n relay.Notice) {
		news := k.joined.Note(n, time.Now())
		if a, ok := n.(relay.Attached); ok && (news == words.ParentFirst || news == words.ParentBack) { // a change that nobody felt is not worth a line
			s.t.Say("Channel %s: connected to %s, %s from the source", k.label(), words.Place(a.Parent), term.Links(a.Depth))
		}
	})
}

func (s *carrier) run(ctx context.Context, c *relay.Channel) error {
	s.station.Show(c, nil)
	defer s.station.Hide(c)
	return c.Run(ctx)
}
