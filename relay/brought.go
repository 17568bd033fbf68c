package relay

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/quota"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// DefaultBrought is how many channels sources may have brought at a time when nothing says
	// otherwise: each may hold 64 MiB of media.
	DefaultBrought = 8
	// broughtGone is how long the source of such a channel may be gone before it is dropped: a
	// restart of the machine, or a line that is down for a while, does not end a channel.
	broughtGone = 5 * time.Minute
	broughtLook = 5 * time.Second
	// guessRate and guessBurst bound proofs from one address. A source with a wrong token offers
	// every 10 s in the end; the burst lets a household start together.
	guessRate  = rate.Limit(0.2) // a second
	guessBurst = 20
)

// Dropped is why a channel that was brought is dropped, for people.
type Dropped string

func (d Dropped) Error() string { return string(d) }

var (
	errSourceGone  = Dropped(fmt.Sprintf("its source has been gone for %.0f minutes, and nobody is below", broughtGone.Minutes()))
	errPlaceNeeded = Dropped(fmt.Sprintf("its source has been gone for %.0f minutes, and another channel needs its place", broughtGone.Minutes()))
)

// Brought is how sources may bring a helper channels that it was not given.
type Brought struct {
	Token Token // that they have to know; the zero Token if none may be brought
	Most  int   // at a time; DefaultBrought if 0
	// Open opens such a channel with Node.Watch; run runs it as Channel.Run does. If it is dropped,
	// the cause of the context's end is a Dropped. Nil if there is nothing else to do.
	Open func(n *Node, inv Invite) (c *Channel, run func(context.Context) error, err error)
}

// brought are the channels that sources have brought.
type brought struct {
	guesses quota.Addrs
	running sync.WaitGroup // one for each channel

	mu   sync.Mutex
	open map[stream.ChannelID]*broughtChannel
}

// broughtChannel is one of them.
type broughtChannel struct {
	presence
	drop context.CancelCauseFunc
}

// presence is when a channel's root was last heard of, by its signed clock: whatever else a parent
// says, only the source can make it go on. The mutex of brought guards it.
type presence struct {
	beat *stream.Beat
	at   time.Time
}

// gone is for how long the source has been gone, given the newest beat.
func (p *presence) gone(now time.Time, newest *stream.Beat) time.Duration {
	if newest != nil && (p.beat == nil || p.beat.Epoch() != newest.Epoch() || p.beat.Ms() < newest.Ms()) {
		p.beat, p.at = newest, now
	}
	return now.Sub(p.at)
}

func newBrought() brought {
	return brought{guesses: quota.Addrs{Rate: guessRate, Burst: guessBurst}, open: make(map[stream.ChannelID]*broughtChannel)}
}

// admitOffer decides whether an offer is looked at, and says bye if it is not. If a source brings the
// channel, it is open here from then on, until ctx ends or it is dropped.
func (n *Node) admitOffer(ctx context.Context, o wire.Offer, with shown, d dialed) error {
	b := brings{Offer: o, access: with.access, known: n.named(o.Channel, with.proof, d.conn) != nil}
	if why := n.bring(ctx, time.Now(), b, d.peer, d.addr.Addr()); why != tree.ReasonNone {
		sayBye(d.conn, why)
		return why
	}
	return nil
}

// brings is an offer of a channel that may not be carried here yet.
type brings struct {
	wire.Offer
	access seal.Access // that the source entrusts this node with; zero for a public channel
	known  bool        // it is carried, and the source may know that
}

// bring opens the channel of an offer if that may be. ReasonNone leaves the answer to takeOffer.
func (n *Node) bring(ctx context.Context, now time.Time, o brings, source tree.ID, from netip.Addr) tree.Reason {
	how := n.cfg.Brought
	fast, private := n.tooFast.has(now, o.Channel)
	switch {
	case fast && !private:
		return tree.ReasonTooFast
	case !n.cfg.Helper || o.Proof == nil || how.Token.IsZero() || o.known:
		return tree.ReasonNone
	case !lets(&n.brought.guesses, now, from):
		return tree.ReasonBusy
	case !how.Token.proves(*o.Proof, n.ID(), source, o.Channel):
		return tree.ReasonToken
	case fast:
		return tree.ReasonTooFast
	}
	n.brought.mu.Lock()
	defer n.brought.mu.Unlock()
	if n.Channel(o.Channel) != nil { // another connection was quicker
		return tree.ReasonNone
	}
	if !n.brought.hasRoom(now, how.Most) {
		return tree.ReasonFull
	}
	c, run, err := how.openOn(n, Invite{Channel: o.Channel, Access: o.access})
	if err != nil {
		n.log.Warn("open a channel that a source has brought", zap.String("channel", o.Channel.Short()), zap.Error(err))
		return tree.ReasonChannel
	}
	n.carryBrought(ctx, now, c, run)
	return tree.ReasonNone
}

// openOn calls Open.
func (b Brought) openOn(n *Node, inv Invite) (*Channel, func(context.Context) error, error) {
	if b.Open != nil {
		return b.Open(n, inv)
	}
	c, err := n.Watch(inv, nil)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Run, nil
}

// hasRoom reports whether there is room for one more. If there is not, it drops the one whose source has
// been gone for longest, if that is too long, though nodes are still below: nothing new comes to them,
// and of all sources this one is the least likely to come back. It is called with mu held.
func (b *brought) hasRoom(now time.Time, most int) bool {
	if most == 0 {
		most = DefaultBrought
	}
	if len(b.open) < most {
		return true
	}
	var longest stream.ChannelID
	for id, c := range b.open {
		if o := b.open[longest]; o == nil || c.at.Before(o.at) {
			longest = id
		}
	}
	c := b.open[longest]
	if now.Sub(c.at) < broughtGone {
		return false
	}
	c.drop(errPlaceNeeded)
	delete(b.open, longest)
	return true
}

// carryBrought runs a channel until ctx ends or it is dropped. It is called with mu held.
func (n *Node) carryBrought(ctx context.Context, now time.Time, c *Channel, run func(context.Context) error) {
	ctx, drop := context.WithCancelCause(ctx)
	k := &broughtChannel{presence: presence{at: now}, drop: drop}
	b := &n.brought
	b.open[c.id] = k
	c.log.Info("a source has brought the channel")
	b.running.Go(func() { // ends with ctx
		defer drop(nil)
		go n.watchBrought(ctx, c, k) // ends with ctx
		err := run(ctx)
		c.log.Info("brought channel ended", zap.NamedError("cause", context.Cause(ctx)), zap.Error(err))
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.open[c.id] == k {
			delete(b.open, c.id)
		}
	})
}

// watchBrought drops a channel when its source has been gone for a while and nobody is below.
func (n *Node) watchBrought(ctx context.Context, c *Channel, k *broughtChannel) {
	look := time.NewTicker(broughtLook)
	defer look.Stop()
	for {
		select {
		case now := <-look.C:
			n.brought.mu.Lock()
			gone := k.gone(now, c.intake.beat.Load())
			n.brought.mu.Unlock()
			below := 0
			if gone >= broughtGone && c.query(func(t *tree.Node) { below = len(t.Info().Children) }) && below == 0 {
				k.drop(errSourceGone)
			}
		case <-ctx.Done():
			return
		}
	}
}

// isBrought reports whether there is nowhere to begin but at what is offered. A node that hears of addresses
// later is no helper that sources bring channels to.
func (c *Channel) isBrought() bool {
	return len(c.invite.Hosts) == 0 && len(c.found) == 0 && !c.node.cfg.Suggested
}
