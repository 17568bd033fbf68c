package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// tokenLeast keeps a token from being guessed at the rate at which proofs are taken, and
	// tokenMost bounds it; both in bytes.
	tokenLeast = 8
	tokenMost  = 128
)

// proofContext begins what a proof is made of, so that it is of no use for anything else.
const proofContext = "relay/1 offer"

// Token is a secret by which a source may bring any channel to a helper. No text shows it, whatever
// verb prints it. The zero Token is none.
type Token struct{ secret string }

// ParseToken takes a token as a person wrote it. Its error does not show it.
func ParseToken(s string) (Token, error) {
	s = strings.TrimSpace(s)
	if len(s) < tokenLeast || len(s) > tokenMost || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, fmt.Errorf("a token has %d to %d letters, digits and signs, without blanks", tokenLeast, tokenMost)
	}
	return Token{s}, nil
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secret == "" }

// Format writes a placeholder.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(token)") }

// proof is what a source shows a helper in place of the token: it holds between these two nodes and
// for this channel alone.
func (t Token) proof(helper, source tree.ID, channel stream.ChannelID) [wire.ProofLen]byte {
	m := hmac.New(sha256.New, []byte(t.secret))
	for _, part := range [][]byte{[]byte(proofContext), helper[:], source[:], channel[:]} {
		m.Write(part)
	}
	return [wire.ProofLen]byte(m.Sum(nil))
}

// proves reports whether p is that proof, in the same time whatever is wrong with it.
func (t Token) proves(p [wire.ProofLen]byte, helper, source tree.ID, channel stream.ChannelID) bool {
	want := t.proof(helper, source, channel)
	return !t.IsZero() && hmac.Equal(p[:], want[:])
}

// offerOf is the offer of a channel from this node to a helper.
func (c *Channel) offerOf(to tree.ID, t Token) wire.Offer {
	o := wire.Offer{Channel: c.id}
	if !t.IsZero() {
		p := t.proof(to, c.node.ID(), c.id)
		o.Proof = &p
	}
	return o
}

var errNotAToken = errors.New("behind the helper's ID may come ?token= and its token, and nothing else")

// cutToken cuts the token off what names a helper. No error shows any of it.
func cutToken(s string) (helper string, t Token, err error) {
	helper, query, ok := strings.Cut(s, "?")
	if !ok {
		return helper, t, nil
	}
	secret, ok := strings.CutPrefix(query, "token=")
	if !ok {
		return helper, t, errNotAToken
	}
	t, err = ParseToken(secret)
	return helper, t, err
}
