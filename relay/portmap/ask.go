package portmap

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// readMost bounds the packets that are looked at in each readTime while one answer is
	// awaited: 6,400 a second at most, for the 1.75 s that a request takes.
	readMost = 64
	readTime = 10 * time.Millisecond
)

// tries is when a request is sent, and patience how long an answer is awaited, both since
// the first. The RFCs wait for a minute; a router in the same house answers at once, or
// the packet is lost.
var tries = []time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}

const patience = 1750 * time.Millisecond

// asker sends requests to one router from one of this machine's addresses.
type asker struct {
	router  netip.AddrPort
	source  netip.Addr
	strange *strangers
	// loose lets an answer come from another address of the router's: see searchRouter.
	loose bool
}

// ask sends a request until an answer is accepted. accept returns errMalformed or
// errUnasked for a packet to pass over, errMore to wait for another one; any other error
// ends it, as nil does.
// Each request has a socket of its own: a stranger has to guess its port.
func (a asker) ask(ctx context.Context, request []byte, accept func([]byte) error) error {
	conn, err := listenUDP(ctx, a.source)
	if err != nil {
		return err
	}
	defer conn.Close()
	return a.converse(ctx, conn, func() error {
		_, err := conn.WriteToUDPAddrPort(request, a.router)
		return err
	}, accept)
}

// converse is ask with a socket and a way to send that are given.
func (a asker) converse(ctx context.Context, conn *net.UDPConn, send func() error, accept func([]byte) error) error {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	start := time.Now()
	b := make([]byte, 2048) // longer ones are cut, and malformed then
	for i := range tries {
		if err := send(); err != nil && i == len(tries)-1 {
			return err
		}
		until := start.Add(patience)
		if i+1 < len(tries) {
			until = start.Add(tries[i+1])
		}
		err := a.read(ctx, conn, b, until, accept)
		if !errors.Is(err, errSilent) {
			return err
		}
	}
	return errSilent
}

// errSilent is why a request failed that was not answered.
var errSilent error = &failure{NoAnswer, errors.New("the router does not answer")}

func (a asker) read(ctx context.Context, conn *net.UDPConn, b []byte, until time.Time, accept func([]byte) error) error {
	conn.SetReadDeadline(until)
	if err := ctx.Err(); err != nil {
		return err // else that the context ended was overwritten just now
	}
	for n := 1; ; n++ {
		if n%readMost == 0 {
			time.Sleep(readTime)
		}
		k, from, err := conn.ReadFromUDPAddrPort(b)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !time.Now().Before(until):
			return errSilent
		case err != nil: // a system that tells of an earlier packet that could not be delivered
			time.Sleep(readTime)
			continue
		}
		if !a.from(from) {
			a.strange.sender.Add(1)
			continue
		}
		switch err := accept(b[:k]); {
		case errors.Is(err, errMalformed):
			a.strange.malformed.Add(1)
		case errors.Is(err, errUnasked):
			a.strange.unasked.Add(1)
		case errors.Is(err, errMore):
		default:
			return err
		}
	}
}

// from reports whether a packet is from the router, port and all.
func (a asker) from(from netip.AddrPort) bool {
	return from.Port() == a.router.Port() && (a.loose || sameHost(from.Addr(), a.router.Addr()))
}

// sameHost compares addresses without what systems add to them: a zone, or the IPv6 form.
func sameHost(a, b netip.Addr) bool { return a.Unmap().WithZone("") == b.Unmap().WithZone("") }

// listenUDP opens a socket at one of this machine's addresses, on any port.
func listenUDP(ctx context.Context, local netip.Addr) (*net.UDPConn, error) {
	network := "udp6"
	if local.Is4() {
		network = "udp4"
	}
	pc, err := new(net.ListenConfig).ListenPacket(ctx, network, netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return nil, err
	}
	return pc.(*net.UDPConn), nil
}
