package relay

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"relay/relay/nameplate"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// nameShown is what n shows as the name of another node, "" for none.
func nameShown(t *testing.T, n, other *inhabitant) string {
	t.Helper()
	time.Sleep(surveyFresh + time.Second)
	s, err := n.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Names[wire.TagOf(other.place.ID)].Name()
}

// wantNames waits until each of these shows each node by its name, "" for none, and no other.
func (w *world) wantNames(most time.Duration, at []*inhabitant, want map[*inhabitant]string) {
	w.t.Helper()
	begin := time.Now()
	for _, n := range at {
		for {
			s, err := n.Survey(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			wrong := ""
			for i, o := range w.all {
				if got := s.Names[wire.TagOf(o.place.ID)].Name(); got != want[o] {
					wrong = fmt.Sprintf("node %d shows %d as %q, want %q", slices.Index(w.all, n), i, got, want[o])
				}
			}
			if wrong == "" {
				break
			}
			if time.Since(begin) > most {
				w.t.Fatal(wrong)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	w.t.Logf("all are shown by their names after %v", time.Since(begin))
}

func TestNodesAreShownByTheirNames(t *testing.T) {
	for name, c := range map[string]struct {
		*world
		told, host bool // the names that people have given, those of machines
	}{
		"on a LAN":                 {&world{}, true, true},
		"in networks of their own": {&world{far: true}, true, false},
		"on the Internet":          {&world{public: true}, true, false},
		"in a private channel":     {&world{access: seal.New()}, true, false},
		"hidden by the source":     {&world{source: option{hideNames: true}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.source.name = "studio"
			inside(t, 2, c.world, func(t *testing.T, w *world) {
				want := map[*inhabitant]string{}
				say := func(n *inhabitant, name string, is bool) {
					if is {
						want[n] = name
					}
				}
				say(w.root, "studio", c.told)
				for i := range 8 {
					o := option{slots: 2, name: fmt.Sprint("given ", i/2), hostName: "machine"}
					if i%4 == 3 {
						o.name = ""
					}
					n := w.add(o)
					say(n, o.name, c.told && o.name != "")
					say(n, "machine", c.host && o.name == "")
				}
				w.within(10*time.Second, "all have joined", w.attached)
				time.Sleep(10 * time.Second) // what nobody may know has had time to spread
				w.wantNames(40*time.Second, w.all, want)
				for _, n := range w.all {
					s := n.status(t)
					if s.Name != want[n] {
						t.Errorf("a node that is %q calls itself %q", want[n], s.Name)
					}
					for _, p := range w.all {
						if p.place.ID == s.Tree.Parent.ID && s.ParentName != want[p] {
							t.Errorf("the parent %q is called %q", want[p], s.ParentName)
						}
						for _, ch := range s.Tree.Children {
							if ch.Place.ID == p.place.ID && s.Links[ch.Link].Name != want[p] {
								t.Errorf("the child %q is called %q", want[p], s.Links[ch.Link].Name)
							}
						}
					}
				}
			})
		})
	}
}

// What a machine is called stays in its networks, whoever else watches; and is taken back where the node gets
// to do with the Internet.
func TestAMachinesNameDoesNotLeaveItsNetworks(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		a := w.add(option{slots: 4, hostName: "laptop"})
		b := w.add(option{slots: 4, name: "given", hostName: "desktop"})
		w.within(5*time.Second, "all have joined", w.attached)
		w.wantNames(20*time.Second, w.all, map[*inhabitant]string{a: "laptop", b: "given"})
		// One from the Internet comes to the source: it may not know.
		far := w.add(option{slots: 0, abroad: true, hosts: []HostPort{hostPort(w.root.place)}})
		w.within(5*time.Second, "it has joined", w.attached)
		w.wantNames(20*time.Second, []*inhabitant{w.root, a, b}, map[*inhabitant]string{a: "laptop", b: "given"})
		w.wantNames(20*time.Second, []*inhabitant{far}, map[*inhabitant]string{b: "given"})
		// And one comes to the machine itself.
		w.child(t, a.place, alpn) // at an address that is near
		if a.names.plate().Name() != "laptop" {
			t.Error("a neighbour has it taken back")
		}
		other := w.add(option{slots: 0, abroad: true, hosts: []HostPort{hostPort(a.place)}})
		w.within(10*time.Second, "it has joined", w.attached)
		time.Sleep(gaugeInterval)
		if other.status(t).Tree.Attached && a.names.plate().Name() != "" {
			t.Error("it is not taken back at once")
		}
		w.wantNames(2*nameFresh, w.all, map[*inhabitant]string{b: "given"})
	})
}

// isAtHome goes by all that is known; in doubt it is not.
func TestAMachineIsCalledByItsNameAtHomeAlone(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		home := netip.MustParseAddrPort("192.168.1.5:7144")
		for what, c := range map[string]struct {
			hosts []HostPort
			addrs []netip.AddrPort
			seen  netip.Addr
			want  bool
		}{
			"a link within the network": {hosts: []HostPort{{Host: "192.168.1.9", Port: 1}}, addrs: []netip.AddrPort{home}, want: true},
			"found on the network":      {addrs: []netip.AddrPort{home}, want: true},
			"on this machine":           {hosts: []HostPort{{Host: "localhost", Port: 1}, {Host: "127.0.0.1", Port: 1}, {Host: "::1", Port: 1}}, want: true},
			"IPv6 of the network":       {hosts: []HostPort{{Host: "fd00::1", Port: 1}, {Host: "fe80::1", Port: 1}}, want: true},
			"a link by a name":          {hosts: []HostPort{{Host: "home.example.org", Port: 1}}},
			"a link by a local name":    {hosts: []HostPort{{Host: "laptop.local", Port: 1}}},
			"a link to the Internet":    {hosts: []HostPort{{Host: "192.168.1.9", Port: 1}, {Host: "203.0.113.7", Port: 1}}},
			"a link to IPv6":            {hosts: []HostPort{{Host: "2001:db8::1", Port: 1}}},
			"a carrier's NAT":           {addrs: []netip.AddrPort{home, netip.MustParseAddrPort("100.64.1.1:7144")}},
			"a port that is mapped":     {addrs: []netip.AddrPort{home, netip.MustParseAddrPort("203.0.113.7:7144")}},
			"a public address":          {addrs: []netip.AddrPort{home, netip.MustParseAddrPort("[2001:db8::2]:7144")}},
			"elsewhere in 12/8":         {addrs: []netip.AddrPort{netip.MustParseAddrPort("12.0.0.1:7144")}},
			"seen in the world":         {addrs: []netip.AddrPort{home}, seen: netip.MustParseAddr("203.0.113.7")},
		} {
			n, err := New(Config{Key: newKey(t), Addrs: c.addrs, Near: func(a netip.Addr) bool { return !isAbroad(a) }})
			if err != nil {
				t.Fatal(err)
			}
			ch := n.newChannel(w.root.ID(), seal.Access{}, nil)
			ch.invite.Hosts, ch.peers.world = c.hosts, c.seen
			if got := ch.isAtHome(); got != c.want {
				t.Errorf("%s: %t", what, got)
			}
		}
		beyond, err := New(Config{Key: newKey(t), Near: func(netip.Addr) bool { return false }})
		if err != nil {
			t.Fatal(err)
		}
		if beyond.homely(netip.MustParseAddr("10.0.0.1")) {
			t.Error("a private address of another network, as behind a VPN, is at home")
		}
	})
}

