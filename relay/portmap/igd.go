package portmap

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/dcps/internetgateway2"
	"github.com/huin/goupnp/soap"
)

// wan is what the three services that map ports have in common.
type wan interface {
	AddPortMappingCtx(ctx context.Context, remote string, external uint16, proto string, internal uint16, client string, enabled bool, description string, lease uint32) error
	DeletePortMappingCtx(ctx context.Context, remote string, external uint16, proto string) error
	GetExternalIPAddressCtx(ctx context.Context) (string, error)
	GetSpecificPortMappingEntryCtx(ctx context.Context, remote string, external uint16, proto string) (internal uint16, client string, enabled bool, description string, lease uint32, err error)
}

// anyPort is what version 2 has besides: the router picks a port.
type anyPort interface {
	AddAnyPortMappingCtx(ctx context.Context, remote string, external uint16, proto string, internal uint16, client string, enabled bool, description string, lease uint32) (uint16, error)
}

// servicesMost bounds the services of one router that are asked anything.
const servicesMost = 8

// igd is a router that describes itself by UPnP.
type igd struct {
	asker
	http *http.Client
}

func newIGD(a asker) igd { return igd{a, newHTTP(a)} }

// roots finds the router's descriptions. It fails if there is none.
func (g igd) roots(ctx context.Context) ([]*goupnp.RootDevice, []*url.URL, error) {
	locations, err := g.searchRouter(ctx)
	if err != nil {
		return nil, nil, err
	}
	var roots []*goupnp.RootDevice
	var at []*url.URL
	for _, l := range locations {
		root, e := describe(ctx, g.http, l, g.router.Addr())
		if e != nil {
			err = e
			continue
		}
		roots, at = append(roots, root), append(at, l)
	}
	if len(roots) == 0 {
		return nil, nil, err
	}
	return roots, at, nil
}

// wans lists the services that map ports: the newest kind first.
func (g igd) wans(ctx context.Context) ([]wan, error) {
	roots, at, err := g.roots(ctx)
	if err != nil {
		return nil, err
	}
	var all []wan
	add := func(c *soap.SOAPClient, w wan) {
		if len(all) < servicesMost && g.own(c) {
			all = append(all, w)
		}
	}
	for i, root := range roots { // an error says that there is no such service
		two, _ := internetgateway2.NewWANIPConnection2ClientsFromRootDevice(root, at[i])
		for _, c := range two {
			add(c.SOAPClient, c)
		}
		one, _ := internetgateway2.NewWANIPConnection1ClientsFromRootDevice(root, at[i])
		for _, c := range one {
			add(c.SOAPClient, c)
		}
		ppp, _ := internetgateway2.NewWANPPPConnection1ClientsFromRootDevice(root, at[i])
		for _, c := range ppp {
			add(c.SOAPClient, c)
		}
	}
	if len(all) == 0 {
		return nil, failf(Unsupported, "the router has no service that maps ports")
	}
	return all, nil
}

// firewalls lists the services that open pinholes.
func (g igd) firewalls(ctx context.Context) ([]*internetgateway2.WANIPv6FirewallControl1, error) {
	roots, at, err := g.roots(ctx)
	if err != nil {
		return nil, err
	}
	var all []*internetgateway2.WANIPv6FirewallControl1
	for i, root := range roots {
		clients, _ := internetgateway2.NewWANIPv6FirewallControl1ClientsFromRootDevice(root, at[i])
		for _, c := range clients {
			if len(all) < servicesMost && g.own(c.SOAPClient) {
				all = append(all, c)
			}
		}
	}
	if len(all) == 0 {
		return nil, failf(Unsupported, "the router has no service that opens pinholes")
	}
	return all, nil
}

// own has a service called by our client alone. It reports whether the service is at the
// router.
func (g igd) own(c *soap.SOAPClient) bool {
	if _, err := atRouter(c.EndpointURL.String(), g.router.Addr()); err != nil {
		g.strange.location.Add(1)
		return false
	}
	c.HTTPClient = *g.http
	return true
}

// externalOf reads the address that a service gives; not valid if it has none.
func externalOf(ctx context.Context, w wan) (netip.Addr, error) {
	s, err := w.GetExternalIPAddressCtx(ctx)
	if err != nil {
		return netip.Addr{}, upnpError(err)
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() { // an empty one is that of a line that is down
		return netip.Addr{}, nil
	}
	return a.Unmap(), nil
}
