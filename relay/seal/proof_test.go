package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
)

// session is the two ends of a TLS connection.
func session(t *testing.T) (client, server tls.ConnectionState) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, SessionTicketsDisabled: true})
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState(), s.ConnectionState()
}

func TestAProofHoldsForOneSideOfOneConnection(t *testing.T) {
	a, id := New(), Channel{1}
	j := a.Join(id)
	client, server := session(t)
	p, err := j.Proof(&client, Client)
	if err != nil {
		t.Fatal(err)
	}
	if !a.JoinOnly(id).Join(id).Proves(p, &server, Client) {
		t.Error("the other end does not believe it")
	}
	_, other := session(t)
	flipped := p
	flipped[ProofLen-1] ^= 1
	for what, wrong := range map[string]bool{
		"sent back":                         j.Proves(p, &client, Server),
		"on another connection":             j.Proves(p, &other, Client),
		"with a bit changed":                j.Proves(flipped, &server, Client),
		"with another secret":               New().Join(id).Proves(p, &server, Client),
		"for another channel":               a.Join(Channel{2}).Proves(p, &server, Client),
		"by a node without such a channel":  Nobody().Proves(p, &server, Client),
		"that is empty, with another's key": Nobody().Proves([ProofLen]byte{}, &server, Client),
	} {
		if wrong {
			t.Errorf("it is believed %s", what)
		}
	}
}
