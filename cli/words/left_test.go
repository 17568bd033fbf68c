package words

import "testing"

func TestPeersThatWereLeftAreToldInWords(t *testing.T) {
	for want, left := range map[string]map[string]uint64{
		"":                                    nil,
		"left 1 peer: starving":               {"slow": 1},
		"left 2 peers: forged data, starving": {"slow": 1, "forged": 1},
		"left 4 peers: broken protocol":       {"protocol": 4},
	} {
		if got := leftText(left); got != want {
			t.Errorf("%v: %q, want %q", left, got, want)
		}
	}
}
