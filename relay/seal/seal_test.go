package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func fixed() (Access, Channel) {
	a := Access{kind: whole}
	for i := range a.secret {
		a.secret[i] = byte(i)
	}
	return a, Channel{3}
}

// What follows from a secret is in links and on the wire, and must never change. The keys were
// computed with HKDF of 20 lines of Python over its hmac, the payload with its AESGCM.
func TestKeysFollowFromTheSecretAndTheChannel(t *testing.T) {
	a, id := fixed()
	join := a.JoinOnly(id)
	label := join.Join(id).Label()
	for what, c := range map[string]struct {
		got  []byte
		want string
	}{
		"content": {a.derive(id, infoContent, keyLen), "b4b3a9c8d2a3bda4a02c011d8497f7a62e3d5410540358c758857ed2470a546c"},
		"join":    {join.secret[:], "c6cf3af5f6edde949b78d3b2500c7343"},
		"proof":   {join.Join(id).proof, "6b8fd572387b62bed30892429f7192f18348289f3e95a49bbe1b9978c6982b93"},
		"label":   {label[:], "03fc33d2a9c2cde01dc8cba3e88db795"},
		"payload": {
			a.Content(id).Epoch([16]byte(bytes.Repeat([]byte{9}, 16))).Seal(nil, Chunk, 7, []byte("a payload"), []byte("head")),
			"4067e6d508e5314dd589ceb834b8e7deb0074a4f6e00c2f943",
		},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s", what, got)
		}
	}
	if other := a.JoinOnly(Channel{4}); other == join {
		t.Error("two channels with one secret have one join part")
	}
}

func TestJoinPartIsEnoughToJoinAndNotToRead(t *testing.T) {
	a, id := New(), Channel{1}
	j := a.JoinOnly(id)
	if j.CanRead() || !j.CanJoin() || !j.Content(id).IsZero() || j.JoinOnly(id) != j {
		t.Errorf("%v reads", j.Fragment())
	}
	if a.Join(id).Label() != j.Join(id).Label() || !bytes.Equal(a.Join(id).proof, j.Join(id).proof) {
		t.Error("the two do not meet")
	}
}

func TestWhatALinkHasBehindItsHashReadsBack(t *testing.T) {
	a, id := New(), Channel{1}
	for _, x := range []Access{a, a.JoinOnly(id)} {
		for _, s := range []string{x.Fragment(), strings.ToUpper(x.Fragment())} {
			if got, err := Parse(s); err != nil || got != x {
				t.Errorf("%s: %s, %v", s, got.Fragment(), err)
			}
		}
		if got, err := ParseStored(x.Stored()); err != nil || got != x {
			t.Errorf("stored: %s, %v", got.Fragment(), err)
		}
	}
	p := OfPassphrase([SecretLen]byte{1})
	if got, err := Parse(p.Fragment()); err != nil || got.CanJoin() || !got.Private() || !got.ByPassphrase() {
		t.Errorf("%s, %v", got.Fragment(), err)
	}
	if got, err := ParseStored(p.Stored()); err != nil || got != p {
		t.Errorf("%v", err)
	}
	good := a.Fragment()
	for _, bad := range []string{"", good[:25], good + "a", "join-", "join-" + good[:25], "passphrase-", good[:25] + "1", strings.Repeat("b", 26), good[:13] + "\n" + good[13:]} {
		if got, err := Parse(bad); err == nil || got.Private() || len(bad) > 9 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, %v", bad, got.Fragment(), err)
		}
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	a := New()
	frag := a.Fragment()
	b, err := json.Marshal(struct{ A Access }{a})
	if err != nil {
		t.Fatal(err)
	}
	all := string(b)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all += fmt.Sprintf(verb, a) + fmt.Sprintf(verb, &a) + fmt.Sprintf(verb, []Access{a})
	}
	for _, shown := range []string{frag, hex.EncodeToString(a.secret[:]), fmt.Sprint(a.secret[:])} {
		if strings.Contains(strings.ToLower(all), shown) {
			t.Errorf("%s is in %s", shown, all)
		}
	}
}

