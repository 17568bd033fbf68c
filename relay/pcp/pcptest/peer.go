package pcptest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is which PeerCast a model behaves as.
type Kind int

// The two that are in use.
const (
	YT      Kind = iota // peercast-yt: strict, a buffer of 64 packets, the next host at once
	Station             // PeerCastStation: no blank behind colons, a packet before the info, ok 1, bits in cont
)

func (k Kind) String() string { return [...]string{"yt", "station"}[k] }

const (
	dialTime      = 3 * time.Second
	handshakeTime = 18 * time.Second
	reportEvery   = 120 * time.Second
	pause         = time.Second // between two rounds of a pull
	mostNamed     = 8
)

// Peer is a model of a PeerCast.
type Peer struct {
	Kind    Kind
	Session ID
	At      netip.AddrPort // where it listens, as others are told; zero: it cannot be dialled
	Slots   int            // how many may pull one channel; see SetSlots
	Ping    bool           // it asks to be dialled instead of saying its port
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	Log     func(format string, args ...any) // nil for none

	mu       sync.Mutex
	channels map[ID]*Channel
	olehs    []Atom // that it was answered
}

// New returns a model. session tells it apart from others.
func New(kind Kind, session byte, at netip.AddrPort, slots int) *Peer {
	return &Peer{Kind: kind, Session: ID{session, 0xee}, At: at, Slots: slots, Dial: (&net.Dialer{}).DialContext, channels: map[ID]*Channel{}}
}

func (p *Peer) log(format string, args ...any) {
	if p.Log != nil {
		p.Log("%s %x: %s", p.Kind, p.Session[0], fmt.Sprintf(format, args...))
	}
}

// agent is what each kind calls itself.
func (p *Peer) agent() string {
	if p.Kind == Station {
		return "PeerCastStation/5.1.0"
	}
	return "PeerCast/0.1218 (YT50)"
}

// Channel returns a channel that the model has; nil if it has not.
func (p *Peer) Channel(id ID) *Channel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.channels[id]
}

func (p *Peer) channel(id ID) *Channel {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.channels[id]
	if c == nil {
		c = newChannel(p, id)
		p.channels[id] = c
	}
	return c
}

// Broadcast opens a channel of the model's own.
func (p *Peer) Broadcast(id ID, i Info) *Channel {
	c := p.channel(id)
	c.SetInfo(i)
	return c
}

// SetSlots changes how many may pull one channel, while the model serves.
func (p *Peer) SetSlots(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Slots = n
}

func (p *Peer) slots() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Slots
}

// Olehs returns what those who were dialled have answered.
func (p *Peer) Olehs() []Atom {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.olehs
}

// Serve answers on a listener until ctx ends. Everybody who is served is gone when it returns.
func (p *Peer) Serve(ctx context.Context, ln net.Listener) {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		all.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			if err := p.serve(ctx, conn); err != nil && ctx.Err() == nil {
				p.log("%v: %v", conn.RemoteAddr(), err)
			}
		})
	}
}

// field writes a line of HTTP as each kind does.
func (p *Peer) field(name string, value any) string {
	if p.Kind == Station {
		return fmt.Sprintf("%s:%v\r\n", name, value)
	}
	return fmt.Sprintf("%s: %v\r\n", name, value)
}

func (p *Peer) serve(ctx context.Context, conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(handshakeTime))
	r := bufio.NewReader(conn)
	first, err := r.Peek(4)
	if err != nil {
		return err
	}
	if string(first) == "pcp\n" {
		return p.answerTest(conn, r)
	}
	lines, err := readLines(r)
	if err != nil {
		return err
	}
	words := strings.Fields(lines[0])
	if len(words) < 2 || words[0] != "GET" {
		return errors.New("no request")
	}
	if id, ok := strings.CutPrefix(words[1], "/stream/"); ok {
		return p.play(ctx, conn, parseID(id))
	}
	id, _ := strings.CutPrefix(words[1], "/channel/")
	c := p.Channel(parseID(id))
	over := fieldOf(lines, "x-peercast-pcp")
	if c == nil || over != "1" && over != "100" {
		_, err := io.WriteString(conn, "HTTP/1.0 404 Not Found\r\n\r\n")
		return err
	}
	pos, _ := strconv.ParseUint(fieldOf(lines, "x-peercast-pos"), 10, 32)
	return p.give(ctx, conn, r, c, uint32(pos))
}

