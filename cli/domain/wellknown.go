package domain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
)

const (
	// path is where the file is (RFC 8615).
	path = "/.well-known/relay.txt"
	// maxFile bounds it, in bytes, and maxHead what is sent ahead of it.
	maxFile = 64 << 10
	maxHead = 16 << 10
	// maxRedirects is how often one may be sent on to another place on the same host.
	maxRedirects = 2
	// connectFor bounds the wait at one of the host's addresses: another may answer.
	connectFor = 1500 * time.Millisecond
)

var (
	errTooLong = fmt.Errorf("it has more than %d KiB", maxFile>>10)
	errDead    = errors.New("its address leads nowhere")
	errWebPage = errors.New("there is a web page and no such file")
	errStatus  = errors.New("there is no such file")
)

// elsewhere says that the file is said to be on another host, or not behind TLS.
type elsewhere struct{ to string }

func (e *elsewhere) Error() string {
	return "it leads to " + e.to + ", where it is not looked for"
}

// file fetches the file, and returns its lines, and its address. The host has to prove by TLS that it is the
// domain's, so that whatever address the domain stands for, nobody else is taken for it.
func (r *Resolver) file(ctx context.Context, n Name) (lines []string, where string, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.wait, askFor))
	defer cancel()
	where = "https://" + string(n) + path
	transport := &http.Transport{
		DialContext: r.connect, TLSClientConfig: &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: maxHead, DisableKeepAlives: true, DisableCompression: true,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(to *http.Request, before []*http.Request) error {
		if to.URL.Scheme != "https" || to.URL.Host != before[0].URL.Host || len(before) > maxRedirects {
			return &elsewhere{hostOf(to)}
		}
		return nil
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, where, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, where, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, where, fmt.Errorf("%w (%d %s)", errStatus, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	switch {
	case err != nil:
		return nil, where, err
	case webPage(resp.Header.Get("Content-Type"), b):
		return nil, where, errWebPage
	case len(b) > maxFile:
		return nil, where, errTooLong
	}
	return strings.FieldsFunc(strings.TrimPrefix(string(b), "\ufeff"), func(r rune) bool { return r == '\n' || r == '\r' }), where, nil
}

// webPage reports whether an answer is for browsers, as servers give it for whatever is not there.
func webPage(kind string, b []byte) bool {
	b = bytes.TrimLeftFunc(bytes.TrimPrefix(b, []byte("\ufeff")), unicode.IsSpace)
	return strings.HasPrefix(kind, "text/html") || bytes.HasPrefix(b, []byte("<"))
}

// hostOf is the host of a request, fit to be shown: a stranger has named it.
func hostOf(r *http.Request) string {
	if n, err := Parse(r.URL.Hostname()); err == nil && r.URL.Scheme == "https" {
		return n.Shown()
	}
	return "another place"
}

// connect looks a host up and connects to it. A name server that blocks a name tells an address that leads
// nowhere, or to this machine.
func (r *Resolver) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if r.dial != nil {
		return r.dial(ctx, network, addr)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ips, err := r.dns().LookupNetIP(ctx, "ip", host+".")
	if err != nil {
		return nil, err
	}
	err = errDead
	for _, ip := range ips[:min(len(ips), maxAddrs)] {
		if ip = ip.Unmap(); dead(ip) {
			continue
		}
		var conn net.Conn
		if conn, err = (&net.Dialer{Timeout: connectFor}).DialContext(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}