func TestWhatIsSealedOpensAtItsPlaceAlone(t *testing.T) {
	a, id := New(), Channel{1}
	e := a.Content(id).Epoch([16]byte{1})
	payload, head := bytes.Repeat([]byte("media"), 100), []byte("head")
	sealed := e.Seal(nil, Chunk, 5, payload, head)
	if len(sealed) != len(payload)+Overhead || bytes.Contains(sealed, payload[:16]) {
		t.Fatalf("%d bytes", len(sealed))
	}
	if got, err := e.Open(nil, Chunk, 5, sealed, head); err != nil || !bytes.Equal(got, payload) {
		t.Fatal(err)
	}
	flipped := bytes.Clone(sealed)
	flipped[3] ^= 1
	for what, open := range map[string]func() ([]byte, error){
		"as another number": func() ([]byte, error) { return e.Open(nil, Chunk, 6, sealed, head) },
		"as another kind":   func() ([]byte, error) { return e.Open(nil, Header, 5, sealed, head) },
		"with another head": func() ([]byte, error) { return e.Open(nil, Chunk, 5, sealed, []byte("Head")) },
		"in another epoch":  func() ([]byte, error) { return a.Content(id).Epoch([16]byte{2}).Open(nil, Chunk, 5, sealed, head) },
		"in another channel": func() ([]byte, error) {
			return a.Content(Channel{2}).Epoch([16]byte{1}).Open(nil, Chunk, 5, sealed, head)
		},
		"with another secret":   func() ([]byte, error) { return New().Content(id).Epoch([16]byte{1}).Open(nil, Chunk, 5, sealed, head) },
		"with a bit changed":    func() ([]byte, error) { return e.Open(nil, Chunk, 5, flipped, head) },
		"when it is cut":        func() ([]byte, error) { return e.Open(nil, Chunk, 5, sealed[:len(sealed)-1], head) },
		"when nothing is there": func() ([]byte, error) { return e.Open(nil, Chunk, 5, nil, head) },
	} {
		if got, err := open(); err != ErrOpen || got != nil {
			t.Errorf("it opens %s: %v", what, err)
		}
	}
}

func TestPacketsOpenForTheChannelAlone(t *testing.T) {
	a, id := New(), Channel{1}
	j := a.Join(id)
	head, packet := []byte("label"), []byte("somebody is at 203.0.113.7:7144")
	sealed := j.SealPacket(nil, packet, head)
	if got, err := a.JoinOnly(id).Join(id).OpenPacket(sealed, head); err != nil || !bytes.Equal(got, packet) {
		t.Fatal(err)
	}
	if len(sealed) != len(packet)+PacketOverhead || bytes.Equal(sealed, j.SealPacket(nil, packet, head)) {
		t.Error("two packets are the same")
	}
	for n := range len(sealed) {
		if _, err := j.OpenPacket(sealed[:n], head); err != ErrPacket {
			t.Fatalf("%d bytes of it: %v", n, err)
		}
		flipped := bytes.Clone(sealed)
		flipped[n] ^= 0x80
		if _, err := j.OpenPacket(flipped, head); err != ErrPacket {
			t.Fatalf("byte %d changed: %v", n, err)
		}
	}
	if _, err := New().Join(id).OpenPacket(sealed, head); err != ErrPacket {
		t.Error("another secret opens it")
	}
	if _, err := j.OpenPacket(sealed, []byte("lab")); err != ErrPacket {
		t.Error("it opens under another label")
	}
}

func FuzzParse(f *testing.F) {
	a := New()
	for _, s := range []string{a.Fragment(), a.JoinOnly(Channel{}).Fragment(), "passphrase", "passphrase-" + a.Fragment(), "join-passphrase"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (Access, error){Parse, ParseStored} {
			a, err := parse(s)
			if err != nil {
				if a.Private() {
					t.Fatal("access and error")
				}
				continue
			}
			if again, err := ParseStored(a.Stored()); err != nil || again != a {
				t.Fatalf("%q reads back as %q, %v", s, again.Fragment(), err)
			}
		}
	})
}

// BenchmarkSeal is the source's work for one chunk, BenchmarkOpen that of a node that plays it.
func BenchmarkSeal(b *testing.B) {
	for _, n := range []int{400, 5_000, 16_262} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			e := New().Content(Channel{}).Epoch([16]byte{})
			payload, head, out := make([]byte, n), make([]byte, 38), make([]byte, 0, n+Overhead)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			seq := uint64(0)
			for b.Loop() {
				seq++
				e.Seal(out, Chunk, seq, payload, head)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{400, 5_000, 16_262} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			e := New().Content(Channel{}).Epoch([16]byte{})
			head := make([]byte, 38)
			sealed, out := e.Seal(nil, Chunk, 1, make([]byte, n), head), make([]byte, 0, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Open(out, Chunk, 1, sealed, head); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