// answerTest answers who wants to know whether the model can be dialled.
func (p *Peer) answerTest(conn net.Conn, r io.Reader) error {
	for {
		a, err := Read(r)
		if err != nil {
			return err
		}
		if a.Name == "helo" {
			_, err := conn.Write(append(p.oleh(conn, 0).Bytes(), Int("quit", 1008).Bytes()...))
			return err
		}
	}
}

func (p *Peer) oleh(conn net.Conn, port uint16) Atom {
	return Of("oleh", Text("agnt", p.agent()), Raw("sid", p.Session[:]), Int("ver", 1218), IP("rip", addrOf(conn).Addr()), Short("port", port))
}

// give serves a channel.
func (p *Peer) give(ctx context.Context, conn net.Conn, r *bufio.Reader, c *Channel, pos uint32) error {
	slots := p.slots()
	c.mu.Lock()
	full := len(c.children) >= slots
	at := c.pos
	c.mu.Unlock()
	status := "200 OK"
	if full {
		status = "503 Service Unavailable"
	}
	lines := "HTTP/1.0 " + status + "\r\n" + p.field("Server", p.agent())
	if !full {
		lines += p.field("x-peercast-pos", at)
	}
	if _, err := io.WriteString(conn, lines+p.field("Content-Type", "application/x-peercast-pcp")+"\r\n"); err != nil {
		return err
	}
	helo, err := p.readStrict(r)
	if err != nil {
		return err
	}
	if helo.Name != "helo" {
		return fmt.Errorf("%q and no helo", helo.Name)
	}
	sid := helo.id("sid")
	port := uint16(helo.number("port"))
	if ping := uint16(helo.number("ping")); ping != 0 && p.test(ctx, conn, ping, sid) {
		port = ping
	}
	answer := p.oleh(conn, port).Bytes()
	if sid == p.Session {
		conn.Write(append(answer, Int("quit", 1004).Bytes()...))
		return errors.New("that is me")
	}
	if full {
		for _, h := range c.named(sid) {
			answer = append(answer, h.Bytes()...)
		}
		conn.Write(append(answer, Int("quit", 1003).Bytes()...))
		return errors.New("full")
	}
	ok := uint32(0)
	if p.Kind == Station {
		ok = 1
	}
	if _, err := conn.Write(append(answer, Int("ok", ok).Bytes()...)); err != nil {
		return err
	}
	conn.SetDeadline(time.Time{})
	c.mu.Lock()
	c.children[sid] = &child{}
	c.mu.Unlock()
	var reading sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	reading.Go(func() {
		defer cancel()
		p.log("child %x: %v", sid[0], p.listen(r, c, sid))
	})
	err = c.send(ctx, conn, pos)
	conn.Close()
	reading.Wait()
	c.mu.Lock()
	delete(c.children, sid)
	c.mu.Unlock()
	return err
}

// named returns the hosts that are named to one who finds no room. It takes mu.
func (c *Channel) named(to ID) (hosts []Atom) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, k := range c.children {
		flags := k.host.number("flg1")
		port, _ := k.host.Find("port")
		if id != to && flags&0x12 == 0x12 && flags&0x08 == 0 && port.value() != 0 && len(hosts) < mostNamed {
			hosts = append(hosts, k.host)
		}
	}
	return hosts
}

// listen takes what a child says.
func (p *Peer) listen(r io.Reader, c *Channel, sid ID) error {
	for {
		a, err := p.readStrict(r)
		if err != nil {
			return err
		}
		switch a.Name {
		case "quit":
			return fmt.Errorf("quit %d", a.value())
		case "bcst":
			if h, ok := a.Find("host"); ok {
				c.report(sid, h)
			}
		}
	}
}

func (c *Channel) report(sid ID, h Atom) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.children[sid]; k != nil && h.id("id") == sid {
		k.host = h
	}
	c.tell()
}

