package words

import (
	"errors"
	"testing"

	"relay/cli/fault"
	"relay/relay"
	"relay/tree"
)

func TestGivingUpTellsNobodyThereFromRefused(t *testing.T) {
	failed := relay.DialFailed{Err: errors.New("connection refused")}
	refused := func(r tree.Reason) relay.Notice { return relay.Refused{Reason: r} }
	full, absent, orphan := refused(tree.ReasonFull), refused(tree.ReasonChannel), refused(tree.ReasonOrphan)
	for name, c := range map[string]struct {
		notices []relay.Notice
		want    int
	}{
		"nothing heard":       {nil, fault.ExitNobody},
		"dead":                {[]relay.Notice{failed}, fault.ExitNobody},
		"full":                {[]relay.Notice{full, full}, fault.ExitRefused},
		"full and dead":       {[]relay.Notice{full, failed}, fault.ExitNobody},
		"no such channel":     {[]relay.Notice{absent}, fault.ExitNobody},
		"without a source":    {[]relay.Notice{orphan}, fault.ExitNobody},
		"lost, then full":     {[]relay.Notice{failed, relay.Orphaned{}, full}, fault.ExitRefused},
		"attached, then dead": {[]relay.Notice{full, relay.Attached{}, failed}, fault.ExitNobody},
		"another version":     {[]relay.Notice{refused(tree.ReasonVersion)}, fault.ExitRefused},
	} {
		var s search
		for _, n := range c.notices {
			s.note(n)
		}
		if got := s.outcome(); got != c.want {
			t.Errorf("%s: exit %d, want %d", name, got, c.want)
		}
	}
}
