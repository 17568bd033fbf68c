package words

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

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

// TestWhatOthersSayIsToldBeforeAFamilyThatThisNetworkLacks has one of a source's two addresses be of
// a family that leads nowhere from here.
func TestWhatOthersSayIsToldBeforeAFamilyThatThisNetworkLacks(t *testing.T) {
	now := time.Unix(1e9, 0)
	lacks := relay.DialFailed{Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}}
	full := relay.Refused{Reason: tree.ReasonFull}
	for name, notices := range map[string][]relay.Notice{"before": {lacks, full}, "after": {full, lacks}} {
		j := NewJoining(now)
		for _, n := range notices {
			j.Note(n, now)
		}
		if why, _ := j.Trouble(now.Add(JoinPatience)); !strings.Contains(why, "all the children") {
			t.Errorf("%s: %q", name, why)
		}
	}
	j := NewJoining(now)
	j.Note(lacks, now)
	if why, _ := j.Trouble(now.Add(JoinPatience)); !strings.Contains(why, "does not answer") {
		t.Errorf("alone: %q", why)
	}
}
