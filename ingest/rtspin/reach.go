//go:build !lean

package rtspin

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"strings"
	"sync"
)

// dial connects to the camera, and to no other host: a camera that sends on would send the password
// there.
func (f *fetching) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if f.dials++; f.dials > dialsMost {
		return nil, ErrLoop
	}
	if !strings.EqualFold(host, f.URL.Hostname()) {
		r := &RedirectError{printable(addr)}
		f.elsewhere.Store(r)
		return nil, r
	}
	conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, network, addr)
	if err != nil || f.URL.Scheme == "rtsps" {
		return conn, err
	}
	return &beginning{conn, &f.first}, nil
}

// tls takes the certificate that the address names, or else one that this machine trusts.
func (f *fetching) tls() *tls.Config {
	if f.URL.Scheme != "rtsps" {
		return nil
	}
	return &tls.Config{
		InsecureSkipVerify: true, // it is verified here
		VerifyConnection: func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			is := hex.EncodeToString(sum[:])
			if f.Certificate == is {
				return nil
			}
			if f.Certificate == "" {
				between := x509.NewCertPool()
				for _, c := range s.PeerCertificates[1:] {
					between.AddCert(c)
				}
				if _, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: f.URL.Hostname(), Intermediates: between}); err == nil {
					return nil
				}
			}
			e := &CertificateError{SHA256: is, Wanted: f.Certificate, Retry: f.with(certificateQuery, is)}
			f.distrust.Store(e)
			return e
		},
	}
}

// begins are the first bytes that a server sent.
type begins struct {
	mu  sync.Mutex
	got []byte
}

// what says which protocol they are, nil for RTSP and for nothing.
func (b *begins) what() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch s := string(b.got); {
	case strings.HasPrefix(s, "HTTP/"):
		return ErrHTTP
	case s == "" || strings.HasPrefix("RTSP/", s):
		return nil
	}
	return ErrNotRTSP
}

// beginning is a connection of which the first bytes are remembered, and that ends when they are not RTSP: the library
// looks for RTSP in whatever comes.
type beginning struct {
	net.Conn
	first *begins
}

func (b *beginning) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.first.mu.Lock()
	if left := len("RTSP/") - len(b.first.got); left > 0 {
		b.first.got = append(b.first.got, p[:min(n, left)]...)
	}
	b.first.mu.Unlock()
	if what := b.first.what(); what != nil {
		return 0, what
	}
	return n, err
}
