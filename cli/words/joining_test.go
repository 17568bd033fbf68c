package words

import (
	"errors"
	"net"
	"net/netip"
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

// TestDeadAddressesAreOneMessage has all of a link's addresses fail in turn, again and again.
func TestDeadAddressesAreOneMessage(t *testing.T) {
	now := time.Unix(1e9, 0)
	j := NewJoining(now)
	dead := func(host byte) {
		j.Note(relay.DialFailed{
			Place: tree.Place{Addrs: []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, host}), 7144)}},
			Err:   &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		}, now)
	}
	var said []string
	look := func() {
		now = now.Add(JoinPatience)
		if why, _ := j.Trouble(now); why != "" {
			said = append(said, why)
		}
	}
	dead(1)
	if got := j.Why(); got != "10.0.0.1:7144 does not answer: nothing listens on that port" {
		t.Errorf("one: %q", got)
	}
	dead(2)
	dead(3)
	for range 10 {
		look()
		for host := range byte(3) {
			dead(1 + host)
			look()
		}
	}
	j.Note(relay.Refused{Reason: tree.ReasonFull}, now)
	look()
	dead(1)
	look()
	j.Note(relay.Attached{}, now)
	if j.Why() != "" {
		t.Errorf("with a parent: %q", j.Why())
	}
	j.Note(relay.Orphaned{}, now)
	look()
	dead(1)
	look()
	want := []string{
		"none of 3 addresses answers. The last, 10.0.0.3:7144: nothing listens on that port",
		"every node that was asked has all the children it can take",
		"the node that sent the stream is gone",
		"10.0.0.1:7144 does not answer: nothing listens on that port",
	}
	if len(said) != len(want) {
		t.Fatalf("%q", said)
	}
	for i := range want {
		if !strings.HasPrefix(said[i], want[i]) {
			t.Errorf("%q, want %q", said[i], want[i])
		}
	}
}
