package follow

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"relay/relay/stream"
)

const (
	// askEvery is how often the channels are asked about while a node runs, give or take a fifth, so that those who
	// have begun together do not ask together.
	askEvery = 5 * time.Minute
	askLeast = askEvery * 4 / 5
	askMost  = askEvery * 6 / 5
	// firstAfter is when they are asked about first: the node has better things to do at its start.
	firstAfter = 5 * time.Second
	// readEvery is how often the list is looked at for what has been added by hand or by relay follow.
	readEvery = 15 * time.Second
	// askFor bounds one round.
	askFor = 20 * time.Second
	// missesMost is how many rounds in a row have to miss a channel before it counts as over: one may be the network.
	missesMost = 2
	// maxAsked bounds the channels that a node asks about: those that stand first.
	maxAsked = 64
)

// Followed is a channel of the list, and what is known of it.
type Followed struct {
	Channel
	Sighting
}

// Watcher finds out again and again which of the channels that are followed are live. Its fields are set before Run.
type Watcher struct {
	Read    func() []Channel // the list as it is now; it may be slow
	Finders []Finder
	Told    func(c Followed, airs bool) // of a channel that went live, or has ended
	Rand    *rand.Rand                  // nil for one of its own

	mu  sync.Mutex
	now []Followed // in the order of the list
}

// Now is what is known now. It is safe for concurrent use.
func (w *Watcher) Now() []Followed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.now)
}

// Run asks until ctx ends. A list with nothing on it costs a look at a file.
func (w *Watcher) Run(ctx context.Context) {
	if w.Rand == nil {
		w.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	seen := make(map[stream.ChannelID]*watched)
	read := time.NewTimer(0)
	defer read.Stop()
	due := time.Now().Add(firstAfter)
	for {
		select {
		case <-ctx.Done():
			return
		case <-read.C:
		}
		list := w.Read()
		list = list[:min(len(list), maxAsked)]
		w.list(list)
		of := fresh(list, seen)
		if now := time.Now(); !now.Before(due) {
			of = list
			due = now.Add(askLeast + time.Duration(w.Rand.Int64N(int64(askMost-askLeast))))
		} else if len(seen) == 0 && len(of) > 0 {
			of = nil // at the start they wait for firstAfter
		}
		w.ask(ctx, of, seen)
		for id := range seen {
			if !slices.ContainsFunc(list, func(c Channel) bool { return c.ID == id }) {
				delete(seen, id)
			}
		}
		read.Reset(max(0, min(readEvery, time.Until(due))))
	}
}

// watched is what is known of one channel from round to round.
type watched struct {
	airs   bool
	misses int
}

// fresh are the channels of which nothing is known yet.
func fresh(list []Channel, seen map[stream.ChannelID]*watched) (of []Channel) {
	for _, c := range list {
		if seen[c.ID] == nil {
			of = append(of, c)
		}
	}
	return of
}

// list takes over the list as it is now, with what is known.
func (w *Watcher) list(list []Channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := make([]Followed, len(list))
	for i, c := range list {
		now[i] = Followed{c, Sighting{ID: c.ID}}
		if at := slices.IndexFunc(w.now, func(f Followed) bool { return f.Channel.ID == c.ID }); at >= 0 {
			now[i].Sighting = w.now[at].Sighting
		}
	}
	w.now = now
}

// ask asks about some channels, and tells what is new.
func (w *Watcher) ask(ctx context.Context, of []Channel, seen map[stream.ChannelID]*watched) {
	if len(of) == 0 {
		return
	}
	round, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	found := Look(round, of, w.Finders...)
	if ctx.Err() != nil {
		return
	}
	for _, c := range of {
		k, s := seen[c.ID], found[c.ID]
		if k == nil {
			k = &watched{}
			seen[c.ID] = k
		}
		if k.misses++; s.State.Airs() {
			k.misses = 0
		}
		if k.airs && k.misses > 0 && k.misses < missesMost {
			continue // what is known of it stays
		}
		w.note(s)
		if airs := s.State.Airs(); airs != k.airs {
			k.airs = airs
			w.Told(Followed{c, s}, airs)
		}
	}
}

func (w *Watcher) note(s Sighting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.now {
		if w.now[i].Channel.ID == s.ID {
			w.now[i].Sighting = s
		}
	}
}
