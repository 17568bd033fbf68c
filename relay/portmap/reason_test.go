package portmap

import (
	"net/netip"
	"testing"
)

func TestAnAddressThatNobodyCanDialIsKnown(t *testing.T) {
	for s, want := range map[string]Reason{
		"11.22.33.44":         None,
		"2001:db8::1":         None,
		"0.0.0.0":             NoAddress,
		"::":                  NoAddress,
		"192.168.1.254":       DoubleNAT,
		"10.1.2.3":            DoubleNAT,
		"172.16.0.1":          DoubleNAT,
		"169.254.3.3":         DoubleNAT,
		"fd00::1":             DoubleNAT,
		"100.64.250.247":      CarrierNAT, // as a Sagemcom F@st 5684 told
		"100.100.149.137":     CarrierNAT,
		"100.128.0.1":         None,
		"192.0.0.2":           CarrierNAT,
		"127.0.0.1":           Broken,
		"224.0.0.1":           Broken,
		"255.255.255.255":     Broken,
		"::ffff:192.168.1.25": DoubleNAT,
	} {
		if got := judge(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
	if judge(netip.Addr{}) != NoAddress {
		t.Error("no address is one")
	}
}

func TestEachReasonHasAName(t *testing.T) {
	seen := map[string]bool{}
	for r := range CarrierNAT + 1 {
		if s := r.String(); s == "" || s == "unknown" || seen[s] {
			t.Errorf("%d: %q", r, s)
		} else {
			seen[s] = true
		}
	}
	if (CarrierNAT + 1).String() != "unknown" {
		t.Error("there are more names than reasons")
	}
}

func TestOneReasonForAPerson(t *testing.T) {
	public := Mapping{External: netip.MustParseAddrPort("11.22.33.44:7144")}
	pinhole := Mapping{External: netip.MustParseAddrPort("[2001:db8::2]:7144")}
	behind := Mapping{External: netip.MustParseAddrPort("100.64.0.1:7144"), Reason: CarrierNAT}
	fails := func(all ...Reason) (f []Failure) {
		for _, r := range all {
			f = append(f, Failure{Internal: netip.MustParseAddrPort("192.168.1.2:7144"), Reason: r})
		}
		return f
	}
	for name, c := range map[string]struct {
		s    State
		want Reason
	}{
		"nothing":                   {State{}, NoGateway},
		"asking":                    {State{Searching: true}, Searching},
		"nobody answers":            {State{Failures: fails(NoAnswer, NoAnswer)}, NoAnswer},
		"one says no":               {State{Failures: fails(NoAnswer, Refused, NoAnswer)}, Refused},
		"no address":                {State{Failures: fails(Full, Refused, NoAddress)}, NoAddress},
		"a mapping":                 {State{Mappings: []Mapping{public}, Failures: fails(Refused)}, None},
		"a mapping behind another":  {State{Mappings: []Mapping{behind}, Failures: fails(Refused)}, CarrierNAT},
		"the second is good enough": {State{Mappings: []Mapping{behind, public}}, None},
		"IPv6 is another matter":    {State{Mappings: []Mapping{pinhole}, Failures: fails(Refused), Searching6: true}, Refused},
		"one is good, one is asked": {State{Mappings: []Mapping{public}, Searching: true}, None},
	} {
		if got := c.s.Why(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	six := State{Mappings: []Mapping{pinhole}, Failures: fails(Refused)}
	if six.Why6() != None || (State{Searching6: true}).Why6() != Searching || (State{Mappings: []Mapping{public}}).Why6() != NoGateway {
		t.Error("IPv4 is another matter")
	}
}
