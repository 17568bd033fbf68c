package playback

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"relay/relay/lobby"
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
// over HTTP. It must be used: [Admission.Play] gives it back.
type Admission struct {
	server  *Server
	channel *Channel
	addr    string
	start   Start
	form    Form
	shift   *timeshift
	leave   func()
}

// Direct lets a player at from watch a channel in a form of its own, other than over HTTP. name is
// a channel's as in its path, and ?start= and ?at= may follow, as there. [ErrNoChannel] and other errors
// say in words for the player why it is turned away.
func (s *Server) Direct(from net.Addr, name string, form Form) (*Admission, error) {
	name, query, _ := strings.Cut(name, "?")
	addr := from.String()
	who := lobby.AddrOf(from)
	if s.config.Near != nil && (!who.IsValid() || !s.config.Near(who)) {
		s.refused.Add(RefusedNetwork)
		return nil, errFar
	}
	c, err := playable(s.config.Channels(), strings.TrimSuffix(name, formats[0].suffix))
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
	return &Admission{s, c, addr, start, form, shift, leave}, nil
}

// Play plays the channel, as [relay/ingest/rtmp.Viewing] asks: after head, with what said returns
// between two pieces. It is called once, and leaves conn open unless ctx ends.
func (a *Admission) Play(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error {
	defer a.leave()
	v := &viewer{presence: presence{addr: a.addr, since: time.Now()}, start: a.start, form: a.form, shift: a.shift, watched: true, said: said}
	if why := a.server.play(ctx, conn, a.channel, v, head); why != channelEnded {
		return errors.New(why.text())
	}
	return nil
}
