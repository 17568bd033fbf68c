package playback

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"relay/relay/lobby"
	"relay/relay/refusal"
)

// guest is a connection that asks, until it is a viewer's. It sees why it ends, which [http.Server]
// does not tell.
type guest struct {
	net.Conn
	*lobby.Guest
	cut func(refusal.Reason) // nil for nobody

	state atomic.Int32 // a lobby.State
	asked atomic.Bool  // a whole request has come
	told  atomic.Bool  // why it is cut
}

func newGuest(conn net.Conn, l *lobby.Lobby, cut func(refusal.Reason)) *guest {
	g := &guest{Conn: conn, Guest: l.Enter(conn), cut: cut}
	g.state.Store(int32(lobby.Silent))
	return g
}

// guestKey is the key to a request's guest in its context.
type guestKey struct{}

// connState follows what [http.Server] does with a guest.
func connState(conn net.Conn, state http.ConnState) {
	g := conn.(*guest) // nothing else comes from an entrance
	switch state {
	case http.StateIdle:
		g.is(lobby.Silent)
	case http.StateHijacked:
		g.Leave()
	case http.StateClosed:
		if g.Turned() {
			g.tell(RefusedRequests)
		}
		g.Leave()
	}
}

func (g *guest) is(s lobby.State) {
	if g.state.Store(int32(s)); s == lobby.Served {
		g.asked.Store(true)
	}
	g.Is(s)
}

func (g *guest) now() lobby.State { return lobby.State(g.state.Load()) }

func (g *guest) tell(why refusal.Reason) {
	if g.Turned() {
		why = RefusedRequests
	}
	if !g.told.Swap(true) && g.cut != nil {
		g.cut(why)
	}
}

// Read notes whether something comes. While a request is answered, [http.Server] has it end by a
// deadline of its own.
func (g *guest) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	switch was := g.now(); {
	case was == lobby.Served:
	case n > 0 && was == lobby.Silent:
		g.is(lobby.Spoken)
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case was == lobby.Spoken:
		g.tell(RefusedSlow)
	case !g.asked.Load(): // else it was kept for another request
		g.tell(RefusedSilent)
	}
	return n, err
}

// Write notes what [http.Server] says to who sends what is no request, and who does not take its
// answer.
func (g *guest) Write(b []byte) (int, error) {
	if g.now() != lobby.Served && len(b) > len("HTTP/1.1 400") {
		switch string(b[len("HTTP/1.1 "):len("HTTP/1.1 400")]) {
		case "431":
			g.tell(RefusedHeader)
		case "400", "417", "501", "505":
			g.tell(RefusedGarbage)
		}
	}
	n, err := g.Conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.tell(RefusedStuck)
	}
	return n, err
}

// CloseWrite lets a client read why it is refused before its own bytes, unread, break the connection
// off.
func (g *guest) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// bare returns the connection itself of one that was hijacked.
func bare(conn net.Conn) net.Conn {
	if g, ok := conn.(*guest); ok {
		return g.Conn
	}
	return conn
}
