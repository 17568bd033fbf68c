package dht

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func someItem(title string) Item {
	return Item{
		Live: true, Made: time.Now().Truncate(time.Millisecond), Epoch: stream.Epoch{Ms: 7, Rand: 8}, Title: title,
		Places: []tree.Place{{ID: tree.ID{1}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("9.9.9.9:7144"), netip.MustParseAddrPort("[2001:db8::1]:7144")}}},
	}
}

func TestWhatIsPublishedIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, access := range []seal.Access{{}, seal.New()} {
			f, key := newFakeNet(200), testKey(1)
			var refused refusal.Counts
			want := someItem("Finals")
			if _, n, err := f.client(Config{Refused: &refused}).Publish(t.Context(), key, access, want); err != nil || n != nearest {
				t.Fatalf("%d nodes keep it, %v", n, err)
			}
			ch := channel{stream.IDOf(key), access.Finding(stream.IDOf(key))}
			for i, n := range f.all(ch.name().target())[:nearest] {
				if len(n.kept) != 1 {
					t.Errorf("the node that is the %d. nearest does not keep it", i+1)
				}
			}
			bounded(t, f.packets(), nearest)
			early := 0
			begun := time.Now()
			found, err := f.client(Config{Refused: &refused}).Find(t.Context(), ch.id, access.JoinOnly(ch.id), func(Found) { early++ })
			if err != nil || early != 1 {
				t.Fatalf("%v, %d times", err, early)
			}
			if access.Private() {
				want.Title = ""
			}
			if !found.says(want) || !found.Made.Equal(want.Made) || len(found.Hosts()) != 2 {
				t.Errorf("found %+v", found.Item)
			}
			asked := f.packets()
			t.Logf("%d packets in %v", len(asked), time.Since(begun))
			bounded(t, asked, 0)
			if n := refused.All(); len(n) != 0 {
				t.Errorf("refused %v", n)
			}
			if access.Private() { // nobody without the secret knows where it is, nor what
				if _, err := f.client(Config{}).Find(t.Context(), ch.id, seal.Access{}, nil); !errors.Is(err, ErrNotFound) {
					t.Errorf("without the secret: %v", err)
				}
				if _, err := f.client(Config{}).Find(t.Context(), ch.id, seal.New(), nil); !errors.Is(err, ErrNotFound) {
					t.Errorf("with another secret: %v", err)
				}
			}
		}
	})
}

// A source's clock may have been ahead: what it says next counts all the same.
func TestTheNextItemIsLaterWhateverTheClockSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(30), testKey(1)
		ahead, now := someItem("ahead"), someItem("now")
		ahead.Made = ahead.Made.Add(24 * time.Hour)
		for _, it := range []Item{ahead, now} {
			if _, n, err := f.client(Config{}).Publish(t.Context(), key, seal.Access{}, it); n != nearest || err != nil {
				t.Errorf("%d nodes keep %q, %v", n, it.Title, err)
			}
		}
		got, err := f.client(Config{}).Find(t.Context(), stream.IDOf(key), seal.Access{}, nil)
		if err != nil || got.Title != "now" || !got.Made.Equal(now.Made) {
			t.Errorf("%+v, %v", got.Item, err)
		}
	})
}

// The clock was an hour ahead, and is right now. Those who kept the item have gone, and who watches has seen it.
func TestAnItemIsLaterThanOneThatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFakeNet(40).client(Config{})
		ahead := someItem("a")
		ahead.Made = time.Now().Add(time.Hour)
		was, _, err := source.Publish(t.Context(), testKey(1), seal.Access{}, ahead)
		if err != nil {
			t.Fatal(err)
		}
		source.cfg = newFakeNet(40).client(Config{}).cfg
		now := someItem("b")
		now.Made = time.Now()
		if is, _, err := source.Publish(t.Context(), testKey(1), seal.Access{}, now); err != nil || is.record.seq <= was.record.seq {
			t.Errorf("%d follows %d: %v", is.record.seq, was.record.seq, err)
		}
	})
}

func TestAClientThatIsNotAskedSendsNothing(t *testing.T) {
	f := newFakeNet(3)
	f.client(Config{}).Told([]netip.AddrPort{netip.MustParseAddrPort("9.0.0.1:6881")})
	if n := f.packets(); len(n) > 0 {
		t.Errorf("%d packets", len(n))
	}
}

func TestNobodyAndNothingAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(20)
		id := stream.IDOf(testKey(1))
		if _, err := f.client(Config{}).Find(t.Context(), id, seal.Access{}, nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("among nodes that have nothing: %v", err)
		}
		known := ParseNodes(nil)
		known.answered([]contact{f.all(ID{})[0].contact})
		for _, n := range f.nodes {
			n.dead = true
		}
		if _, err := f.client(Config{Nodes: known}).Find(t.Context(), id, seal.Access{}, nil); !errors.Is(err, ErrNobody) {
			t.Errorf("where nobody answers: %v", err)
		}
		if len(known.Tell()) != 1 {
			t.Error("the nodes of another day are forgotten because there is no network")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.client(Config{}).Find(ctx, id, seal.Access{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	})
}

// Who knows nodes needs no router.
func TestNodesOfTheLastRunAreEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(100), testKey(2)
		first := f.client(Config{})
		if _, _, err := first.Publish(t.Context(), key, seal.Access{}, someItem("a")); err != nil {
			t.Fatal(err)
		}
		kept := ParseNodes(first.Nodes().Text())
		if !bytes.Equal(kept.Text(), first.Nodes().Text()) || len(kept.good) < nearest {
			t.Fatalf("%d nodes are kept", len(kept.good))
		}
		f.packets()
		c := f.client(Config{Nodes: kept, Bootstrap: []string{"9.200.0.1:6881"}}) // where nobody is
		if _, err := c.Find(t.Context(), stream.IDOf(key), seal.Access{}, nil); err != nil {
			t.Error(err)
		}
		for _, s := range f.packets() {
			if s.to.Addr() == netip.MustParseAddr("9.200.0.1") {
				t.Error("a router was asked all the same")
			}
		}
	})
}

// A node that knows no records leads to others all the same.
func TestANodeThatKnowsNoRecordsLeadsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(50), testKey(1)
		old := 0
		f.nodes[netip.MustParseAddrPort(f.first())].answer = func(n *fakeNode, from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
			if string(q.text("q")) != "find_node" {
				old++
				say(n.at, append(appendText([]byte("d1:eli204e14:Method Unknowne1:t"), q.text("t")), "1:y1:ee"...))
				return
			}
			n.takes(from, q, say)
		}
		if _, n, err := f.client(Config{}).Publish(t.Context(), key, seal.Access{}, someItem("a")); n < nearest-1 || err != nil {
			t.Errorf("%d nodes keep it, %v", n, err)
		}
		if old != 1 {
			t.Errorf("it was asked %d times for what it does not know", old)
		}
	})
}

// said is an answer to get with these values, which are bencoded, besides those that each has.
func said(n *fakeNode, q dict, from netip.AddrPort, more map[string]string) []byte {
	all := map[string]string{"id": string(appendText(nil, n.id[:])), "token": string(appendText(nil, tokenOf(from)))}
	maps.Copy(all, more)
	b := []byte("d1:rd")
	for _, key := range []string{"id", "k", "nodes", "nodes6", "seq", "sig", "token", "v"} {
		if all[key] != "" {
			b = append(appendText(b, key), all[key]...)
		}
	}
	return append(appendText(append(b, "e1:t"...), q.text("t")), "1:y1:re"...)
}

func quoted(b []byte) string { return string(appendText(nil, b)) }

// values are a record's, as an answer has them.
func values(r Record) map[string]string {
	return map[string]string{"k": quoted(r.name.key[:]), "seq": string(appendInteger(nil, r.seq)), "sig": quoted(r.sig[:]), "v": quoted(r.value)}
}

// with returns values with one replaced, or left out.
func with(all map[string]string, key, value string) map[string]string {
	all = maps.Clone(all)
	all[key] = value
	return all
}

