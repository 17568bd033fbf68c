package tv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/multicast"
	"relay/relay/quota"
)

// SSDP's group and port (UPnP Device Architecture 1.0, 1.1.2).
var group = netip.MustParseAddr("239.255.255.250")

const ssdpPort = 1900

const (
	// aliveEvery is how often all are told, and aliveAge how long they believe it.
	aliveEvery = 15 * time.Minute
	aliveAge   = 2 * aliveEvery
	// aliveAgain is how long after the first word on an interface the second comes: one may be lost on a radio.
	aliveAgain = time.Second
	// maxSearch bounds a packet that is looked at, in bytes, and maxLines its lines.
	maxSearch = 1024
	maxLines  = 32
	// maxWait bounds how long an answer waits, whatever the asker says (MX): no crowd of servers answers here.
	maxWait = 3 * time.Second
	// maxPending bounds the answers that wait. Who asks while there are as many is answered at once.
	maxPending = 64
	// The answers to one address, in packets of 0.4 kB a second and at once, and those to all: what a TV asks for three
	// times, and next to nothing for an address that was forged. Twenty addresses that ask all they can leave room for others.
	oneRate, oneBurst = 2, 20
	allRate, allBurst = 100, 500
)

// search is a question who is there (1.2.2 there).
type search struct {
	target string
	wait   time.Duration // within which it is to be answered
}

var (
	errSearch = errors.New("no search")
	errOther  = errors.New("for others")
)

// parseSearch reads a packet. What others tell each other in the group is none of this server's business (errOther).
func parseSearch(b []byte) (q search, err error) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	switch {
	case len(b) > maxSearch:
		return q, errSearch
	case bytes.HasPrefix(line, []byte("NOTIFY ")) || bytes.HasPrefix(line, []byte("HTTP/1.1 ")):
		return q, errOther
	case !ok || string(line) != "M-SEARCH * HTTP/1.1":
		return q, errSearch
	}
	q.wait = time.Second
	discover := false
	for range maxLines {
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok || len(bytes.TrimSpace(line)) == 0 {
			if !discover || q.target == "" {
				return q, errSearch
			}
			return q, nil
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		switch strings.ToUpper(strings.TrimSpace(name)) {
		case "MAN":
			discover = strings.Trim(value, `"`) == "ssdp:discover"
		case "ST":
			q.target = value
		case "MX":
			n, err := strconv.ParseUint(value, 10, 16)
			if err != nil {
				return q, errSearch
			}
			q.wait = min(maxWait, time.Duration(n)*time.Second)
		}
	}
	return q, errSearch
}

// targets are what can be looked for here, that is meant by a search.
func (s *Server) targets(of string) []string {
	all := []string{"upnp:rootdevice", s.id, typeDevice, typeDirectory, typeConnections}
	if of == "ssdp:all" {
		return all
	}
	for _, t := range all {
		if t == of {
			return []string{t}
		}
	}
	return nil
}

// usn is the name of one target of this server (1.1.2 there).
func (s *Server) usn(target string) string {
	if target == s.id {
		return target
	}
	return s.id + "::" + target
}

// found is the answer to a search.
func (s *Server) found(target string, at netip.AddrPort, now time.Time) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=%d\r\nDATE: %s\r\nEXT:\r\nLOCATION: http://%s%s\r\nSERVER: %s\r\nST: %s\r\nUSN: %s\r\n\r\n",
		int(aliveAge.Seconds()), now.UTC().Format(http.TimeFormat), at, pathDevice, s.agent, target, s.usn(target))
}

// notify tells that a target is there, or no longer.
func (s *Server) notify(target string, at netip.AddrPort, alive bool) []byte {
	b := fmt.Appendf(nil, "NOTIFY * HTTP/1.1\r\nHOST: %s:%d\r\nNT: %s\r\nUSN: %s\r\n", group, ssdpPort, target, s.usn(target))
	if !alive {
		return append(b, "NTS: ssdp:byebye\r\n\r\n"...)
	}
	return fmt.Appendf(b, "NTS: ssdp:alive\r\nCACHE-CONTROL: max-age=%d\r\nLOCATION: http://%s%s\r\nSERVER: %s\r\n\r\n", int(aliveAge.Seconds()), at, pathDevice, s.agent)
}

// beacon is one run of SSDP.
type beacon struct {
	*Server
	port uint16 // where TVs read what there is
	ear  *multicast.Socket
	one  quota.Addrs
	all  *rate.Limiter
	wg   sync.WaitGroup // answers that wait
	slot chan struct{}  // one for each

	mu  sync.Mutex
	ifs []multicast.Interface
}

func newBeacon(s *Server, port uint16, ear *multicast.Socket) *beacon {
	return &beacon{
		Server: s, port: port, ear: ear, one: quota.Addrs{Rate: oneRate, Burst: oneBurst},
		all: rate.NewLimiter(allRate, allBurst), slot: make(chan struct{}, maxPending),
	}
}

