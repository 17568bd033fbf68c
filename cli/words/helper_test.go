package words

import (
	"errors"
	"strings"
	"testing"

	"relay/relay"
	"relay/relay/seal"
	"relay/tree"
)

// What a person is told of a helper says what to do next, and never shows the token.
func TestWhyAHelperDoesNotTakeAChannel(t *testing.T) {
	id := tree.ID{1}.String()
	inv := relay.Invite{Hosts: []relay.HostPort{{Host: "h", Port: 2}}}
	link := inv.String()
	for _, c := range []struct {
		via  string
		why  error
		text string
		hint string
	}{
		{"", tree.ReasonNotNeeded, "the relay at h:1 is no helper", "relay serve --helper " + link},
		{"", tree.ReasonChannel, "the helper h:1 does not carry this channel", "or tell you its token, for --token"},
		{"?token=open-sesame", tree.ReasonChannel, "the helper h:1 does not carry this channel", "it takes no token"},
		{"?token=open-sesame", tree.ReasonToken, "the helper h:1 does not know that token", "ask whoever runs it"},
		{"?token=open-sesame", tree.ReasonBusy, "the helper h:1 was shown too many tokens", "is the token right?"},
		{"?token=open-sesame", tree.ReasonFull, "the helper h:1 has no room for another channel", "--max-channels"},
		{"?token=open-sesame", tree.ReasonTooFast, "the helper h:1 has dropped this channel", "tries again after 2 minutes"},
		{"?token=open-sesame", errors.New("refused"), "the helper h:1 does not take this channel: refused", "Still trying"},
	} {
		h, err := relay.ParseHelper("h:1/" + id + c.via)
		if err != nil {
			t.Fatal(err)
		}
		w := HelperFailed(h, inv, c.why)
		if !strings.HasPrefix(w.Text, c.text) || !strings.Contains(w.Hint, c.hint) || strings.Contains(w.Text+w.Hint, "sesame") {
			t.Errorf("%v: %q, %q", c.why, w.Text, w.Hint)
		}
	}
	// A warning is an event, which others on this machine may read.
	h, err := relay.ParseHelper("h:1/" + id)
	if err != nil {
		t.Fatal(err)
	}
	inv.Access = seal.New()
	for _, why := range []error{tree.ReasonNotNeeded, tree.ReasonChannel} {
		if w := HelperFailed(h, inv, why); !strings.Contains(w.Hint, "relay link --join-only") || strings.Contains(w.Hint, inv.Access.Fragment()) || strings.Contains(w.Hint, inv.JoinOnly().Access.Fragment()) {
			t.Errorf("of a private channel: %q", w.Hint)
		}
	}
	text, hint := TooFast("stage", &relay.TooFastError{Rate: 9_100_000, Most: 6_000_000})
	if text != "Channel stage: dropped: its stream of 9.1 Mb/s is above --max-rate 6.0 Mb/s" || !strings.Contains(hint, "lower the bit rate") {
		t.Errorf("%q, %q", text, hint)
	}
}
