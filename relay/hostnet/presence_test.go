package hostnet

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestLostAddressesAreToldOnce(t *testing.T) {
	var p Presence
	for i, c := range []struct {
		lists string // what the system says to one question after the other
		lost  string
		fresh bool
	}{
		{"127.0.0.1", "", false},
		{"127.0.0.1 192.168.1.5", "", true},
		{"127.0.0.1 192.168.1.5", "", false}, // a router announces the same again
		{"127.0.0.1 192.168.1.5 fe80::1", "", false},
		{"127.0.0.1|127.0.0.1 192.168.1.5 fe80::1", "", false}, // it was read while it changed
		{"error", "", false},
		{"127.0.0.1|error", "", false},
		{"127.0.0.1 10.0.0.5|127.0.0.1 10.0.0.5", "192.168.1.5 fe80::1", true},
		{"127.0.0.1 10.0.0.5", "", false},
		{"127.0.0.1|127.0.0.1", "10.0.0.5", false},
		{"127.0.0.1 10.0.0.5", "", true},
	} {
		lists := strings.Split(c.lists, "|")
		lost, fresh := p.look(func() ([]netip.Addr, error) {
			if len(lists) == 0 {
				t.Fatalf("%d: asked too often", i)
			}
			s := lists[0]
			lists = lists[1:]
			if s == "error" {
				return nil, errors.New(s)
			}
			return addrsOf(s), nil
		})
		if got := strings.Trim(fmt.Sprint(lost), "[]"); got != c.lost || fresh != c.fresh || len(lists) > 0 {
			t.Errorf("%d: lost %q, fresh %v; want %q, %v", i, got, fresh, c.lost, c.fresh)
		}
	}
}

func TestThisMachineHasAddresses(t *testing.T) {
	var p Presence
	if lost, _ := p.Look(); len(lost) > 0 || len(p.had) == 0 {
		t.Errorf("lost %v, has %v", lost, p.had)
	}
}
