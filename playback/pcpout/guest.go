package pcpout

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"relay/playback"
	"relay/relay/lobby"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// guest is a connection.
type guest struct {
	*lobby.Guest
	server  *Server
	conn    net.Conn
	in      counted
	r       *bufio.Reader
	atoms   *pcp.Reader
	playing atomic.Bool // it is playback that closes the connection
}

// counted counts what is read, and bounds it.
type counted struct {
	r    io.Reader
	came int
	most int // 0 for no bound
}

func (c *counted) Read(b []byte) (int, error) {
	if c.most > 0 {
		if c.came >= c.most {
			return 0, &turnedAway{RefusedOften, pcp.QuitBadResponse}
		}
		b = b[:min(len(b), c.most-c.came)]
	}
	n, err := c.r.Read(b)
	c.came += n
	return n, err
}

// bufferSize is what a connection costs for reading, in bytes.
const bufferSize = 4 << 10

func (g *guest) reading(first []byte) {
	g.in = counted{r: io.MultiReader(bytes.NewReader(first), g.conn), most: strangerBytes}
	g.r = bufio.NewReaderSize(&g.in, bufferSize)
	g.atoms = pcp.NewReader(g.r)
}

func (g *guest) addr() netip.Addr { return lobby.AddrOf(g.conn.RemoteAddr()) }

// late is the reason for which a guest is sent away who did not say a thing in time; other errors stay.
func late(err error, why *turnedAway) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return why
	}
	return err
}

// serve leads the dialogue.
func (g *guest) serve(ctx context.Context) error {
	g.conn.SetDeadline(time.Now().Add(requestTime))
	b, err := g.r.Peek(1)
	if err != nil {
		return late(err, &turnedAway{why: RefusedSilent})
	}
	g.Is(lobby.Spoken)
	switch b[0] {
	case pcp.NameConnect[0]:
		return g.control(ctx)
	case 'G':
		return g.request(ctx)
	}
	return &turnedAway{why: pcp.NotHTTP}
}

// next reads the next atom.
func (g *guest) next(why *turnedAway) (pcp.Atom, error) {
	a, err := g.atoms.Next()
	return a, late(err, why)
}

func (g *guest) write(b []byte) error {
	g.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := g.conn.Write(b)
	return late(err, &turnedAway{why: RefusedStuck})
}

// farewell says why the connection ends, and has the peer read it: to close at once could throw that away.
func (g *guest) farewell(b []byte, why pcp.Quit) {
	if g.write(pcp.AppendQuit(b, why)) != nil {
		return
	}
	if c, ok := g.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	g.conn.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, io.LimitReader(g.conn, strangerBytes))
}

// control is a connection without a channel: somebody tries this port.
func (g *guest) control(ctx context.Context) error {
	slow := &turnedAway{why: RefusedSilent}
	a, err := g.next(slow)
	if err != nil {
		return err
	}
	if _, err := pcp.ParseConnect(a); err != nil {
		return err
	}
	_, port, err := g.meet(ctx, true)
	if err != nil {
		return err
	}
	g.farewell(g.oleh(port), pcp.QuitOffAir)
	return nil
}

// oleh returns the answer to a helo.
func (g *guest) oleh(port uint16) []byte {
	c := &g.server.config
	return pcp.Oleh{Agent: c.Agent, Session: c.Session, Version: pcp.Version, Remote: g.addr(), Port: port}.Append(nil)
}

// meet reads the helo, and tries the port that it asks to have tried. The port is that at which the peer can be
// dialled as far as is known. Who only tests this port need not say a version: peercast-yt says its session there and nothing else.
func (g *guest) meet(ctx context.Context, test bool) (h pcp.Helo, port uint16, err error) {
	g.conn.SetDeadline(time.Now().Add(g.server.config.HeloTime))
	a, err := g.next(&turnedAway{why: RefusedSlow})
	if err != nil {
		return h, 0, g.refuse(err)
	}
	if a.Name != pcp.NameHelo {
		return h, 0, g.refuse(&turnedAway{RefusedDue, pcp.QuitNotIdentified})
	}
	if h, err = pcp.ParseHelo(a); err != nil {
		return h, 0, g.refuse(err)
	}
	switch {
	case h.Session == g.server.config.Session:
		return h, 0, g.refuse(&turnedAway{RefusedLoop, pcp.QuitLoopback})
	case h.Version < pcp.LeastVersion && (h.Version != 0 || !test):
		return h, 0, g.refuse(&turnedAway{RefusedVersion, pcp.QuitBadAgent})
	}
	if port = h.Port; h.Ping != 0 && g.server.try(ctx, netip.AddrPortFrom(g.addr(), h.Ping), h.Session, g.in.came) {
		port = h.Ping
	}
	return h, port, nil
}

// refuse tells the peer why it is turned away, if it is for something that it did, and returns that.
func (g *guest) refuse(err error) error {
	if t := asRefused(err); t != nil && t.quit != pcp.QuitNone {
		g.farewell(nil, t.quit)
	}
	return err
}

// answer says to an HTTP client what there is, or is not.
func (g *guest) answer(status int, isPCP bool) []byte {
	return pcp.Answer{Status: status, PCP: isPCP, Agent: g.server.config.Agent}.Append(nil)
}

