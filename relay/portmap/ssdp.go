package portmap

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ssdpGroup is who is asked for UPnP devices on an IPv4 network (UPnP Device Architecture
// 1.1 §1.3.2). A router that is asked alone answers more surely: firewalls on this machine
// let in an answer from whom they saw a question go to.
var ssdpGroup = netip.MustParseAddr("239.255.255.250")

// ssdpTargets is what is searched for. Some routers answer only if everything is asked for;
// they are asked so alone, as the whole network would answer.
var ssdpTargets = []string{
	"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"ssdp:all",
}

// locationsMost bounds the descriptions that one router is asked for.
const locationsMost = 4

// search is an M-SEARCH packet. The router may wait for a second before it answers.
func search(to netip.AddrPort, target string) []byte {
	return []byte("M-SEARCH * HTTP/1.1\r\nHOST: " + to.String() +
		"\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n")
}

// parseSearchAnswer reads the answer to a search: where the device describes itself, and
// whether it says that it is a gateway.
func parseSearchAnswer(b []byte) (location string, gateway bool, err error) {
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	if f := strings.Fields(string(first)); len(f) < 2 || !strings.HasPrefix(f[0], "HTTP/1.") || f[1] != "200" {
		return "", false, errMalformed
	}
	for line := range strings.Lines(string(rest)) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "location":
			location = value
		case "st", "usn":
			gateway = gateway || strings.Contains(value, ":InternetGatewayDevice:")
		}
	}
	if location == "" {
		return "", false, errMalformed
	}
	return location, gateway, nil
}

// errElsewhere is why a URL of a router's is not used.
var errElsewhere error = &failure{Broken, errors.New("the router points to another host")}

// atRouter reads a URL that must lead to the router itself, by HTTP. A router has several
// IPv6 addresses: there the port and the path count, and the connection goes to the one
// that was asked.
func atRouter(s string, router netip.Addr) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Opaque != "" {
		return nil, errElsewhere
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || host.Is4() != router.Is4() || host.Is4() && !sameHost(host, router) {
		return nil, errElsewhere
	}
	return u, nil
}

// searchRouter asks the router for its UPnP descriptions. It returns with the first one
// of a gateway, else with all that came in time.
//
// An IPv6 router is asked at its link-local address and answers from a global one that
// nobody told us. There any address is let in: the question went to the router alone, from
// a port that others would have to guess, and a lie could only name a port and a path at
// that router.
func (a asker) searchRouter(ctx context.Context) ([]*url.URL, error) {
	conn, err := listenUDP(ctx, a.source)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	a.loose = a.router.Addr().Is6()
	var found []*url.URL
	err = a.converse(ctx, conn, func() error { return a.sendSearch(conn) }, func(b []byte) error {
		location, gateway, err := parseSearchAnswer(b)
		if err != nil {
			return err
		}
		u, err := atRouter(location, a.router.Addr())
		if err != nil {
			a.strange.location.Add(1)
			return errUnasked
		}
		known := slices.ContainsFunc(found, func(f *url.URL) bool { return f.String() == u.String() })
		if !known && len(found) < locationsMost {
			found = append(found, u)
		}
		if gateway {
			found = []*url.URL{u}
			return nil
		}
		return errMore
	})
	if len(found) > 0 && (err == nil || errors.Is(err, errSilent)) {
		return found, nil
	}
	return nil, err
}

// sendSearch asks the router alone and, on IPv4, the network. It fails if nothing could be
// sent.
func (a asker) sendSearch(conn *net.UDPConn) error {
	var errs []error
	sent := 0
	for i, target := range ssdpTargets {
		to := []netip.AddrPort{a.router}
		if a.source.Is4() && i < 2 && !a.router.Addr().IsLoopback() {
			to = append(to, netip.AddrPortFrom(ssdpGroup, a.router.Port()))
		}
		for _, to := range to {
			if _, err := conn.WriteToUDPAddrPort(search(to, target), to); err != nil {
				errs = append(errs, err)
			} else {
				sent++
			}
		}
	}
	if sent > 0 {
		return nil
	}
	return errors.Join(errs...)
}
