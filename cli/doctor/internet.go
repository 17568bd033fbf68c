package doctor

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/playback/api"
	"relay/relay"
)

// internet is what other nodes found out when they were asked to dial this machine.
type internet struct {
	api.DialBacks
	asked bool   // the user wanted it
	err   error  // why nobody could be asked; nil if somebody was
	next  string // what to do then
}

// askInternet has other nodes dial this machine: those that the relay here knows, or else those of
// an invite.
func askInternet(ctx context.Context, cfg Config, running bool) internet {
	in := internet{asked: true}
	switch {
	case running:
		in.DialBacks, in.err = cfg.Relay.DialBacks(ctx)
		in.next = "Start the relay here again, in this version, and ask again."
	case cfg.Invite == nil:
		in.err = fmt.Errorf("no relay runs here that knows other nodes")
		in.next = "Name a link to ask the nodes in it: relay doctor --internet LINK. Or start relay watch LINK first."
	default:
		in.next = "Start relay watch LINK first, which takes another port if need be, and ask again."
		var c api.ChannelDialBack
		if c, in.err = askFromHere(ctx, *cfg.Invite, cfg.Ports[0].Number); in.err == nil {
			in.Channels = append(in.Channels, c)
		}
	}
	return in
}

// askFromHere opens relay's port for as long as the invite's nodes take to dial it.
func askFromHere(ctx context.Context, inv relay.Invite, port int) (api.ChannelDialBack, error) {
	c := api.ChannelDialBack{ID: inv.Channel.String(), Name: inv.Channel.Short()}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return c, err
	}
	at := fmt.Sprintf(":%d", port)
	ln, err := net.Listen("tcp", at)
	if err != nil {
		return c, fmt.Errorf("port %d cannot be opened: %w", port, err)
	}
	defer ln.Close()
	nc := relay.Config{Key: key, Listener: ln, Slots: -1}
	if packet, err := net.ListenPacket("udp", at); err == nil {
		defer packet.Close()
		nc.Packet = packet
	}
	node, err := relay.New(nc)
	if err != nil {
		return c, err
	}
	var addrs []netip.AddrPort
	for _, h := range inv.Hosts {
		if _, ok := h.Domain(); ok {
			continue // it stands for addresses of relays that run; those in the link do for this
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Host)
		if err != nil {
			c.Asked = append(c.Asked, api.DialBack{By: h.String(), Problem: "its address cannot be found: " + fault.Plain(err)})
		}
		for _, ip := range ips {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), h.Port))
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- node.Run(ctx) }() // ends with ctx
	c.Asked = append(c.Asked, words.DialBacks(node.AskDialBacks(ctx, inv, addrs, uint16(port)))...)
	cancel()
	return c, <-ran
}

func (m machine) checkInternet() []Finding {
	f := findings{topic: "From outside"}
	if !m.internet.asked {
		return nil
	}
	if m.internet.err != nil {
		f.todo(m.internet.next, "Nobody could be asked to dial this machine: %s.", fault.Plain(m.internet.err))
	}
	for _, c := range m.internet.Channels {
		if c.Problem != "" {
			f.note("", "Nobody was asked about channel %s: %s.", c.Name, c.Problem)
		} else if len(c.Asked) == 0 {
			f.note("Have somebody elsewhere watch it and ask again, or name a link to another channel: relay doctor --internet LINK.",
				"No other node of channel %s is known, so nobody could be asked to dial this machine.", c.Name)
		}
		for _, d := range c.Asked {
			dialledBy(&f, d)
		}
	}
	return f.all
}

// dialledBy says what one node found out.
func dialledBy(f *findings, d api.DialBack) {
	near := ""
	if d.Near {
		near = " It is in this network, which says nothing of the Internet."
	}
	port := "the port"
	if a, err := netip.ParseAddrPort(d.Addr); err == nil {
		port = fmt.Sprintf("port %d", a.Port())
	}
	switch {
	case d.Problem != "":
		f.note("", "%s was asked to dial this machine, and has not: %s.", d.By, d.Problem)
	case d.TCP == api.ReachOpen && d.UDP == api.ReachClosed:
		f.todo("Have the router and the firewall let "+port+" in over UDP as well: the nodes of a channel find each other by it.",
			"%s gets through to %s over TCP, and not over UDP.%s", d.By, d.Addr, near)
	case d.TCP == api.ReachOpen && d.UDP == api.ReachOpen:
		f.fine("%s gets through to %s, over TCP and over UDP.%s", d.By, d.Addr, near)
	case d.TCP == api.ReachOpen:
		f.fine("%s gets through to %s over TCP; UDP was not tried.%s", d.By, d.Addr, near)
	case d.UDP == api.ReachOpen:
		f.todo("Have the router and the firewall let "+port+" in over TCP as well: streams come over it.",
			"%s gets through to %s over UDP, and not over TCP.%s", d.By, d.Addr, near)
	default:
		f.todo("Forward "+port+", TCP and UDP, in the router to this machine, and let it in through the firewall. Where that cannot be done, this machine can still watch; a source needs --via then.",
			"%s sees this machine at %s and does not get through, neither over TCP nor over UDP.%s", d.By, d.Addr, near)
	}
}