// Whoever passes a name on cannot alter it, hang it on another node, or bring one from another channel.
func TestAForgedNameIsNotShown(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		honest := w.add(option{slots: 2, name: "honest"})
		w.within(5*time.Second, "it has joined", w.attached)
		w.wantNames(20*time.Second, w.all, map[*inhabitant]string{honest: "honest"})
		victim := newKey(t)
		id := NodeID(victim.Public().(ed25519.PublicKey))
		late := time.Now().Add(time.Hour)
		good := nameplate.Sign(w.root.ID(), victim, late, "victim", false)
		altered := []byte(good)
		altered[42] = 'V'
		by := newKey(t)
		other := nameplate.Sign(w.root.ID(), by, late, "source", false)
		swapped := []byte(other)
		copy(swapped, good[:32])
		elsewhere := nameplate.Sign(stream.IDOf(by), victim, late, "victim", false)
		view := wire.View{Nodes: []wire.Fact{{}, {ID: wire.TagOf(id), Down: 1}, {ID: wire.TagOf(honest.place.ID), Down: 1}}}
		for what, c := range map[string]struct {
			plate nameplate.Plate
			ends  bool
			shown string
		}{
			"as it was signed":           {good, false, "victim"},
			"altered":                    {nameplate.Plate(altered), true, ""},
			"signed by another":          {nameplate.Plate(swapped), true, ""},
			"of another channel":         {elsewhere, true, ""},
			"of a node that is not here": {other, false, ""},
		} {
			d := w.child(t, w.root.place, alpn, tree.Report{Sent: 1, Slots: 1}, wire.Facts{View: view}, wire.Names{Of: []nameplate.Plate{c.plate}})
			time.Sleep(surveyFresh + 500*time.Millisecond)
			for _, n := range []*inhabitant{w.root, honest} {
				s, err := n.Survey(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := s.Names[wire.TagOf(id)].Name(); got != c.shown {
					t.Errorf("%s: %q is shown", what, got)
				}
				if got := s.Names[wire.TagOf(honest.place.ID)].Name(); got != "honest" {
					t.Errorf("%s: the honest node is shown as %q", what, got)
				}
				if _, ok := s.Names[wire.TagOf(NodeID(by.Public().(ed25519.PublicKey)))]; ok {
					t.Errorf("%s: there is a name of a node that nobody has listed", what)
				}
			}
			_, err := d.Write(wire.Append(nil, tree.Report{Sent: 2}))
			if ended := err != nil; ended != c.ends {
				t.Errorf("%s: the link has ended: %t", what, ended)
			}
			d.NetConn().Close()
			time.Sleep(100 * time.Millisecond)
			delete(honest.reporting.survey.known, wire.TagOf(id)) // nobody surveys now
		}
	})
}

