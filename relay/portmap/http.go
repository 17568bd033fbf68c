package portmap

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/huin/goupnp"
)

// httpTime bounds each request to a router, from the connection to the last byte.
const httpTime = 3 * time.Second

// newHTTP makes a client that can reach nothing but one router, from one address of ours,
// and reads documents that are within their bounds. It follows no redirects, uses no proxy
// and keeps no connection, which cheap routers have few of.
func newHTTP(a asker) *http.Client {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.source, 0))}
	return &http.Client{
		Timeout:       httpTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: documents{a.strange, &http.Transport{
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				return d.DialContext(ctx, network, net.JoinHostPort(a.router.Addr().String(), port))
			},
		}},
	}
}

// errRedirect is why an answer is not used that leads elsewhere.
var errRedirect error = &failure{Broken, errors.New("the router wants to send us elsewhere")}

// documents reads each answer whole, and refuses what is out of bounds before anybody
// decodes it.
type documents struct {
	strange *strangers
	http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (d documents) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 3 {
		d.strange.document.Add(1)
		return nil, errRedirect
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, documentMost+1))
	// Some routers give a wrong length: what is whole XML is good enough.
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if len(b) > documentMost {
		d.strange.document.Add(1)
		return nil, errDocument
	}
	if len(b) > 0 {
		if b, err = tidy(b); err != nil {
			d.strange.document.Add(1)
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	resp.ContentLength = int64(len(b))
	return resp, nil
}

// describe fetches the description of a router. URLs in it are relative to where it was
// found, unless it names another base at the router.
func describe(ctx context.Context, client *http.Client, at *url.URL, router netip.Addr) (*goupnp.RootDevice, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, failf(Broken, "the router answers HTTP %d instead of describing itself", resp.StatusCode)
	}
	d := xml.NewDecoder(resp.Body)
	d.DefaultSpace = goupnp.DeviceXMLNamespace
	root := new(goupnp.RootDevice)
	if err := d.Decode(root); err != nil {
		return nil, &failure{Broken, fmt.Errorf("the router describes itself wrongly: %w", err)}
	}
	base := at
	if u, err := atRouter(root.URLBaseStr, router); err == nil {
		base = u
	}
	root.SetURLBase(base)
	return root, nil
}
