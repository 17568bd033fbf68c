package pcpout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/lobby"
	"relay/relay/pcp"
	"relay/relay/stream"
)

const (
	// announceEvery is how often a channel is announced, unless its list wants it less often; announceMost is the
	// longest that it may want.
	announceEvery, announceMost = 30 * time.Second, 10 * time.Minute
	// announceLeast is how far apart announcements are that a list asks for.
	announceLeast = 5 * time.Second
	// announceAgain is how long to wait until a list is dialled again, at first; it doubles up to announceMost.
	announceAgain = 5 * time.Second
	listDialTime  = 5 * time.Second
)

// Announcement has a list of channels (YP) have one of the server's. Its connection says nothing but what the list
// shows to everybody.
type Announcement struct {
	List    string // host:port
	Channel stream.ChannelID
	Port    uint16 // at which PeerCasts reach this node
	// Told is told when the list has the channel and when it has not, each time that this is another: an error
	// says why not, and a port of 0 that nobody gets through to this node. It may be nil.
	Told func(port uint16, err error)
	// Every replaces the usual time between two announcements in tests.
	Every time.Duration
}

// Why a list has not got the channel.
var (
	ErrNotOnAir = errors.New("the channel is not on the air")
	ErrListQuit = errors.New("the list has ended the connection")
)