// A parent tells its child its own name, and none else.
func TestAParentTellsNoOtherName(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		w.crowd(1, 4)
		ctx, cancel := context.WithCancel(t.Context())
		other := newKey(t)
		var own ed25519.PrivateKey
		l := w.villain(ctx, w.root, vice{adds: func() []wire.Frame {
			fs := aboutOf(w.root)
			for i, key := range []ed25519.PrivateKey{own, other} {
				at := time.Now().Add(time.Duration(i) * time.Second)
				fs = append(fs, wire.Names{Of: []nameplate.Plate{nameplate.Sign(w.root.ID(), key, at, []string{"villain", "source"}[i], false)}})
			}
			return fs
		}})
		own = l.id.cert.PrivateKey.(ed25519.PrivateKey)
		defer func() { cancel(); l.wg.Wait() }()
		n := w.add(option{slots: 2, hosts: []HostPort{hostPort(l.place)}})
		w.within(5*time.Second, "it is below the villain", func(n *inhabitant) bool { return l.below(n) }, w.root, w.all[1])
		time.Sleep(time.Second)
		if s := n.status(t); s.ParentName != "villain" || !l.below(n) {
			t.Errorf("the parent is called %q", s.ParentName)
		}
	})
}

// aboutOf is the newest about of a node, as a list of frames.
func aboutOf(n *inhabitant) []wire.Frame {
	if a := n.intake.about.Load(); a != nil {
		return []wire.Frame{a}
	}
	return nil
}

