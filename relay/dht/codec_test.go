package dht

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The test vectors of BEP 44 for mutable items.
func TestSignaturesAreThoseOfBEP44(t *testing.T) {
	key := [32]byte(unhex(t, "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"))
	for _, c := range []struct{ salt, signed, sig, target string }{
		{
			"", "3:seqi1e1:v12:Hello World!",
			"305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01",
			"4a533d47ec9c7d95b1ad75f576cffc641853b750",
		},
		{
			"foobar", "4:salt6:foobar3:seqi1e1:v12:Hello World!",
			"6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08",
			"411eba73b6f087ca51a3795d9c8c938d365e32c1",
		},
	} {
		r := Record{name: name{key, c.salt}, seq: 1, value: []byte("Hello World!")}
		copy(r.sig[:], unhex(t, c.sig))
		if target := r.name.target(); string(r.signed()) != c.signed || hex.EncodeToString(target[:]) != c.target || r.verify() != nil {
			t.Errorf("salt %q: signed is %q, the target %x, %v", c.salt, r.signed(), target, r.verify())
		}
		if r.seq++; r.verify() == nil {
			t.Errorf("salt %q: another number verifies", c.salt)
		}
	}
}

func TestMessagesByteByByte(t *testing.T) {
	self, target := ID(bytes.Repeat([]byte("a"), 20)), ID(bytes.Repeat([]byte("b"), 20))
	tx := txn{'w', 'x', 'y', 'z'}
	args := "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hash20:bbbbbbbbbbbbbbbbbbbb6:target20:bbbbbbbbbbbbbbbbbbbb4:wantl2:n42:n6ee"
	end := "2:roi1e1:t4:wxyz1:y1:qe"
	for got, want := range map[string]string{
		string(appendGet(nil, tx, self, target, false)): args + "1:q3:get" + end,
		string(appendGet(nil, tx, self, target, true)):  args + "1:q9:find_node" + end,
		string(appendPut(nil, tx, self, []byte("tok"), Record{name: name{[32]byte(bytes.Repeat([]byte("k"), 32)), "s"}, seq: -7, value: []byte("val"), sig: [64]byte(bytes.Repeat([]byte("g"), 64))})): "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa1:k32:" + strings.Repeat("k", 32) +
			"4:salt1:s3:seqi-7e3:sig64:" + strings.Repeat("g", 64) + "5:token3:tok1:v3:vale1:q3:put" + end,
	} {
		if _, ok := asDict([]byte(got)); got != want || !ok {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
	}
	r, err := parseReply([]byte("d2:ip6:abcdef1:rd2:id20:cccccccccccccccccccc5:nodes52:"+strings.Repeat("n", 20)+"\x09\x08\x07\x06\x1a\xe1"+strings.Repeat("m", 20)+"\x09\x08\x07\x05\x1a\xe2"+
		"6:nodes638:"+strings.Repeat("o", 20)+"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe35:token2:xy1:xli1eee1:t4:wxyz1:v4:LT121:y1:re"), name{})
	var at []string
	for _, n := range r.nodes {
		at = append(at, n.at.String())
	}
	if err != nil || r.t != tx || r.id != ID([]byte("cccccccccccccccccccc")) || string(r.token) != "xy" || r.record != nil ||
		strings.Join(at, " ") != "9.8.7.6:6881 9.8.7.5:6882 [2001:db8::1]:6883" || r.nodes[1].id != ID(bytes.Repeat([]byte("m"), 20)) {
		t.Errorf("%+v, %v", r, err)
	}
	for text, code := range map[string]int64{"li302e5:oldere": 302, "li204e1:xe": 204, "le": 204, "i5e": 204, "": 204} {
		b := "d1:e" + text + "1:t4:wxyz1:y1:ee"
		if text == "" {
			b = "d1:t4:wxyz1:y1:ee"
		}
		if r, err := parseReply([]byte(b), name{}); err != nil || r.code != code {
			t.Errorf("%q: %+v, %v", b, r, err)
		}
	}
}

func TestBoundsOfAnAnswer(t *testing.T) {
	key := testKey(1)
	n := &fakeNode{contact: contact{id: ID{1}}}
	for size, want := range map[int]error{maxValue: nil, maxValue + 1: errValue} {
		r := sign(key, publicSalt, 9, make([]byte, size-len("996:")))
		got, err := parseReply(said(n, dict("d1:t4:abcde"), netip.MustParseAddrPort("9.9.9.9:9999"), values(r)), r.name)
		if err != want || (got.record != nil) != (want == nil) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for depth, want := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		if _, _, ok := cut([]byte(strings.Repeat("l", depth) + strings.Repeat("e", depth))); ok != want {
			t.Errorf("%d lists in each other: %v", depth, ok)
		}
	}
}

func TestItemsReadBackAndFit(t *testing.T) {
	places := make([]tree.Place, MaxPlaces+2)
	for i := range places {
		places[i] = tree.Place{ID: tree.ID{byte(i)}}
		for range tree.MaxAddrs {
			places[i].Addrs = append(places[i].Addrs, netip.MustParseAddrPort("[2001:db8::1]:7144"))
		}
	}
	now := time.UnixMilli(1_800_000_000_123)
	for title, want := range map[string]string{
		"":                       "",
		"Finals":                 "Finals",
		"a\x1b[31m\nb":           "a\ufffd[31m b",
		strings.Repeat("ä", 200): strings.Repeat("ä", maxTitle/2),
		strings.Repeat("日", 200): strings.Repeat("日", maxTitle/3),
	} {
		for _, n := range []int{0, 1, 3, MaxPlaces, MaxPlaces + 2} {
			for _, access := range []seal.Access{{}, seal.New()} {
				id := stream.ChannelID{1}
				ch := channel{id, access.Finding(id)}
				it := Item{Live: n%2 == 1, Made: now, Epoch: stream.Epoch{Ms: 3, Rand: 4}, Title: title, Places: places[:n]}
				b := it.append(nil, ch, 77)
				got, err := parseItem(b, ch, 77)
				wantTitle := want
				if access.Private() {
					wantTitle = ""
				}
				if err != nil || len(b) > maxItem || got.Live != it.Live || !got.Made.Equal(now) || got.Epoch != it.Epoch || got.Title != wantTitle || len(got.Places) < min(n, 6) || len(got.Places) > MaxPlaces {
					t.Errorf("%.10q with %d places, %d bytes: %+v, %v", title, n, len(b), got, err)
				}
				for i := range min(n, len(got.Places)) {
					if got.Places[i].ID != places[i].ID || !slices.Equal(got.Places[i].Addrs, places[i].Addrs) {
						t.Errorf("place %d is %+v", i, got.Places[i])
					}
				}
				if again := it.append(nil, ch, 77); bytes.Equal(again[:itemHead+12], b[:itemHead+12]) == access.Private() {
					t.Error("two items have one nonce, or what is not sealed differs")
				}
				if _, err := parseItem(b, ch, 78); (err == nil) == access.Private() {
					t.Errorf("under another number: %v", err)
				}
				for i := range b {
					if _, err := parseItem(b[:i], ch, 77); err == nil {
						t.Errorf("%d bytes of it are an item", i)
					}
				}
			}
		}
	}
}

func TestAPacketWithTheLongestItemFits(t *testing.T) {
	_, key, _ := ed25519.GenerateKey(nil)
	r := sign(key, strings.Repeat("s", maxSalt), -1<<63, make([]byte, maxItem))
	if n := len(appendPut(nil, txn{}, ID{}, make([]byte, maxToken), r)); n > maxPacket-48 { // IPv6 and UDP
		t.Errorf("%d bytes", n)
	}
}

func FuzzReply(f *testing.F) {
	key := testKey(1)
	r := sign(key, publicSalt, 9, someItem("a").append(nil, channel{id: stream.IDOf(key)}, 9))
	n := &fakeNode{contact: contact{id: ID{1}}}
	f.Add(said(n, dict("d1:t4:abcde"), netip.MustParseAddrPort("9.9.9.9:9999"), values(r)))
	f.Add(said(n, dict("d1:t4:abcde"), netip.MustParseAddrPort("9.9.9.9:9999"), map[string]string{"nodes": quoted(make([]byte, 260)), "nodes6": quoted(make([]byte, 380))}))
	f.Add([]byte("d1:eli204e14:Method Unknowne1:t4:abcd1:y1:ee"))
	f.Add([]byte("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t4:abcd1:y1:qe"))
	of := r.name
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, rest, ok := cut(b); ok && (len(v)+len(rest) != len(b) || len(v) == 0) {
			t.Fatalf("%q is cut into %q and %q", b, v, rest)
		}
		got, err := parseReply(b, of)
		if len(got.nodes) > 2*maxNodes || len(got.token) > maxToken {
			t.Fatalf("%d nodes, a token of %d bytes", len(got.nodes), len(got.token))
		}
		if err == nil && got.record != nil && (got.record.verify() != nil || len(got.record.value) > maxValue) {
			t.Fatalf("%+v", got.record)
		}
		w := newWalk(of, ID{}, false, func() txn { return txn{'a', 'b', 'c', 'd'} }, nil)
		w.begin(contact{at: netip.MustParseAddrPort("9.9.9.9:9999")}, false)
		now := time.Unix(0, 0)
		if !w.ready(now) {
			t.Fatal("there is nobody to ask")
		}
		to, _ := w.next(now, nil)
		if w.take(now, to, b) != (err == nil && got.record != nil && got.t == txn{'a', 'b', 'c', 'd'} && got.code == 0) {
			t.Fatalf("%q: %+v, %v", b, got, err)
		}
	})
}

func FuzzItem(f *testing.F) {
	ch := channel{id: stream.ChannelID{1}}
	f.Add(someItem("a title").append(nil, ch, 1))
	f.Add(Item{}.append(nil, ch, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := parseItem(b, ch, 1)
		if err != nil {
			return
		}
		if len(it.Places) > MaxPlaces || len(it.Title) > maxTitle {
			t.Fatalf("%+v", it)
		}
		again, err := parseItem(it.append(nil, ch, 1), ch, 1)
		if err != nil || !again.Made.Equal(it.Made) || again.Title != it.Title || again.Epoch != it.Epoch {
			t.Fatalf("%+v is %+v, %v", it, again, err)
		}
	})
}