// request is one over HTTP.
func (g *guest) request(ctx context.Context) error {
	b, err := pcp.ReadLines(g.r)
	if err != nil {
		return late(err, &turnedAway{why: RefusedSilent})
	}
	req, path, err := pcp.ParseRequest(b)
	if err != nil {
		return err
	}
	if req.Channel == (pcp.ID{}) {
		return g.player(ctx, req, path)
	}
	if req.Over == 0 {
		g.farewellHTTP(g.answer(404, false))
		return &turnedAway{why: RefusedPath}
	}
	ch := g.server.find(req.Channel)
	if ch == nil {
		g.farewellHTTP(g.answer(404, false))
		return &turnedAway{why: RefusedChannel}
	}
	leave, why := g.server.seat(g.addr())
	if leave == nil {
		return g.full(ctx, ch, &turnedAway{why: why})
	}
	defer leave()
	form, have, ok := g.form(ch, req)
	in, err := g.server.config.Players.Admit(g.conn.RemoteAddr(), ch.of.ID(), form)
	if err != nil {
		return g.full(ctx, ch, &turnedAway{why: RefusedFull})
	}
	if ok {
		in.Resume(have)
	}
	return g.play(ctx, ch, in)
}

func (g *guest) farewellHTTP(b []byte) {
	if g.write(b) == nil {
		if c, ok := g.conn.(interface{ CloseWrite() error }); ok {
			c.CloseWrite()
		}
	}
}

// form returns what the peer gets: what all get, or if it has something up to a position that is held
// here, what comes behind that, for itself.
func (g *guest) form(ch *channel, req pcp.Request) (f playback.Form, have stream.Position, resumes bool) {
	if req.HasPos && req.Pos != 0 {
		if at, epoch, ok := held(ch.of, req.Pos); ok {
			seq := at / stream.MaxChunk
			return resumed(ch.id, ch.told.Load, epoch, at), stream.Position{Epoch: epoch, Seq: seq - 1}, true
		}
	}
	return form(ch.id, ch.told.Load), stream.Position{}, false
}

// held returns the place in the stream that a position means, and in which run of the source, if the chunk there is
// held.
func held(c *playback.Channel, pos uint32) (at uint64, of stream.Epoch, ok bool) {
	oldest, newest := c.Held()
	end := (newest.Seq + 1) * stream.MaxChunk // behind all there is
	at = end - uint64(uint32(end)-pos)
	first := uint64(1)
	if oldest.Epoch == newest.Epoch {
		first = max(first, oldest.Seq)
	}
	return at, newest.Epoch, newest.Seq > 0 && at <= end && at/stream.MaxChunk >= first
}

// full sends the peer to others.
func (g *guest) full(ctx context.Context, ch *channel, why *turnedAway) error {
	if err := g.write(g.answer(503, true)); err != nil {
		return err
	}
	h, port, err := g.meet(ctx, false)
	if err != nil {
		return err
	}
	b := pcp.AppendOK(g.oleh(port))
	others := ch.others(g.addr(), h.Session)
	if len(others) < refers {
		others = append(others, g.server.serving(ctx, g.server.config.Nodes(ch.of.ID()), g.addr(), ch.id, h.Session)...)
	}
	for _, o := range others[:min(len(others), refers)] {
		b = o.Append(b)
	}
	g.farewell(b, pcp.QuitUnavailable)
	return why
}

// player answers a player that is no PeerCast.
func (g *guest) player(ctx context.Context, req pcp.Request, path string) error {
	what, hex, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	hex, _, _ = strings.Cut(hex, ".")
	id, err := pcp.ParseID(hex)
	if err != nil || what != "pls" && what != "stream" {
		g.farewellHTTP(g.answer(404, false))
		return &turnedAway{why: RefusedPath}
	}
	ch := g.server.find(id)
	if ch == nil {
		g.farewellHTTP(g.answer(404, false))
		return &turnedAway{why: RefusedChannel}
	}
	if what == "pls" {
		g.farewellHTTP(playlist(ch.id, hostOf(req.Host, g.conn.LocalAddr())))
		return nil
	}
	in, err := g.server.config.Players.Direct(g.conn.RemoteAddr(), ch.of.ID().String(), playback.FLV())
	if err != nil {
		g.farewellHTTP(g.answer(503, false))
		return &turnedAway{why: RefusedFull}
	}
	g.begin()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() { // ends with conn, which is closed when the stream is over
		defer close(done)
		io.Copy(io.Discard, g.conn)
		cancel(net.ErrClosed)
	}()
	in.Play(ctx, g.conn, []byte("HTTP/1.0 200 OK\r\nContent-Type: video/x-flv\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n"), nil)
	g.conn.Close()
	<-done
	return nil
}

// begin makes the guest one who is known, whose connection is playback's.
func (g *guest) begin() {
	g.playing.Store(true)
	g.Leave()
	g.conn.SetDeadline(time.Time{})
}

// playlist is one of one address.
func playlist(id pcp.ID, host string) []byte {
	body := "#EXTM3U\nhttp://" + host + "/stream/" + id.String() + ".flv\n"
	return []byte("HTTP/1.0 200 OK\r\nContent-Type: audio/x-mpegurl\r\nX-Content-Type-Options: nosniff\r\n\r\n" + body)
}

// hostOf returns the host that a client has asked for, if that can be one, or else where it has come.
func hostOf(asked string, at net.Addr) string {
	if asked == "" || len(asked) > 255 || strings.Trim(asked, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") != "" {
		return at.String()
	}
	return asked
}
