package relay

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

func mustToken(t *testing.T, s string) Token {
	t.Helper()
	k, err := ParseToken(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The proof is on the wire, so it must never change. The digest was computed with
// printf 'relay/1 offer' and the IDs | openssl dgst -sha256 -hmac open-sesame.
func TestAProofHoldsForTheseTwoNodesAndThisChannelAlone(t *testing.T) {
	token := mustToken(t, "open-sesame")
	helper, source, channel := tree.ID{1}, tree.ID{2}, stream.ChannelID{3}
	p := token.proof(helper, source, channel)
	if got := hex.EncodeToString(p[:]); got != "ecec56ca2532d20eb8b10800b6bf7cd71fcc6246143754e117e247e4cfe0d02e" {
		t.Errorf("the proof is %s", got)
	}
	if !token.proves(p, helper, source, channel) {
		t.Error("it is not believed")
	}
	flipped := p
	flipped[wire.ProofLen-1] ^= 1
	for what, wrong := range map[string]bool{
		"with another helper":     token.proves(p, tree.ID{9}, source, channel),
		"from another node":       token.proves(p, helper, tree.ID{9}, channel),
		"for another channel":     token.proves(p, helper, source, stream.ChannelID{9}),
		"with the sides reversed": token.proves(p, source, helper, channel),
		"with a bit changed":      token.proves(flipped, helper, source, channel),
		"of another token":        mustToken(t, "open-sesamf").proves(p, helper, source, channel),
		"where there is no token": Token{}.proves(Token{}.proof(helper, source, channel), helper, source, channel),
	} {
		if wrong {
			t.Errorf("it is believed %s", what)
		}
	}
}

func TestATokenIsNeverShown(t *testing.T) {
	const secret = "open-sesame"
	h, err := ParseHelper("relay.example.org/" + tree.ID{1}.String() + "?token=" + secret)
	if err != nil || h.Token != mustToken(t, secret) {
		t.Fatalf("%v, %v", h, err)
	}
	all := []any{h, &h, h.Token, &h.Token, Brought{Token: h.Token}, []Token{h.Token}}
	for _, v := range all {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, secret) || strings.Contains(s, hex.EncodeToString([]byte(secret))) {
				t.Errorf("%s of %T shows it: %s", verb, v, s)
			}
		}
	}
	if b, err := json.Marshal(h); err != nil || strings.Contains(string(b), secret) {
		t.Errorf("%s, %v", b, err)
	}
	id := tree.ID{1}.String()
	for _, s := range []string{
		"?token=" + secret, "relay.example.org?token=" + secret, id + "/relay.example.org?token=" + secret, "relay.example.org/" + id[1:] + "?token=" + secret,
		"relay.example.org/" + id + "?tokn=" + secret, "relay.example.org/" + id + "?" + secret, "relay.example.org/" + id + "?token=" + secret + " ü", "a b/" + id + "?token=" + secret,
	} {
		if _, err := ParseHelper(s); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestWhatATokenMayBe(t *testing.T) {
	for s, ok := range map[string]bool{
		"12345678": true, " 12345678\n": true, "a/b+c=d?e&f#g": true, strings.Repeat("x", tokenMost): true,
		"": false, "1234567": false, "1234 5678": false, "1234\x005678": false, "pässwörter": false, strings.Repeat("x", tokenMost+1): false,
	} {
		if _, err := ParseToken(s); ok != (err == nil) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
