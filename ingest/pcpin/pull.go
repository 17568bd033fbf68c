package pcpin

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

const (
	// backoffFirst and backoffMost bound the pause before the next round, which doubles.
	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
	// steady is how long a host must have given tags for the pause to begin anew, healthy for
	// the next to be dialled without any.
	steady  = 2 * time.Second
	healthy = 10 * time.Second
	// maxVisits bounds the hosts that are dialled in one round, the tip counted: where all are
	// full and name each other, there is no end of them.
	maxVisits = 16
)

// Pull fetches a channel of PeerCast for as long as it takes. In each round it dials the hosts
// that others have named, and the tip; the first time the tip first. Who gives the stream is
// stayed with.
type Pull struct {
	From    Address
	Session pcp.ID // of this program, as all PeerCasts know it; zero for a random one
	Agent   string // the name and version of this program
	// Open begins a session of tags, for each stream that comes.
	Open func() (Sink, error)
	// Told is given what the broadcaster says of the channel, each time; nil for nobody.
	Told func(Told)
	// Watching returns how many watch here, which the broadcaster is told; nil for 0.
	Watching func() int
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil for a [net.Dialer]'s
	Refused  *refusal.Counts                                                   // counts hosts that are not dialled; nil for none
	Log      *zap.Logger                                                       // nil for none
	// Trouble hears once of each thing that is wrong with the media of a channel that is no FLV; nil for
	// nobody.
	Trouble func(what convert.Trouble, which string)
}

// Told is what a broadcaster says of a channel, in clean text.
type Told struct {
	Said  bool // Info has come
	Info  pcp.Info
	Track pcp.Track
}

// Title is what viewers are shown: the channel's name, and what is on if the broadcaster says so.
func (t Told) Title() string {
	name, now := t.Info.Name, t.Track.Title
	switch {
	case now == "" || now == name:
		return flv.CleanTitle(name)
	case name == "":
		return flv.CleanTitle(now)
	}
	return flv.CleanTitle(name + " · " + now)
}

// Texts are what lists are shown besides.
func (t *Told) Texts() flv.Texts {
	return flv.Texts{Genre: t.Info.Genre, Description: t.Info.Description, Comment: t.Info.Comment, Contact: t.Info.URL}
}

// run is a [Pull] under way. It belongs to one goroutine.
type run struct {
	pull   *Pull
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	log    *zap.Logger
	splice *splice
	tape   *tape // of a channel that is no FLV; nil else
	out    *out
	hosts  hosts
	told   Told
}

// Run fetches until ctx ends, and then returns nil. If no host brings a tag in the first round,
// the tip's error is returned, a [*HostError] as a rule; after that, lost connections are none.
func (p *Pull) Run(ctx context.Context) error {
	q := *p
	if q.Session == (pcp.ID{}) {
		q.Session = pcp.NewID()
	}
	r := &run{pull: &q, splice: newSplice(), dial: q.Dial, log: q.Log, out: &out{open: q.Open}, hosts: newHosts(q.Refused)}
	if r.dial == nil {
		r.dial = (&net.Dialer{}).DialContext
	}
	if r.log == nil {
		r.log = zap.NewNop()
	}
	defer r.out.close()
	defer r.rewind()
	worked, backoff := false, backoffFirst
	for round := 1; ; round++ {
		held, err := r.round(ctx, round)
		if ctx.Err() != nil {
			return nil
		}
		if own, ok := err.(ownError); ok {
			return own.error
		}
		worked = worked || r.out.tags > 0
		if !worked {
			return err
		}
		if held >= steady {
			backoff = backoffFirst
		}
		if held >= healthy {
			continue
		}
		r.pause()
		select {
		case <-time.After(backoff/2 + rand.N(backoff)):
		case <-ctx.Done():
			return nil
		}
		backoff = min(2*backoff, backoffMost)
	}
}

// round dials one host after the other until one has given tags, and returns for how long that
// did. Otherwise the error is the tip's.
func (r *run) round(ctx context.Context, round int) (held time.Duration, err error) {
	tipAsked, visits := false, 0
	for ; visits < maxVisits; visits++ {
		c, isTip, ok := r.pick(round, tipAsked)
		if !ok {
			break
		}
		tipAsked = tipAsked || isTip
		tags, begun, lost := r.out.tags, time.Now(), r.gaps()
		why := r.visit(ctx, c.name, isTip)
		if own, ok := why.(ownError); ok || ctx.Err() != nil {
			return 0, own
		}
		gave := r.out.tags > tags
		if gave {
			held = time.Since(begun)
		}
		r.hosts.result(time.Now(), c.at, held >= healthy)
		if errors.Is(why, ErrSilent) {
			r.splice.stalled()
			if r.tape != nil {
				r.tape.stalled()
			}
		}
		why = &HostError{Host: c.name, Err: why}
		if gave {
			r.log.Warn("stream lost, connecting again", zap.String("from", c.name), zap.Error(why), zap.Uint64("gaps", r.gaps()-lost))
			return held, why
		}
		r.log.Debug("PeerCast: host gives nothing", zap.String("host", c.name), zap.Error(why))
		r.pause()
		if isTip || err == nil {
			err = why
		}
		if _, ok := errors.AsType[*TypeError](why); isTip && (ok || errors.Is(why, convert.ErrNotCarried)) {
			break // so it is everywhere
		}
	}
	if tip := (*HostError)(nil); visits > 1 && errors.Is(err, ErrFull) && errors.As(err, &tip) {
		err = &HostError{Host: tip.Host, Err: ErrFullAll}
	}
	return 0, err
}

// rewind ends the reading of a channel that is no FLV.
func (r *run) rewind() {
	if r.tape != nil {
		r.tape.close()
	}
}

// gaps is how often something of the stream was missing.
func (r *run) gaps() uint64 {
	if r.tape != nil {
		return r.tape.lost
	}
	return r.splice.lost
}

// pause ends the session for now, but not the stream.
func (r *run) pause() {
	r.out.close()
	r.splice.renew()
	if r.tape != nil {
		r.tape.renew()
	}
}

// candidate is who may be dialled.
type candidate struct {
	name string
	at   netip.AddrPort
}

// pick returns whom to dial next in a round: the tip first in the first round, and last in others.
func (r *run) pick(round int, tipAsked bool) (c candidate, isTip, ok bool) {
	if round > 1 || tipAsked {
		cost := len(r.request(netip.AddrPort{}))
		if at, ok := r.hosts.next(time.Now(), round, cost); ok {
			return candidate{at.String(), at}, false, true
		}
	}
	return candidate{name: r.pull.From.Tip}, true, !tipAsked
}
