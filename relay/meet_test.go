package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/refusal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// timedOut is an error of a try that nobody has answered.
type timedOut struct{ error }

func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }

// TestNobodyIsSentMoreThanTenPackets has whoever asks for a meeting name an address where nobody
// is.
func TestNobodyIsSentMoreThanTenPackets(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(ctx context.Context) error
		most   int
	}{
		"it refuses":       {func(context.Context) error { return syscall.ECONNREFUSED }, meetTries},
		"it is silent":     {func(context.Context) error { time.Sleep(meetTry); return timedOut{syscall.ETIMEDOUT} }, 5},
		"nothing leads to": {func(context.Context) error { return syscall.ENETUNREACH }, meetTries},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			n := &Node{knock: func(ctx context.Context, k knock) (net.Conn, error) {
				if tries++; (tries == 1) != (k.opened != nil) {
					t.Errorf("%s: the first packet alone does not go all the way", name)
				}
				return nil, c.answer(ctx)
			}}
			began := time.Now()
			_, err := n.meet(t.Context(), netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.2:5000"), func() {})
			if err == nil || tries > c.most || time.Since(began) > meetTime+meetTry {
				t.Errorf("%s: %d tries in %v, %v", name, tries, time.Since(began), err)
			}
		})
	}
}

// TestAMeetingWaitsUntilAnotherConnectionIsOver has the two have one that is being closed, or stays.
func TestAMeetingWaitsUntilAnotherConnectionIsOver(t *testing.T) {
	for _, over := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			n := &Node{knock: func(_ context.Context, k knock) (net.Conn, error) {
				if k.opened == nil {
					t.Error("it goes all the way at once")
				}
				if time.Since(began) < over {
					return nil, syscall.EADDRNOTAVAIL
				}
				return here, nil
			}}
			_, err := n.meet(t.Context(), netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.2:5000"), func() {})
			if took := time.Since(began); (err == nil) != (over < meetTime) || took > min(over, meetTime)+meetSoon {
				t.Errorf("over after %v: %v after %v", over, err, took)
			}
		})
	}
}

func TestNobodyIsCalledWhereNoRouterSendsFrom(t *testing.T) {
	far, here := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("127.0.0.1")
	n := &Node{cfg: Config{Near: func(netip.Addr) bool { return false }}, hearsay: newHearsay()}
	for _, c := range []struct {
		addr string
		via  netip.Addr
		may  bool
	}{
		{"198.51.100.7:40000", far, true},
		{"198.51.100.7:22", far, false},
		{"198.51.100.7:1023", far, false},
		{"127.0.0.1:40000", far, false},
		{"127.0.0.1:40000", here, true},
		{"[::1]:40000", far, false},
		{"[2001:db8::1]:443", far, false},
		{"[2001:db8::1]:7144", far, true},
		{"169.254.169.254:40000", far, false},
		{"192.168.1.1:40000", far, false},
		{"255.255.255.255:40000", far, false},
	} {
		if got := n.mayMeet(netip.MustParseAddrPort(c.addr), c.via); got != c.may {
			t.Errorf("%s: %v", c.addr, got)
		}
	}
	if !n.mayMeet(netip.AddrPort{}, far) {
		t.Error("none is allowed")
	}
}

// linked is a child that the test plays.
type linked struct {
	*talk
	self tree.ID
}

// linkedTo is the test's end of a link of which a node is the parent.
func linkedTo(t *testing.T, s *station) *linked {
	t.Helper()
	key := newKey(t)
	k := newTalk(t, tls.Client(connect(t, s.addr), newTestIdentity(t, key).tlsConfig(alpn)), wire.Parent)
	k.send(wire.Hello{Channel: s.id, Join: tree.Join{Slots: 1}}, tree.Pull{})
	for {
		if _, ok := k.read().(wire.Seen); ok {
			return &linked{k, NodeID(key.Public().(ed25519.PublicKey))}
		}
	}
}

