package relay

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"relay/tree"
)

// alpn names the protocol in the TLS handshake, so that a port scanner or a web
// server at the other end is told apart at once. Nodes of relay/2 know the frames from 0x20 on
// besides, those of relay/3 what private channels and two sources with one key need, and those of
// relay/4 sums, those of relay/5 openings, and those of relay/6 names, how many watch, and what was kept; those that know several prefer the newest. All connections offer all, so that they do
// not show whose channel is private.
const (
	alpn1 = "relay/1"
	alpn2 = "relay/2"
	alpn3 = "relay/3"
	alpn4 = "relay/4"
	alpn5 = "relay/5"
	alpn  = "relay/6"
)

// alpnGossip names the other protocol of the port: one stream of a channel's gossip.
const alpnGossip = "relay-gossip/1"

var errPeerCert = errors.New("the other side shows no valid node certificate")

// NodeID returns the ID of the node that holds the key.
func NodeID(pub ed25519.PublicKey) tree.ID { return sha256.Sum256(pub) }

// identity is a node's key in the forms it is needed in.
type identity struct {
	id   tree.ID
	cert tls.Certificate
}

// newIdentity makes the node's self-signed certificate. It carries the public key
// and nothing else: no name, no host, dates that never matter.
func newIdentity(key ed25519.PrivateKey) (identity, error) {
	pub := key.Public().(ed25519.PublicKey)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, pub, key)
	if err != nil {
		return identity{}, fmt.Errorf("make node certificate: %w", err)
	}
	return identity{NodeID(pub), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// tlsConfig is the one configuration of links, for both sides: the one that dials gives
// the protocol it wants, the one that listens gives all it knows. The handshake proves
// that the peer holds the key of its certificate. VerifyConnection and the caller check
// who that is, so no authority is asked.
func (i identity) tlsConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		Certificates:                []tls.Certificate{i.cert},
		ClientAuth:                  tls.RequireAnyClientCert,
		InsecureSkipVerify:          true, //nolint:gosec // see VerifyConnection
		NextProtos:                  protocols,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // a chunk is one record
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := peerID(cs)
			return err
		},
	}
}

// peerID returns who is at the other end.
func peerID(cs tls.ConnectionState) (tree.ID, error) {
	if cs.NegotiatedProtocol == "" || len(cs.PeerCertificates) != 1 {
		return tree.ID{}, errPeerCert
	}
	pub, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return tree.ID{}, errPeerCert
	}
	return NodeID(pub), nil
}
