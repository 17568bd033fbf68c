package pcptest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// errFull is a 503.
var errFull = errors.New("full")

// Pull pulls a channel from its tip, follows hosts that are named, and comes back when it is lost,
// until ctx ends. What comes can be pulled from the model in turn.
func (p *Peer) Pull(ctx context.Context, id ID, tip string) {
	c := p.channel(id)
	var known []netip.AddrPort
	for ctx.Err() == nil {
		hosts := known
		known = nil
		for _, h := range hosts {
			if h != p.At {
				p.log("pull from %v: %v", h, p.pull(ctx, c, h.String(), &known))
			}
		}
		for n, at := 0, tip; n < mostNamed && ctx.Err() == nil; n++ {
			err := p.pull(ctx, c, at, &known)
			p.log("pull from %s: %v", at, err)
			if !errors.Is(err, errFull) || len(known) == 0 {
				break
			}
			at, known = known[0].String(), known[1:] // the first usable one, at once
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (p *Peer) pull(ctx context.Context, c *Channel, at string, known *[]netip.AddrPort) error {
	dialling, done := context.WithTimeout(ctx, dialTime)
	conn, err := p.Dial(dialling, "tcp", at)
	done()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(handshakeTime))
	over := 1
	if addrOf(conn).Addr().Is6() {
		over = 100
	}
	request := "GET /channel/" + c.ID.String() + " HTTP/1.0\r\n" + p.field("x-peercast-pcp", over)
	if p.Kind == YT {
		request = "GET /channel/" + c.ID.String() + " HTTP/1.0\r\n" + p.field("x-peercast-pos", 0) + p.field("x-peercast-pcp", over)
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	lines, err := readLines(r)
	if err != nil {
		return err
	}
	words := strings.Fields(lines[0])
	if len(words) < 2 || words[1] != "200" && words[1] != "503" {
		return errors.New(lines[0])
	}
	helo := []Atom{Text("agnt", p.agent()), Int("ver", 1218), Raw("sid", p.Session[:])}
	switch {
	case p.Ping:
		helo = append(helo, Short("ping", p.At.Port()))
	case p.At.IsValid():
		helo = append(helo, Short("port", p.At.Port()))
	}
	if _, err := conn.Write(Of("helo", helo...).Bytes()); err != nil {
		return err
	}
	oleh, err := p.readStrict(r)
	if err != nil {
		return err
	}
	if oleh.Name != "oleh" {
		return fmt.Errorf("%q and no oleh", oleh.Name)
	}
	p.mu.Lock()
	p.olehs = append(p.olehs, oleh)
	p.mu.Unlock()
	if words[1] == "503" {
		return p.others(r, c.ID, known)
	}
	conn.SetDeadline(time.Time{})
	return p.receive(ctx, conn, r, c, known)
}

// others reads whom a host names that is full.
func (p *Peer) others(r io.Reader, id ID, known *[]netip.AddrPort) error {
	for {
		a, err := p.readStrict(r)
		if err != nil {
			return err
		}
		switch a.Name {
		case "host":
			p.remember(a, id, known)
		case "quit":
			return errFull
		}
	}
}

// remember takes a host down that can be dialled.
func (p *Peer) remember(a Atom, id ID, known *[]netip.AddrPort) {
	ip, _ := a.Find("ip")
	port, _ := a.Find("port")
	at := netip.AddrPortFrom(ip.addr(), uint16(port.value()))
	if flags := a.number("flg1"); a.id("cid") == id && flags&0x10 != 0 && flags&0x08 == 0 && at.Port() != 0 && at != p.At {
		*known = append(*known, at)
	}
}

func (p *Peer) receive(ctx context.Context, conn net.Conn, r io.Reader, c *Channel, known *[]netip.AddrPort) error {
	ctx, cancel := context.WithCancel(ctx)
	var reports sync.WaitGroup
	reports.Go(func() { p.report(ctx, conn, c) })
	defer reports.Wait()
	defer cancel()
	for {
		a, err := p.readStrict(r)
		if err != nil {
			return err
		}
		switch a.Name {
		case "chan":
			if a.id("id") == c.ID {
				c.take(a)
			}
		case "host":
			p.remember(a, c.ID, known)
		case "quit":
			return fmt.Errorf("quit %d", a.value())
		}
	}
}

// report says to who is pulled from that the model has the channel, at once and every 120 s.
func (p *Peer) report(ctx context.Context, conn net.Conn, c *Channel) {
	for {
		c.mu.Lock()
		relays := len(c.children)
		c.mu.Unlock()
		flags := byte(0x10)
		switch {
		case !p.At.IsValid():
			flags |= 0x08
		case relays < p.slots():
			flags |= 0x02
		}
		host := Of("host", Raw("cid", c.ID[:]), Raw("id", p.Session[:]), IP("ip", p.At.Addr()), Short("port", p.At.Port()), IP("ip", p.At.Addr()), Short("port", p.At.Port()),
			Int("numl", 1), Int("numr", uint32(relays)), Int("uptm", 0), Int("ver", 1218), Int("vevp", 27), Char("flg1", flags), Int("oldp", 0), Int("newp", 0),
			IP("upip", addrOf(conn).Addr()), Int("uppt", uint32(addrOf(conn).Port())), Int("uphp", 0))
		bcst := Of("bcst", Char("grp", 2), Char("hops", 0), Char("ttl", 11), Raw("from", p.Session[:]), Int("vers", 1218), Int("vrvp", 27), Raw("cid", c.ID[:]), host)
		if _, err := conn.Write(bcst.Bytes()); err != nil {
			return
		}
		select {
		case <-time.After(reportEvery):
		case <-ctx.Done():
			return
		}
	}
}
