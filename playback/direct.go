package playback

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// denial says to whoever uses a player why it is turned away.
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
	errFull  = denial(tooMany)
	errStart = denial("There is no such start: it is one of squash, gop and key.")
	errFar   = denial("This node plays only for the networks that it is in itself, and you ask from elsewhere. To watch: relay watch LINK.")
)

// Viewing plays one channel to one player. It writes head to conn and then what convert
// makes of the media: it is given whole FLV tags, any number at a time, the file header
// in front of the first, and neither changes nor keeps them. Viewing returns nil once
// the channel has ended, and else an error that says why it stopped. It leaves conn
// open, but when ctx ends; somebody else reads conn, and ends ctx by [net.ErrClosed]
// when the player leaves.
type Viewing func(ctx context.Context, conn net.Conn, head []byte, convert func(net.Buffers) (net.Buffers, error)) error

// Direct lets a player at from watch a channel other than over HTTP. name is a channel's
// as in its path, and ?start= may follow, as there. It has a place among the viewers
// from now on: what is returned must be called, once. [ErrNoChannel] and other errors
// say in words for the player why there is none.
func (s *Server) Direct(from net.Addr, name string) (Viewing, error) {
	name, query, _ := strings.Cut(name, "?")
	addr := from.String()
	if at, err := netip.ParseAddrPort(addr); s.config.Near != nil && (err != nil || !s.config.Near(at.Addr().Unmap())) {
		s.refused.network.Add(1)
		return nil, errFar
	}
	c, err := find(s.config.Channels(), strings.TrimSuffix(name, formats[0].suffix))
	if err != nil {
		return nil, err
	}
	wishes, _ := url.ParseQuery(query) // what cannot be read was not wished for
	start, err := ParseStart(wishes.Get("start"))
	if err != nil {
		return nil, errStart
	}
	if !s.admit() {
		s.full(c, addr)
		return nil, errFull
	}
	return func(ctx context.Context, conn net.Conn, head []byte, convert func(net.Buffers) (net.Buffers, error)) error {
		defer s.release()
		v := &viewer{addr: addr, since: time.Now(), start: start, convert: convert, watched: true}
		if why := s.play(ctx, conn, c, v, head); why != channelEnded {
			return errors.New(string(why))
		}
		return nil
	}, nil
}
