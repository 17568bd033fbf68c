package playback

import (
	"net"
	"sync/atomic"

	"relay/relay/socket"
)

// seat is where a viewer waits in a sweeper. It has all that a sweep needs, in one list with all others: the viewer's
// own memory is somewhere else for each, and what is written is nothing beside the wait for it.
type seat struct {
	file socket.File
	at   uint64        // index of the piece that comes next
	sent uint64        // bytes since the viewer's status was brought up to date
	mark *mark         // of the piece before, nil if that was before the status was brought up to date
	said func() []byte // the viewer's
	of   *swept
}

// swept is a viewer who waits in a sweeper, which has its place until it is handed back.
type swept struct {
	*viewer
	socket *socket.Socket
	file   socket.File // while it waits
	left   atomic.Bool // the viewer's goroutine wants it back
	busy   bool        // something was written since the sweeper looked after it
	back   chan handback
}

// handback says why a viewer is handed back to its goroutine: what it has still to write, or what
// went wrong, or nothing if it has fallen behind.
type handback struct {
	rest net.Buffers
	err  error
}

func (v *swept) seat() seat {
	return seat{file: v.file, at: v.place.at, said: v.said, of: v}
}

// gone reports whether the viewer, or somebody here, has closed the connection. Where somebody else reads it,
// that is for them to see.
func (v *swept) gone() bool { return !v.watched && v.socket.Closed() }

// wrote notes that n bytes were written, up to the piece at to, where the viewer is as far as m says.
func (s *seat) wrote(n int, to uint64, m *mark) {
	s.sent += uint64(n)
	s.at, s.mark = to, m
}

// tell has the viewer's status and its place say how far it is.
func (s *seat) tell() {
	if s.mark == nil {
		return
	}
	s.of.busy = true
	s.of.bytes.Add(s.sent)
	s.of.place.at = s.at
	s.of.pass(*s.mark)
	s.sent, s.mark = 0, nil
}

// handBack gives the viewer back to its goroutine. The seat is empty then.
func (s *seat) handBack(b handback) {
	s.tell()
	s.of.back <- b
}