// send sends the channel from a position on, until it ends or ctx does.
func (c *Channel) send(ctx context.Context, conn net.Conn, pos uint32) error {
	infos, heads, cursor := -1, -1, -1
	for {
		c.mu.Lock()
		var b []byte
		if c.heads > 0 && heads != c.heads {
			b = append(b, c.chanAtom(true, pktAtom("head", packet{c.headPos, 0, c.head})).Bytes()...)
			heads, infos = c.heads, c.infos
			if cursor < 0 {
				cursor = c.start(pos)
			}
		} else if infos != c.infos {
			b = append(b, c.chanAtom(true, nil).Bytes()...)
			infos = c.infos
		}
		if cursor >= 0 && cursor < c.first {
			cursor = c.start(0) // it was too slow
		}
		for ; cursor >= 0 && cursor < c.first+len(c.packets); cursor++ {
			b = append(b, c.chanAtom(false, pktAtom("data", c.packets[cursor-c.first])).Bytes()...)
		}
		over, changed := c.over, c.changed
		c.mu.Unlock()
		if over {
			b = append(b, Int("quit", 1008).Bytes()...)
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
		if over {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// play serves a player.
func (p *Peer) play(ctx context.Context, conn net.Conn, id ID) error {
	c := p.Channel(id)
	if c == nil {
		_, err := io.WriteString(conn, "HTTP/1.0 404 Not Found\r\n\r\n")
		return err
	}
	conn.SetDeadline(time.Time{})
	io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Type: video/x-flv\r\n\r\n")
	heads, cursor := 0, -1
	for {
		c.mu.Lock()
		var b []byte
		if c.heads > 0 && heads == 0 {
			b, heads, cursor = append(b, c.head...), c.heads, c.start(0)
		}
		for ; cursor >= 0 && cursor < c.first+len(c.packets); cursor++ {
			b = append(b, c.packets[max(0, cursor-c.first)].data...)
		}
		over, changed := c.over, c.changed
		c.mu.Unlock()
		if _, err := conn.Write(b); err != nil || over {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// test dials who asks for it.
func (p *Peer) test(ctx context.Context, conn net.Conn, port uint16, sid ID) bool {
	return p.Test(ctx, netip.AddrPortFrom(addrOf(conn).Addr(), port), sid)
}

// Test dials a port, and reports whether that session answers there.
func (p *Peer) Test(ctx context.Context, at netip.AddrPort, sid ID) bool {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	back, err := p.Dial(ctx, "tcp", at.String())
	if err != nil {
		return false
	}
	defer back.Close()
	back.SetDeadline(time.Now().Add(dialTime))
	over := uint32(1)
	if at.Addr().Is6() {
		over = 100
	}
	back.Write(append(Int("pcp\n", over).Bytes(), Of("helo", Raw("sid", p.Session[:])).Bytes()...))
	a, err := Read(back)
	back.Write(Int("quit", 1000).Bytes())
	return err == nil && a.Name == "oleh" && a.id("sid") == sid
}

// readStrict reads an atom, which peercast-yt looks at more closely.
func (p *Peer) readStrict(r io.Reader) (Atom, error) {
	a, err := Read(r)
	if err == nil && p.Kind == YT {
		err = strict(a)
	}
	return a, err
}

func addrOf(conn net.Conn) netip.AddrPort {
	a, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func parseID(s string) (id ID) {
	s, _, _ = strings.Cut(s, ".")
	for i := range id {
		if len(s) < 2*i+2 {
			return ID{}
		}
		v, err := strconv.ParseUint(s[2*i:2*i+2], 16, 8)
		if err != nil {
			return ID{}
		}
		id[i] = byte(v)
	}
	return id
}

// readLines reads lines of HTTP up to the empty one.
func readLines(r *bufio.Reader) (lines []string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			if len(lines) == 0 {
				return nil, errors.New("no lines")
			}
			return lines, nil
		}
		lines = append(lines, line)
	}
}

func fieldOf(lines []string, name string) string {
	for _, l := range lines[1:] {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