// Each of these is what a node answers that the client has asked, or what it sends besides.
func TestWhatIsHostileIsRefusedAndCounted(t *testing.T) {
	key := testKey(3)
	ch := channel{id: stream.IDOf(key)}
	of := func(key ed25519.PrivateKey, salt string, seq int64, value []byte) map[string]string {
		return values(sign(key, salt, seq, value))
	}
	answer := func(more map[string]string) func(*fakeNode, netip.AddrPort, dict) [][]byte {
		return func(n *fakeNode, from netip.AddrPort, q dict) [][]byte { return [][]byte{said(n, q, from, more)} }
	}
	raw := func(make func(n *fakeNode, q dict) string) func(*fakeNode, netip.AddrPort, dict) [][]byte {
		return func(n *fakeNode, _ netip.AddrPort, q dict) [][]byte { return [][]byte{[]byte(make(n, q))} }
	}
	good := of(key, publicSalt, 9, []byte("x"))
	flipped := sign(key, publicSalt, 9, []byte("x"))
	flipped.sig[5] ^= 1
	for what, c := range map[string]struct {
		why    refusal.Reason
		answer func(*fakeNode, netip.AddrPort, dict) [][]byte
	}{
		"a wrong signature":               {refusedForged, answer(values(flipped))},
		"a short signature":               {refusedForged, answer(with(good, "sig", "3:abc"))},
		"no signature":                    {refusedForged, answer(with(good, "sig", ""))},
		"another's key":                   {refusedForged, answer(of(testKey(4), publicSalt, 9, []byte("x")))},
		"no key":                          {refusedForged, answer(with(good, "k", ""))},
		"another salt":                    {refusedForged, answer(of(key, "other", 9, []byte("x")))},
		"another number than was signed":  {refusedForged, answer(with(good, "seq", "i10e"))},
		"no number":                       {refusedForged, answer(with(good, "seq", ""))},
		"a number of 65 bits":             {refusedMalformed, answer(with(good, "seq", "i9223372036854775808e"))},
		"a number with a zero in front":   {refusedMalformed, answer(with(good, "seq", "i09e"))},
		"a number that is text":           {refusedForged, answer(with(good, "seq", "1:9"))},
		"1,001 bytes":                     {refusedValue, answer(of(key, publicSalt, 9, make([]byte, 1001-4)))},
		"a list":                          {refusedValue, answer(with(good, "v", "l1:xe"))},
		"what is no item":                 {refusedValue, answer(good)},
		"an item that ends too early":     {refusedValue, answer(of(key, publicSalt, 9, someItem("a").append(nil, ch, 9)[:40]))},
		"an item with something behind":   {refusedValue, answer(of(key, publicSalt, 9, append(someItem("a").append(nil, ch, 9), 0)))},
		"an item of another version":      {refusedValue, answer(of(key, publicSalt, 9, append([]byte{2}, someItem("a").append(nil, ch, 9)[1:]...)))},
		"a sealed item of a public one":   {refusedValue, answer(of(key, publicSalt, 9, append([]byte{1, 3}, make([]byte, 60)...)))},
		"a node in one network":           {refusedNoNode, answer(map[string]string{"nodes": quoted([]byte("aaaaaaaaaaaaaaaaaaaa\xc0\xa8\x01\x01\x1a\xe1"))})},
		"a node on this machine":          {refusedNoNode, answer(map[string]string{"nodes": quoted([]byte("aaaaaaaaaaaaaaaaaaaa\x7f\x00\x00\x01\x1a\xe1"))})},
		"a node at a port of a service":   {refusedNoNode, answer(map[string]string{"nodes": quoted([]byte("aaaaaaaaaaaaaaaaaaaa\x09\x09\x09\x09\x00\x35"))})},
		"a node with IPv4 inside of IPv6": {refusedNoNode, answer(map[string]string{"nodes6": quoted([]byte("aaaaaaaaaaaaaaaaaaaa\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x0a\x00\x00\x01\x1a\xe1"))})},
		"an ID of 19 bytes":               {refusedMalformed, answer(map[string]string{"id": "19:aaaaaaaaaaaaaaaaaaa"})},
		"nothing":                         {refusedMalformed, raw(func(*fakeNode, dict) string { return "" })},
		"a list around it":                {refusedMalformed, raw(func(*fakeNode, dict) string { return "le" })},
		"lists in lists":                  {refusedMalformed, raw(func(*fakeNode, dict) string { return strings.Repeat("l", 1500) })},
		"dictionaries in dictionaries":    {refusedMalformed, raw(func(*fakeNode, dict) string { return strings.Repeat("d1:a", 375) })},
		"a text that is longer than it":   {refusedMalformed, raw(func(*fakeNode, dict) string { return "d1:y9999:r" })},
		"a text of 2^63 bytes":            {refusedMalformed, raw(func(*fakeNode, dict) string { return "d9223372036854775808:" })},
		"a text of -1 bytes":              {refusedMalformed, raw(func(*fakeNode, dict) string { return "d-1:y1:re" })},
		"something behind it": {refusedMalformed, func(n *fakeNode, from netip.AddrPort, q dict) [][]byte {
			return [][]byte{append(said(n, q, from, nil), 'e')}
		}},
		"no transaction": {refusedMalformed, raw(func(n *fakeNode, _ dict) string { return "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:y1:re" })},
		"another transaction": {refusedNotAsked, raw(func(n *fakeNode, _ dict) string {
			return "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:\x00\x00\x00\x001:y1:re"
		})},
		"a question":  {refusedMalformed, raw(func(_ *fakeNode, q dict) string { return "d1:ade1:q4:ping1:t4:" + string(q.text("t")) + "1:y1:qe" })},
		"1,501 bytes": {refusedTooLong, raw(func(*fakeNode, dict) string { return strings.Repeat("x", 1501) })},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNet(1)
				var refused refusal.Counts
				f.nodes[netip.MustParseAddrPort(f.first())].answer = func(n *fakeNode, from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
					for _, b := range c.answer(n, from, q) {
						say(n.at, b)
					}
				}
				got, err := f.client(Config{Refused: &refused}).Find(t.Context(), ch.id, seal.Access{}, nil)
				if err == nil {
					t.Errorf("found %+v", got)
				}
				if n := refused.All(); n[c.why] == 0 || len(n) != 1 {
					t.Errorf("refused %v, want %s", n, c.why)
				}
				bounded(t, f.packets(), 0)
			})
		})
	}
}