// tell has TVs find the server at a port until ctx ends.
func (s *Server) tell(ctx context.Context, port uint16) error {
	ear, err := multicast.Listen(ctx, group, s.cfg.SSDPPort)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	b := newBeacon(s, port, ear)
	fresh := make(chan []multicast.Interface)
	var wg sync.WaitGroup
	wg.Go(func() { b.read(ctx) })            // ends when the socket is closed
	wg.Go(func() { b.announce(ctx, fresh) }) // ends with ctx
	hostnet.Watch(ctx, func() {
		if joined := b.look(); len(joined) > 0 {
			select {
			case fresh <- joined:
			case <-ctx.Done():
			}
		}
	})
	ear.Close()
	wg.Wait()
	b.wg.Wait()
	b.say(b.known(), false)
	return nil
}

// look joins the group on interfaces that are new, and returns these.
func (b *beacon) look() []multicast.Interface {
	ifs, err := multicast.Interfaces(b.cfg.Interfaces)
	if err != nil {
		b.cfg.Log.Debug("cannot list the interfaces", zap.Error(err))
		return nil // the old list is the best there is
	}
	var told []multicast.Interface
	for _, i := range ifs {
		if len(b.cfg.Interfaces) > 0 || i.Flags&net.FlagLoopback == 0 {
			told = append(told, i)
		}
	}
	b.mu.Lock()
	b.ifs = told
	b.mu.Unlock()
	joined, failed := b.ear.Follow(told)
	for _, err := range failed {
		b.cfg.Log.Debug("cannot join SSDP's group", zap.Error(err))
	}
	return joined
}

func (b *beacon) known() []multicast.Interface {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ifs
}

// announce tells that the server is there: on new interfaces twice, and on all now and then.
func (b *beacon) announce(ctx context.Context, fresh <-chan []multicast.Interface) {
	every := time.NewTicker(aliveEvery)
	defer every.Stop()
	var again <-chan time.Time
	var second []multicast.Interface
	for {
		select {
		case ifs := <-fresh:
			b.say(ifs, true)
			second = append(second, ifs...)
			again = time.After(aliveAgain)
		case <-again:
			b.say(second, true)
			second, again = nil, nil
		case <-every.C:
			b.say(b.known(), true)
		case <-ctx.Done():
			return
		}
	}
}

// say sends word on some interfaces, from each IPv4 address that this machine has there.
func (b *beacon) say(ifs []multicast.Interface, alive bool) {
	to := netip.AddrPortFrom(group, b.cfg.SSDPPort)
	for _, i := range ifs {
		for _, p := range i.Prefixes {
			if !p.Addr().Is4() || i.Flags&net.FlagPointToPoint != 0 {
				continue
			}
			conn, ask, err := multicast.From(i, p.Addr())
			if err != nil {
				continue // it has gone
			}
			for _, t := range b.targets("ssdp:all") {
				if ask != nil {
					break
				}
				_, ask = conn.WriteToUDPAddrPort(b.notify(t, netip.AddrPortFrom(p.Addr(), b.port), alive), to)
			}
			if ask != nil {
				b.cfg.Log.Debug("cannot tell TVs", zap.String("interface", i.Name), zap.Error(ask))
			}
			conn.Close()
		}
	}
}

// read answers searches until the socket is closed.
func (b *beacon) read(ctx context.Context) {
	const size = maxSearch + 1 // one more shows what is too long
	b.ear.Serve(size, func() { b.refused.Add(refusedPace) }, func(p []byte, from netip.AddrPort, index int) {
		q, err := parseSearch(p)
		if err == errSearch {
			b.refused.Add(refusedSearch)
		}
		if err == nil {
			b.answer(ctx, q, from, index)
		}
	})
}

// answer has a search answered before its time is over, if who asks is to be answered.
func (b *beacon) answer(ctx context.Context, q search, to netip.AddrPort, index int) {
	targets := b.targets(q.target)
	if len(targets) == 0 || to.Port() == 0 {
		return // it looks for something else
	}
	src := netip.Addr{}
	for _, i := range b.known() {
		if index != 0 && i.Index != index {
			continue
		}
		if src = i.Local(to.Addr()); src.IsValid() {
			break
		}
	}
	now := time.Now()
	if !src.IsValid() {
		b.refused.Add(refusedFrom)
		return
	}
	if !b.one.Allow(now, to.Addr().Unmap(), len(targets)) || !b.all.AllowN(now, len(targets)) {
		b.refused.Add(refusedTooMany)
		return
	}
	select {
	case b.slot <- struct{}{}:
	default:
		b.reply(targets, to, index, src)
		return
	}
	b.wg.Go(func() { // ends within maxWait, or with ctx
		defer func() { <-b.slot }()
		select {
		case <-time.After(rand.N(q.wait + 1)):
		case <-ctx.Done():
			return
		}
		b.reply(targets, to, index, src)
	})
}

// reply sends answers, from an address of the interface by which the search came.
func (b *beacon) reply(targets []string, to netip.AddrPort, index int, src netip.Addr) {
	for _, t := range targets {
		if err := b.ear.Reply(b.found(t, netip.AddrPortFrom(src, b.port), time.Now()), to, index, src); err != nil {
			b.cfg.Log.Debug("cannot answer a TV", zap.Stringer("to", to), zap.Error(err))
		}
	}
}