// awaitFrame reads until a frame of one kind comes.
func awaitFrame[F wire.Frame](k *linked) F {
	k.t.Helper()
	for {
		if f, ok := k.read().(F); ok {
			return f
		}
	}
}

// TestACallIsCarriedToALinkedNodeAlone has one child call another, one that is not there, and too
// often, and has the other answer what it was not asked.
func TestACallIsCarriedToALinkedNodeAlone(t *testing.T) {
	source, w := newSource(t, 4)
	broadcast(t, w, 1)
	caller, callee := linkedTo(t, source), linkedTo(t, source)
	callers, callees := caller.self, callee.self

	callee.send(wire.Ready{Caller: callers, Is: true}) // nobody has asked it to
	stranger := tree.ID{1}
	caller.send(wire.Call{Target: stranger})
	if f := awaitFrame[wire.Called](caller); f.Target != stranger || f.Addr.IsValid() {
		t.Errorf("a node that is not linked is called: %+v", f)
	}
	caller.send(wire.Call{Target: callees})
	m := awaitFrame[wire.Meet](callee)
	if m.Caller != callers || m.Addr != localAddr(caller.conn.NetConn()) {
		t.Errorf("%+v, of a caller at %v", m, localAddr(caller.conn.NetConn()))
	}
	callee.send(wire.Ready{Caller: callers, Is: true})
	if f := awaitFrame[wire.Called](caller); f.Target != callees || f.Addr != localAddr(callee.conn.NetConn()) {
		t.Errorf("%+v, of a node at %v", f, localAddr(callee.conn.NetConn()))
	}
	caller.send(wire.Call{Target: callees})
	awaitFrame[wire.Meet](callee)
	callee.send(wire.Ready{Caller: callers})
	if f := awaitFrame[wire.Called](caller); f.Target != callees || f.Addr.IsValid() {
		t.Errorf("of one that will not meet it: %+v", f)
	}

	refused := 0
	for range 2 * callBurst {
		caller.send(wire.Call{Target: callees})
	}
	for refused < callBurst {
		if f := awaitFrame[wire.Called](caller); !f.Addr.IsValid() {
			refused++
		}
	}
}

// TestWhoAnswersNoCallsSaysSo asks a node for meetings that it must not take part in.
func TestWhoAnswersNoCallsSaysSo(t *testing.T) {
	source, w := newSource(t, 4)
	broadcast(t, w, 1)
	k := linkedTo(t, source)
	k.send(wire.Meet{Caller: tree.ID{9}, Addr: netip.MustParseAddrPort("127.0.0.1:25")})
	if f := awaitFrame[wire.Ready](k); f.Is || f.Caller != (tree.ID{9}) {
		t.Errorf("%+v", f)
	}
	k.send(wire.Meet{Caller: source.node.ident.id, Addr: netip.MustParseAddrPort("127.0.0.1:4000")})
	if f := awaitFrame[wire.Ready](k); f.Is {
		t.Errorf("it meets itself: %+v", f)
	}
}

