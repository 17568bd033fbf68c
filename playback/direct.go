package playback

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/relay/lobby"
	"relay/relay/stream"
)

// denial tells the person at a player why the player is turned away.
type denial string

func (d denial) Error() string { return string(d) }

// ErrNoChannel turns away a player that asks for a channel that is not here, or by a
// name that fits several.
var ErrNoChannel error = denial("There is no such channel here.")

// ambiguous lists the channels that a name fits.
type ambiguous string

func (a ambiguous) Error() string {
	return "More than one channel here begins like that: " + string(a) + "."
}

func (a ambiguous) Is(target error) bool { return target == ErrNoChannel }

const (
	errFull   = denial(tooMany)
	errOften  = denial(tooOften)
	errStart  = denial("There is no such start: it is one of squash, gop and key.")
	errUnread = denial("This channel is private, and this node has only the part of its secret that lets it pass the stream on: it cannot play it. To watch: relay watch with the whole link.")
	errDisk   = denial("What was kept cannot be read: the disk fails. Ask without ?at= for what comes now.")
	errFar    = denial("This node plays only for the networks that it is in itself, and you ask from elsewhere. To watch: relay watch LINK.")
)

// Admission is a place among a channel's viewers, for a player that is served other than
// over HTTP. It must be used: [Admission.Play] gives it back, or [Admission.Leave].
type Admission struct {
	server  *Server
	channel *Channel
	addr    string
	start   Start
	form    Form
	shift   *timeshift
	leave   func()
	own     chunks
	// Last, if it is set before Play, is asked for what the player is told at the end when Play's context
	// ends, by why. It is told nothing if that is [net.ErrClosed].
	Last func(why error) []byte
}

// Direct lets a player at from watch a channel in a form of its own, other than over HTTP. name is
// a channel's as in its path, and ?start= and ?at= may follow, as there. [ErrNoChannel] and other errors
// say in words for the player why it is turned away.
func (s *Server) Direct(from net.Addr, name string, form Form) (*Admission, error) {
	addr := from.String()
	who := lobby.AddrOf(from)
	c, query, err := s.asked(from, name)
	if err != nil {
		return nil, err
	}
	wishes, _ := url.ParseQuery(query) // what cannot be read was not wished for
	start, err := ParseStart(wishes.Get("start"))
	if err != nil {
		return nil, errStart
	}
	when, err := parseMoment(wishes.Get("at"))
	if err != nil {
		return nil, err
	}
	switch {
	case when.present():
	case c.kept == nil:
		return nil, errNotKept
	case !s.mayRewind(who, rewindCost):
		s.full(c, addr, RefusedRewind)
		return nil, errOften
	}
	leave, why := s.places.take(who, s.own(who))
	if leave == nil {
		s.full(c, addr, why)
		return nil, errFull
	}
	shift, err := c.rewind(when)
	if err != nil {
		leave()
		s.config.Log.Error("cannot read what is kept", zap.String("channel", c.id.Short()), zap.Error(err))
		return nil, errDisk
	}
	return &Admission{server: s, channel: c, addr: addr, start: start, form: form, shift: shift, leave: leave}, nil
}

// asked returns the channel that a player asks for who may ask, and its wishes.
func (s *Server) asked(from net.Addr, name string) (c *Channel, query string, err error) {
	name, query, _ = strings.Cut(name, "?")
	if who := lobby.AddrOf(from); s.config.Near != nil && (!who.IsValid() || !s.config.Near(who)) {
		s.refused.Add(RefusedNetwork)
		return nil, "", errFar
	}
	c, err = playable(s.config.Channels(), strings.TrimSuffix(name, formats[0].suffix))
	return c, query, err
}

// Beginning returns how a channel begins at present for a player who is to be told of it before it watches, false where
// nothing is known yet. Its errors are those of [Server.Direct]; nobody has a place.
func (s *Server) Beginning(from net.Addr, name string) (flv.Batch, bool, error) {
	c, _, err := s.asked(from, name)
	if err != nil {
		return flv.Batch{}, false, err
	}
	b, ok := c.beginning()
	return b, ok, nil
}

// IsFull reports whether an error says that there is no place for one more viewer.
func IsFull(err error) bool { return errors.Is(err, errFull) }

// Admit lets somebody at from have a channel that is not private, as it was sent, from the newest place to
// start, wherever it asks from. An error says in words why not.
func (s *Server) Admit(from net.Addr, id stream.ChannelID, form Form) (*Admission, error) {
	all := s.config.Channels()
	i := slices.IndexFunc(all, func(c *Channel) bool { return c.id == id && !c.private })
	if i < 0 {
		return nil, ErrNoChannel
	}
	who, addr := lobby.AddrOf(from), from.String()
	leave, why := s.places.take(who, s.own(who))
	if leave == nil {
		s.full(all[i], addr, why)
		return nil, errFull
	}
	return &Admission{server: s, channel: all[i], addr: addr, start: GOP, form: form, leave: leave}, nil
}

// Resume has the player go on behind a chunk that it has, if the next is held here; otherwise it
// begins at the newest place to start.
func (a *Admission) Resume(have stream.Position) { a.own = a.channel.ring.Resume(have) }

// Leave gives the place back in place of Play.
func (a *Admission) Leave() { a.leave() }

// Play plays the channel, as [relay/ingest/rtmp.Viewing] asks: after head, with what said returns
// between two pieces. It is called once, and leaves conn open unless ctx ends.
func (a *Admission) Play(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error {
	defer a.leave()
	v := &viewer{presence: presence{addr: a.addr, since: time.Now()}, start: a.start, form: a.form, shift: a.shift, own: a.own, watched: true, said: said, last: a.Last}
	if why := a.server.play(ctx, conn, a.channel, v, head); why != channelEnded {
		return errors.New(why.text())
	}
	return nil
}
