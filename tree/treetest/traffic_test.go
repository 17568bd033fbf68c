package treetest_test

import (
	"net/netip"
	"testing"

	"relay/relay/wire"
	"relay/tree"
	"relay/tree/treetest"
)

func TestMessagesAreCountedAsTheFramesThatTheyAre(t *testing.T) {
	addr := netip.MustParseAddrPort("10.0.0.1:7144")
	place := func(addrs int) tree.Place {
		p := tree.Place{ID: tree.ID{1}}
		for range addrs {
			p.Addrs = append(p.Addrs, addr)
		}
		return p
	}
	some := []tree.Place{place(1), place(0), place(3)}
	for _, m := range []tree.Message{
		tree.Join{},
		tree.Join{Addrs: []netip.AddrPort{addr, addr}},
		tree.Welcome{},
		tree.Welcome{Path: some, Others: some[:1], Seen: addr},
		tree.Refer{},
		tree.Refer{Places: some},
		tree.Pull{},
		tree.Heartbeat{},
		tree.Report{},
		tree.Path{},
		tree.Path{Path: some},
		tree.Backups{},
		tree.Backups{Places: some},
		tree.Bye{},
		tree.Bye{Places: some},
	} {
		var f wire.Frame = m
		if j, ok := m.(tree.Join); ok {
			f = wire.Hello{Join: j}
		}
		if got, want := treetest.WireSize(m), len(wire.Append(nil, f)); got != want {
			t.Errorf("%T%+v: %d bytes, want %d", m, m, got, want)
		}
	}
}