// An answer counts from where the question went alone.
func TestAnswersFromElsewhereDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(1), testKey(3)
		var refused refusal.Counts
		ch := channel{id: stream.IDOf(key)}
		r := sign(key, publicSalt, 9, someItem("a").append(nil, ch, 9))
		for _, from := range []string{"9.0.0.2:6881", "9.0.0.1:6882", "127.0.0.1:6881"} {
			f.nodes[netip.MustParseAddrPort(f.first())].answer = func(n *fakeNode, to netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
				say(netip.MustParseAddrPort(from), said(n, q, to, values(r)))
			}
			if got, err := f.client(Config{Refused: &refused}).Find(t.Context(), ch.id, seal.Access{}, nil); !errors.Is(err, ErrNobody) {
				t.Errorf("from %s: %+v, %v", from, got, err)
			}
		}
		if n := refused.All()[refusedNotAsked]; n != 3 {
			t.Errorf("%d refused", n)
		}
	})
}

// Whatever nodes name, one look-up sends each address one packet, and no more than it may.
func TestNobodyIsFloodedByNodeLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(1)
		named := 0
		victim := func(i int) []byte { return []byte{9, 100, byte(i % 40), 1} } // forty machines, at all ports
		liar := func(n *fakeNode, from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
			target := ID(q.dict("a").text("target"))
			var b []byte
			for range 60 { // more than eight, too
				named++
				target[19] ^= byte(named) // near to the target
				target[18] ^= byte(named >> 8)
				b = append(append(b, target[:]...), victim(named)...)
				b = append(b, byte(4+named>>8), byte(named))
				if len(b) >= 26*50 {
					break
				}
			}
			say(n.at, said(n, q, from, map[string]string{"nodes": quoted(b)}))
		}
		f.nodes[netip.MustParseAddrPort(f.first())].answer = liar
		for i := range 40 { // some of which are liars
			if i%2 == 0 {
				for port := 1024; port < 2000; port += 1 {
					at := netip.AddrPortFrom(netip.AddrFrom4([4]byte(victim(i))), uint16(port))
					f.nodes[at] = &fakeNode{contact: contact{ID{byte(i), byte(port)}, at}, net: f, answer: liar}
				}
			}
		}
		if _, err := f.client(Config{}).Find(t.Context(), stream.IDOf(testKey(1)), seal.Access{}, nil); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		all := f.packets()
		bounded(t, all, 0)
		times := map[netip.Addr]int{}
		for _, s := range all {
			if times[s.to.Addr()]++; times[s.to.Addr()] > 1 {
				t.Errorf("%v got %d packets", s.to.Addr(), times[s.to.Addr()])
			}
		}
		t.Logf("%d addresses named, %d packets", named, len(all))
		if len(all) < 10 {
			t.Errorf("%d packets: the test tests nothing", len(all))
		}
	})
}

