package words

import (
	"strings"
	"testing"

	"relay/relay/seal"
)

func TestTheLinkWithTheJoinPartAloneSaysThatNobodyCanWatchWithIt(t *testing.T) {
	id := [32]byte{1}
	secret := seal.New()
	link := "relay://" + strings.Repeat("a", 52) + "@192.168.1.5:7144"
	const remark = "\n        (nobody can watch with this link, only pass the stream on)"
	for name, c := range map[string]struct{ link, want string }{
		"public":      {link, ""},
		"whole":       {link + "#" + secret.Fragment(), ""},
		"passphrase":  {link + "#passphrase", ""},
		"join part":   {link + "#" + secret.JoinOnly(id).Fragment(), remark},
		"no link yet": {"", ""},
	} {
		want := "Share   relay watch " + c.link + c.want
		if got := strings.Join(Share(c.link), "\n"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		moved := strings.Join(Moved("relay://ID@192.168.1.4:7144", c.link, "http://192.168.1.5:7145/", Mapped{}), "\n")
		if !strings.HasSuffix(moved, "\n"+want) {
			t.Errorf("%s, at another address: %q", name, moved)
		}
	}
	if got := Share(link + "\x1b[2J"); strings.Contains(got[0], "\x1b") {
		t.Errorf("%q", got)
	}
}