// TestOnlyWhoDoesNotComeAnotherWayIsMissed has callers of this node's own home, say, dial it before a
// call gets through to them.
func TestOnlyWhoDoesNotComeAnotherWayIsMissed(t *testing.T) {
	for _, comes := range []bool{true, false} {
		source := newStation(t, 2*missesMost, func(n *Node, _ *station) (*Channel, error) {
			n.knock = func(context.Context, knock) (net.Conn, error) { return nil, syscall.EADDRNOTAVAIL }
			c, w, err := n.Source(newKey(t), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
			if err == nil {
				err = w.SetHeader([]byte("header"))
			}
			return c, err
		})
		between := linkedTo(t, source)
		for i := range byte(missesMost) {
			caller := tree.ID{i}
			if comes {
				caller = linkedTo(t, source).self
			}
			between.send(wire.Meet{Caller: caller, Addr: netip.MustParseAddrPort("127.0.0.1:4000")})
		}
		between.send(wire.Meet{Addr: netip.MustParseAddrPort("127.0.0.1:25")})
		awaitFrame[wire.Ready](between) // all have begun
		for begin := time.Now(); ; time.Sleep(time.Millisecond) {
			source.meetings.mu.Lock()
			under := len(source.meetings.ids)
			source.meetings.mu.Unlock()
			if under == 0 {
				break
			}
			if time.Since(begin) > patience {
				t.Fatalf("%d meetings do not end", under)
			}
		}
		if got := source.node.AnswersCalls(); got != comes {
			t.Errorf("they come: %v; calls get through: %v", comes, got)
		}
	}
}

func TestWhetherCallsGetThroughFollowsFromWhatOthersSee(t *testing.T) {
	at := netip.MustParseAddrPort
	now := time.Unix(1e9, 0)
	o := outside{now: func() time.Time { return now }}
	calledOver := func(f family) bool {
		there := []string{"11.22.33.44:7144", "[2001:db8::1]:7144"}[f]
		return o.judge(Trial{Reach: tree.Closed, Addr: at(there)}) == tree.Punchable
	}
	check := func(what string, can, punchable bool) {
		t.Helper()
		if o.can() != can || calledOver(ipv4) != punchable {
			t.Errorf("%s: can %v, punchable %v, want %v, %v", what, o.can(), calledOver(ipv4), can, punchable)
		}
	}
	a, b, c := tree.ID{1}, tree.ID{2}, tree.ID{3}
	check("nothing is known", true, false)
	o.saw(sighting{a, at("192.168.1.2:5000"), at("11.22.33.44:5000")})
	o.saw(sighting{a, at("192.168.1.2:5000"), at("11.22.33.44:5000")})
	check("one parent has spoken twice", true, false)
	o.saw(sighting{b, at("192.168.1.2:5001"), at("11.22.33.44:5001")})
	check("two see two ports", true, false)
	o.saw(sighting{c, at("192.168.1.2:5000"), at("11.22.33.44:5000")})
	check("two see one port", true, true)
	o.saw(sighting{c, at("192.168.1.2:5000"), at("11.22.33.44:61234")})
	check("one now sees another", false, false)
	o.saw(sighting{c, at("192.168.1.2:5000"), at("11.22.33.55:5000")})
	check("one sees another address, which the line got meanwhile", true, false)
	o.saw(sighting{a, at("192.168.1.2:5000"), at("11.22.33.55:5000")})
	check("and another parent sees that as well", true, true)
	o.saw(sighting{c, at("192.168.1.2:5000"), at("11.22.33.55:61234")})
	check("one sees another port", false, false)
	o.met(a, b, ipv4, true)
	check("but a call got through", true, true)
	o.moved()
	check("in another network", true, false)
	for i := range byte(missesMost) {
		o.met(tree.ID{i}, b, ipv4, false)
		o.met(tree.ID{i}, b, ipv4, false) // it counts once
	}
	check("calls did not get through", false, false)
	now = now.Add(callsPause)
	check("after a while", true, false)
	// An untranslated address is seen as it is: then only a firewall is in the way.
	o.saw(sighting{a, at("[2001:db8::1]:5000"), at("[2001:db8::1]:5000")})
	o.saw(sighting{b, at("[2001:db8::1]:5000"), at("[2001:db8::1]:5000")})
	if !o.can() || !calledOver(ipv6) || calledOver(ipv4) {
		t.Errorf("behind a firewall: can %v, punchable over IPv6 %v, over IPv4 %v", o.can(), calledOver(ipv6), calledOver(ipv4))
	}
	if r := o.judge(Trial{Reach: tree.Open, Addr: at("[2001:db8::1]:7144")}); r != tree.Open {
		t.Errorf("what was dialled is %v", r)
	}
}

// A router is replaced, or its settings are: what one call proved holds until several others, which
// different nodes asked for, have not got through.
func TestWhatACallProvedIsForgottenWhenOthersDoNotGetThrough(t *testing.T) {
	o := outside{now: time.Now}
	closed := Trial{Reach: tree.Closed, Addr: netip.MustParseAddrPort("11.22.33.44:7144")}
	liar, parent := tree.ID{100}, tree.ID{101}
	o.met(tree.ID{1}, parent, ipv4, true)
	o.met(tree.ID{1}, parent, ipv6, true)
	miss := func(via tree.ID, from, to byte) {
		for i := from; i < to; i++ {
			o.met(tree.ID{i}, via, ipv4, false)
		}
	}
	miss(liar, 1, 40)
	if o.judge(closed) != tree.Punchable || !o.can() {
		t.Error("one node's word makes it forget")
	}
	o.met(tree.ID{2}, parent, ipv4, true)
	miss(liar, 10, 12)
	miss(parent, 12, 12+missesMost-missesFrom)
	if o.judge(closed) != tree.Closed {
		t.Errorf("it holds after %d misses", missesMost)
	}
	if !o.can() {
		t.Error("calls over IPv6 still get through")
	}
}

// TestWhatGoesBesideIsSaidOnce joins the frames that older nodes do not know to the tree's messages.
func TestWhatGoesBesideIsSaidOnce(t *testing.T) {
	var s said
	var b beside
	room := tree.Room{1, 2, 3, 4, 5, 6}
	opening := tree.Opening{Place: tree.Place{ID: tree.ID{7}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:7144")}}, Free: 2, Down: 1}
	report := tree.Report{Room: tree.Room{9}, Called: tree.CalledRoom{Known: true, Room: room}, Callable: true, Openings: []tree.Opening{opening}}
	none := report
	none.Openings = nil
	beat := tree.Heartbeat{Best: tree.Room{8}, Called: tree.CalledRoom{Known: true, Room: room}}
	refer := tree.Refer{Reason: tree.ReasonFull, Places: make([]tree.Place, 2), Called: 2}
	for i, m := range []tree.Message{report, report, none, beat, beat, refer, refer, tree.Refer{}, tree.Pull{}} {
		fs := s.before(m, true)
		if want := []int{2, 0, 1, 1, 0, 1, 1, 0, 0}[i]; len(fs) != want {
			t.Errorf("message %d: %+v go ahead of it", i, fs)
		}
		for _, f := range fs {
			if f, err := wire.Parse(wire.Append(nil, f)); err != nil || !b.take(f) {
				t.Errorf("message %d: %+v is not taken, %v", i, f, err)
			}
		}
		bare, err := wire.Parse(wire.Append(nil, m))
		if err != nil {
			t.Fatal(err)
		}
		got := b.complete(bare.(tree.Message))
		switch m := m.(type) {
		case tree.Report:
			if got := got.(tree.Report); got.Called != m.Called || !got.Callable || !tree.SameOpenings(got.Openings, m.Openings) {
				t.Errorf("message %d: %+v", i, got)
			}
		case tree.Heartbeat:
			if got := got.(tree.Heartbeat); got.Called != m.Called || got.BestCalled.Room != m.Best {
				t.Errorf("message %d: %+v", i, got)
			}
		case tree.Refer:
			if got := got.(tree.Refer); got.Called != m.Called {
				t.Errorf("message %d: %+v", i, got)
			}
		}
	}
	if b.take(tree.Bye{}) || b.take(wire.Gap{}) {
		t.Error("others are taken")
	}
	if fs := new(said).before(report, false); len(fs) != 1 {
		t.Errorf("an older node is sent %+v", fs)
	}
}

// refusedFor waits until a channel has refused so many parts of calls for a reason.
func refusedFor(t *testing.T, s *station, r refusal.Reason, times uint64) {
	t.Helper()
	eventually(t, "a refusal is counted: "+string(r), func() bool { return s.refused.All()[r] == times })
}

// bytesOf is what strangers send: a frame of a type, with a body of parts.
func bytesOf(typ byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{typ, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// nobodyThere is a try to connect to an address where nobody is.
func nobodyThere(context.Context, knock) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

// TestWhatIsSaidInCallsIsRefusedAndCounted floods a node with calls, and has its parent send it
// elsewhere than where a router would have anybody.
func TestWhatIsSaidInCallsIsRefusedAndCounted(t *testing.T) {
	var (
		stranger  = bytes.Repeat([]byte{7}, 32)
		nowhere   = []byte{0}
		ssh       = []byte{4, 127, 0, 0, 1, 0, 22}
		free      = []byte{4, 127, 0, 0, 1, 0xea, 0x60}
		yes       = []byte{1}
		call      = bytesOf(0x22, stranger)
		called    = bytesOf(0x23, stranger, free)
		meetSSH   = bytesOf(0x2a, stranger, ssh, nowhere)
		listenSSH = bytesOf(0x2a, stranger, nowhere, ssh)
		ready     = bytesOf(0x2b, stranger, yes)
	)
	var w *stream.Writer
	source := newStation(t, 4, func(n *Node, _ *station) (c *Channel, err error) {
		n.knock = nobodyThere
		c, w, err = n.Source(newKey(t), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
		return c, errors.Join(err, w.SetHeader([]byte("header")))
	})
	broadcast(t, w, 1)
	child := linkedTo(t, source)
	self := bytesOf(0x2a, source.node.ident.id[:], free, nowhere)

	child.write(bytes.Join([][]byte{ready, ready, meetSSH, listenSSH, self}, nil))
	refusedFor(t, source, callUnasked, 2)
	refusedFor(t, source, callAddress, 2)
	refusedFor(t, source, callUnable, 1)

	// The link has callBurst calls; what is more is refused without a look at it.
	child.write(bytes.Repeat(call, callBurst))
	refusedFor(t, source, callUnlinked, callBurst)
	child.write(bytes.Repeat(call, callBurst))
	eventually(t, "a flood is refused", func() bool {
		n := source.refused.All()[callTooOften] + source.refused.All()[callUnlinked]
		return n == 2*callBurst && source.refused.All()[callTooOften] >= callBurst/2
	})
	// Likewise meetings, of which a link has meetBurst. A caller is met once at a time.
	calls := source.refused.All()[callTooOften]
	meet := bytesOf(0x2a, stranger, free, nowhere)
	child.write(bytes.Repeat(meet, 4*meetBurst))
	eventually(t, "a flood of meetings is refused", func() bool {
		return source.refused.All()[callTooOften]-calls >= 2*meetBurst && source.refused.All()[callBusy] > 0
	})

	// A parent that tells of a node that was not called.
	f := newFake(t)
	v := newViewer(t, 1, f.id, f.addr)
	k := f.accept()
	k.write(called)
	refusedFor(t, v, callUnasked, 1)
}

// TestACallerGoesNowhereElse has the node in between answer a call with an address that no router gives
// to a node.
func TestACallerGoesNowhereElse(t *testing.T) {
	f := newFake(t)
	v := newStation(t, 1, func(n *Node, _ *station) (*Channel, error) {
		n.knock = func(ctx context.Context, k knock) (net.Conn, error) {
			t.Errorf("it goes to %v", k.to)
			return nobodyThere(ctx, k)
		}
		return n.Watch(Invite{Channel: f.id, Hosts: []HostPort{{f.addr.Addr().String(), f.addr.Port()}}}, nil)
	})
	k := f.accept()
	callee := tree.ID{7}
	k.send(wire.Through{Places: 1}, tree.Refer{Reason: tree.ReasonFull, Places: []tree.Place{{ID: callee, Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}}}})
	for {
		if c, ok := k.read().(wire.Call); ok && c.Target == callee {
			break
		}
	}
	k.write(bytesOf(0x23, callee[:], []byte{4, 127, 0, 0, 1, 0, 22}))
	refusedFor(t, v, callAddress, 1)
}