// Announce announces the channel until ctx ends, and takes it off the list then.
func (s *Server) Announce(ctx context.Context, a Announcement) {
	if a.Every == 0 {
		a.Every = announceEvery
	}
	was := ""
	var since time.Time // when it was on the air first; zero while it is not
	tell := func(port uint16, err error) {
		if now := fmt.Sprint(port, err); a.Told != nil && now != was && ctx.Err() == nil {
			was = now
			a.Told(port, err)
		}
	}
	for wait := announceAgain; ctx.Err() == nil; wait = min(2*wait, announceMost) {
		began := time.Now()
		err := s.announce(ctx, a, &since, tell)
		if tell(0, err); time.Since(began) > announceMost/10 || errors.Is(err, ErrNotOnAir) {
			wait = announceAgain
		}
		if errors.Is(err, ErrNotOnAir) {
			since = time.Time{}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// announce announces the channel over one connection. since is when it was on the air first.
func (s *Server) announce(ctx context.Context, a Announcement, since *time.Time, tell func(uint16, error)) error {
	id := pcp.ChannelID(a.Channel)
	if s.find(id) == nil {
		return ErrNotOnAir
	}
	if since.IsZero() {
		*since = time.Now()
	}
	dial, cancel := context.WithTimeout(ctx, listDialTime)
	conn, err := s.config.Dial(dial, "tcp", a.List)
	cancel()
	if err != nil {
		return err
	}
	defer conn.Close()
	b := pcp.AppendConnect(nil, pcp.Over(lobby.AddrOf(conn.RemoteAddr())))
	b = pcp.Helo{Agent: s.config.Agent, Version: pcp.Version, Session: s.config.Session, Ping: a.Port, Broadcast: pcp.BroadcastID(a.Channel)}.Append(b)
	conn.SetDeadline(time.Now().Add(heloTime))
	if _, err := conn.Write(b); err != nil {
		return err
	}
	atoms := pcp.NewReader(bufio.NewReaderSize(conn, bufferSize))
	first, err := atoms.Next()
	if err != nil {
		return err
	}
	o, err := pcp.ParseOleh(first)
	if err != nil {
		return err
	}
	conn.SetDeadline(time.Time{})
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	roots, done := make(chan pcp.Root, 1), make(chan struct{})
	go func() { // ends with conn
		defer close(done)
		end(hearList(ctx, atoms, roots))
	}()
	defer func() { end(nil); conn.Close(); <-done }() // it may wait to hand over what nobody takes any more
	defer func() {
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		conn.Write(pcp.AppendQuit(nil, pcp.QuitOffAir)) // as good as said if it fails
	}()
	for every, due := a.Every, time.Now(); ; {
		ch := s.find(id)
		if ch == nil {
			return ErrNotOnAir
		}
		if now := time.Now(); !now.Before(due) {
			due = now.Add(every)
			conn.SetWriteDeadline(now.Add(writeTime))
			if _, err := conn.Write(s.entry(ch, a, o, localOf(conn), time.Since(*since))); err != nil {
				return err
			}
			tell(o.Port, nil)
		}
		select {
		case r := <-roots:
			if r.Every > 0 {
				every = min(max(a.Every, r.Every), announceMost)
			}
			if r.Update {
				due = time.Now()
			}
		case <-time.After(min(time.Until(due), lookEvery)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hearList reads what a list says until it ends the connection. What it wants at once too often it does not
// get.
func hearList(ctx context.Context, atoms *pcp.Reader, roots chan<- pcp.Root) error {
	often, at := rate.NewLimiter(atomRate, atomBurst), rate.NewLimiter(rate.Every(announceLeast), 2)
	for {
		a, err := atoms.Next()
		if t := asRefused(err); t != nil {
			return err
		}
		if err != nil || a.Name == pcp.NameQuit || !often.Allow() {
			return ErrListQuit
		}
		var r pcp.Root
		switch a.Name {
		case pcp.NameRoot:
			r, err = pcp.ParseRoot(a)
		case pcp.NameBcst:
			var m pcp.Bcst
			if m, err = pcp.ParseBcst(a); m.Root != nil {
				r = *m.Root
			}
		}
		if err != nil {
			return err
		}
		r.Update = r.Update && at.Allow()
		if r == (pcp.Root{}) {
			continue
		}
		select {
		case roots <- r:
		case <-ctx.Done():
			return ErrListQuit
		}
	}
}

func localOf(conn net.Conn) netip.AddrPort {
	return netip.AddrPortFrom(lobby.AddrOf(conn.LocalAddr()), 0)
}

// entry is what the list is told: what the channel is, and that this node is where it begins.
func (s *Server) entry(ch *channel, a Announcement, o pcp.Oleh, local netip.AddrPort, uptime time.Duration) []byte {
	told, n, about := ch.told.Load(), ch.count(), ch.of.About()
	host := pcp.Host{
		Channel: ch.id, Session: s.config.Session, Version: pcp.Version,
		Global: netip.AddrPortFrom(o.Remote, a.Port), Local: netip.AddrPortFrom(local.Addr(), a.Port),
		Listeners: uint32(about.ViewerCount + n.Listeners), Relays: uint32(n.Connected), Uptime: uint32(uptime.Seconds()),
		Flags: pcp.Tracker | pcp.Receiving | pcp.RelayFree,
	}
	if about.Watching != nil {
		host.Listeners = uint32(*about.Watching + n.Listeners)
	}
	if o.Port == 0 {
		host.Flags |= pcp.Firewalled
	}
	if _, newest := ch.of.Held(); newest.Seq > 0 {
		host.Newest = pcp.Position(newest.Seq, 0)
	}
	if s.full() {
		host.Flags &^= pcp.RelayFree
	}
	return pcp.Bcst{
		Group: pcp.ToRoot, TTL: 7, From: s.config.Session, Version: pcp.Version, Channel: ch.id,
		Chan: &pcp.Chan{ID: ch.id, Broadcast: pcp.BroadcastID(a.Channel), Info: &told.info, Track: &told.track}, Host: &host,
	}.Append(nil)
}

// full reports whether there is no room for another peer.
func (s *Server) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers >= s.config.Most
}

// ParseList reads the address of a list, pcp://host[:port]/, and returns host:port.
func ParseList(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme, "pcp") || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("the address of a list is written pcp://yp.example/ or pcp://yp.example:%d/", pcp.Port)
	}
	port := u.Port()
	if port == "" {
		port = strconv.Itoa(pcp.Port)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%s is no port", port)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
