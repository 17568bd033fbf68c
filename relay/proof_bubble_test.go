package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"relay/tree"
)

// Who has IPv4 alone and cannot be dialled passes the stream on to a node that is linked by IPv6, if
// that listens at an address of IPv4: it is dialled there, once the node in between has got through to
// it. Where a caller only says that it listens, nobody goes.
func TestACallerIsDialledOnlyWhereItWasReached(t *testing.T) {
	for name, forged := range map[string]bool{"it listens there": false, "it does not": true} {
		t.Run(name, func(t *testing.T) {
			inside(t, 1, &world{far: true, public: true, source: option{both: true, knock: nobodyThere}}, func(t *testing.T, w *world) {
				callee := w.add(option{slots: 2, walled: true, knock: nobodyThere})
				w.within(20*time.Second, "it is known that nobody gets through", func(n *inhabitant) bool {
					return n != callee || n.status(t).Reach == tree.Closed && w.plays(n)
				})
				o := option{slots: -1, both: true, knock: nobodyThere}
				for _, a := range w.root.place.Addrs { // the first is the one of IPv6
					o.hosts = append(o.hosts, HostPort{a.Addr().String(), a.Port()})
				}
				if forged {
					o.hosts = o.hosts[:1] // so that it has nobody try that
					o.claims = addrPorts("[2001:db8::3]:7144", "11.9.9.9:7144")
				}
				began := time.Now()
				caller := w.add(o)
				if forged {
					time.Sleep(30 * time.Second)
				} else {
					w.within(10*time.Second, "the caller plays", w.plays)
					t.Logf("after %v", time.Since(began))
				}
				if is := caller.status(t).Tree.Parent.ID == callee.place.ID; is == forged {
					t.Errorf("the callee is the caller's parent: %v", is)
				}
				for _, l := range callee.status(t).Links {
					if l.CameIn {
						t.Error("the callee takes the caller for one that has come in")
					}
				}
				if _, is := w.dialed.Load("2 11.9.9.9:7144"); is {
					t.Error("the callee dials where the caller only says that it listens")
				}
			})
		})
	}
}

func TestAProofCountsForItsFamilyAndForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		addrs := addrPorts("11.22.33.44:7144", "11.0.0.1:40000", "[2001:db8::1]:40000")
		p := proof{addrs[0], time.Now()}
		if p.of(addrs[1]) != addrs[0] || p.of(addrs[2]).IsValid() || (proof{}).of(addrs[2]).IsValid() {
			t.Errorf("for IPv4 it is %v, for IPv6 %v", p.of(addrs[1]), p.of(addrs[2]))
		}
		time.Sleep(proofFresh)
		if p.of(addrs[1]).IsValid() {
			t.Errorf("it counts still after %v", proofFresh)
		}
	})
}