// A node that floods costs the look-up nothing but the reading.
func TestAFloodEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(60), testKey(1)
		if _, _, err := f.client(Config{}).Publish(t.Context(), key, seal.Access{}, someItem("a")); err != nil {
			t.Fatal(err)
		}
		f.packets()
		f.nodes[netip.MustParseAddrPort(f.first())].answer = func(n *fakeNode, from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
			n.takes(from, q, say)
			for i := range 10000 {
				say(n.at, fmt.Appendf(nil, "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:%04d1:y1:re", i))
			}
		}
		var refused refusal.Counts
		if _, err := f.client(Config{Refused: &refused}).Find(t.Context(), stream.IDOf(key), seal.Access{}, nil); err != nil {
			t.Error(err)
		}
		if n := refused.All()[refusedNotAsked]; n == 0 {
			t.Errorf("refused %v", refused.All())
		}
		bounded(t, f.packets(), 0)
	})
}

// A token is sent back: a long one would make a packet that nobody carries.
func TestLongTokensAreNotSentBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(1)
		f.nodes[netip.MustParseAddrPort(f.first())].answer = func(n *fakeNode, from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
			say(n.at, said(n, q, from, map[string]string{"token": quoted(bytes.Repeat([]byte("x"), 1300))}))
		}
		if _, n, err := f.client(Config{}).Publish(t.Context(), testKey(1), seal.Access{}, someItem("a")); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		bounded(t, f.packets(), 0)
	})
}

func TestTheHighestNumberCountsAndNoneComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, key := newFakeNet(30), testKey(5)
		var refused refusal.Counts
		ch := channel{id: stream.IDOf(key)}
		keepers := f.all(ch.name().target())[:nearest]
		put := func(seq int64, title string, at ...*fakeNode) {
			for _, n := range at {
				n.kept = map[ID]keptRecord{ch.name().target(): {sign(key, publicSalt, seq, someItem(title).append(nil, ch, seq)), time.Now().Add(keepTime)}}
			}
		}
		put(5, "old", keepers...)
		put(6, "new", keepers[3])
		c := f.client(Config{Refused: &refused})
		got, err := c.Find(t.Context(), ch.id, seal.Access{}, nil)
		if err != nil || got.Title != "new" {
			t.Fatalf("%+v, %v", got, err)
		}
		put(5, "old", keepers...) // all of them hide the newer one
		if got, err := c.Find(t.Context(), ch.id, seal.Access{}, nil); !errors.Is(err, ErrNotFound) || refused.All()[refusedOlder] == 0 {
			t.Errorf("%+v, %v; refused %v", got, err, refused.All())
		}
	})
}

func TestNoMoreThanTwoAreLookedUpAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(1)
		f.nodes[netip.MustParseAddrPort(f.first())].dead = true
		c := f.client(Config{})
		begun := time.Now()
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() { _, _ = c.Find(t.Context(), stream.ChannelID{byte(i)}, seal.Access{}, nil) })
		}
		time.Sleep(time.Millisecond)
		if n := len(f.packets()); n != lookups {
			t.Errorf("%d ask at a time", n)
		}
		all.Wait()
		if d := time.Since(begun); d != 3*answerTime {
			t.Errorf("it took %v", d)
		}
	})
}

// The source publishes once and dies without a word; nodes keep what it has said for two hours.
func TestFollowersKeepALinkAlive(t *testing.T) {
	for followers, alive := range map[int]bool{0: false, 3: true} {
		synctest.Test(t, func(t *testing.T) {
			f, key := newFakeNet(60), testKey(6)
			id := stream.IDOf(key)
			if _, _, err := f.client(Config{}).Publish(t.Context(), key, seal.Access{}, someItem("a")); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for i := range followers {
				c := f.client(Config{})
				all.Go(func() {
					var r Renewals
					got, err := c.Find(ctx, id, seal.Access{}, nil)
					if err != nil {
						t.Error(err)
						return
					}
					for r.Found(time.Now(), got); ctx.Err() == nil; {
						select {
						case <-time.After(time.Minute):
						case <-ctx.Done():
						}
						if of, due := r.Due(time.Now(), time.Duration(i)*time.Minute); due {
							if got, _, err := c.Renew(ctx, seal.Access{}, of); err == nil {
								r.Tried(time.Now(), got)
							}
						}
					}
				})
			}
			time.Sleep(3*time.Hour + 5*time.Minute)
			_, err := f.client(Config{}).Find(t.Context(), id, seal.Access{}, nil)
			if (err == nil) != alive {
				t.Errorf("with %d followers, three hours later: %v", followers, err)
			}
			time.Sleep(renewFor + keepTime)
			if _, err := f.client(Config{}).Find(t.Context(), id, seal.Access{}, nil); err == nil {
				t.Errorf("with %d followers it is there for ever", followers)
			}
			stop()
			all.Wait()
		})
	}
}