// A machine's name is not even sent to where it may not be known, whoever is there: neither by its own node nor by
// others.
func TestAMachinesNameIsNotSentElsewhere(t *testing.T) {
	inside(t, 4, &world{source: option{abroad: true}}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		l := w.villain(ctx, w.root, vice{adds: func() []wire.Frame { return aboutOf(w.root) }}) // it is abroad, too
		defer func() { cancel(); l.wg.Wait() }()
		between := w.add(option{slots: 2, hosts: []HostPort{hostPort(l.place)}})
		w.within(5*time.Second, "it is below the villain", func(n *inhabitant) bool { return l.below(n) }, w.root)
		laptop := w.add(option{slots: 2, hostName: "laptop", inside: true, hosts: []HostPort{hostPort(between.place)}})
		w.within(5*time.Second, "it has joined", w.attached)
		time.Sleep(2 * time.Second)
		if got := between.reporting.facts.plate(wire.TagOf(laptop.place.ID)).Name(); got != "laptop" || !l.below(between) {
			t.Fatalf("the neighbour calls it %q", got)
		}
		l.mu.Lock()
		if slices.Contains(l.heard, "wire.Names") || !slices.Contains(l.heard, "wire.Facts") {
			t.Errorf("the villain hears %v", slices.Compact(slices.Sorted(slices.Values(l.heard))))
		}
		l.mu.Unlock()
		d := w.dialFrom(t, "12.9.9.9", laptop.place, alpn)
		d.say(t, wire.Hello{Channel: w.root.ID()})
		time.Sleep(100 * time.Millisecond)
		d.say(t, tree.Pull{})
		d.SetReadDeadline(time.Now().Add(2 * time.Second))
		served := false
		for f, err := d.r.Next(); err == nil; f, err = d.r.Next() {
			_, about := f.(*stream.About)
			served = served || about
			if names, ok := f.(wire.Names); ok && (names.Of[0].Home() || names.Of[0].Name() != "") {
				t.Errorf("a stranger is told of %q", names.Of[0].Name())
			}
		}
		if !served {
			t.Error("the stranger is not served")
		}
	})
}

// What says that it is for one network is not taken from another.
func TestAMachinesNameIsNotTakenFromElsewhere(t *testing.T) {
	for _, far := range []bool{false, true} {
		inside(t, 4, &world{far: far}, func(t *testing.T, w *world) {
			key := newKey(t)
			id := wire.TagOf(NodeID(key.Public().(ed25519.PublicKey)))
			view := wire.View{Nodes: []wire.Fact{{}, {ID: id, Down: 1}}}
			time.Sleep(time.Second)
			w.child(t, w.root.place, alpn, tree.Report{Sent: 1}, wire.Facts{View: view}, wire.Names{Of: []nameplate.Plate{nameplate.Sign(w.root.ID(), key, time.Now(), "laptop", true)}})
			time.Sleep(time.Second)
			if got := w.root.reporting.facts.plate(id).Name(); (got == "laptop") == far {
				t.Errorf("far %t: it is %q", far, got)
			}
		})
	}
}

func TestNamesTooOftenEndTheLink(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		d := w.child(t, w.root.place, alpn, tree.Report{Sent: 1})
		var b []byte
		for range namesBurst + 5 {
			b = wire.Append(b, wire.Names{})
		}
		_, _ = d.Write(b)
		w.within(time.Second, "it is cut", func(n *inhabitant) bool { return len(n.status(t).Tree.Children) == 0 })
	})
}

// A node that comes back under another name is shown by that, and one that has gone by none.
func TestANameIsForgottenWithItsNode(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		a, b := w.add(option{slots: 2, name: "a"}), w.add(option{slots: 2, name: "b"})
		w.within(5*time.Second, "all have joined", w.attached)
		w.wantNames(20*time.Second, w.all, map[*inhabitant]string{a: "a", b: "b"})
		b.query(func(*tree.Node) { b.node.cfg.Name = "other" })
		w.wantNames(2*nameFresh, []*inhabitant{w.root, a, b}, map[*inhabitant]string{a: "a", b: "other"})
		b.cancel()
		b.wg.Wait()
		w.within(10*time.Second, "it is gone", func(n *inhabitant) bool { return n.reporting.facts.plate(wire.TagOf(b.place.ID)) == "" }, b)
	})
}
