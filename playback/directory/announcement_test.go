package directory

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"relay/relay/stream"
)

// keyOf is a channel's key that is the same in each run.
func keyOf(n int) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0], seed[1], seed[2] = byte(n), byte(n>>8), byte(n>>16)
	return ed25519.NewKeyFromSeed(seed)
}

func addrs(all ...string) (ps []netip.AddrPort) {
	for _, s := range all {
		ps = append(ps, netip.MustParseAddrPort(s))
	}
	return ps
}

// full has every field.
func full() Announcement {
	return Announcement{
		Seq: 1796001012000, TTL: TTL, Live: true, Title: `Finals "A\B" – 日本`, Genre: "Chess", Description: "Table 3 & <more>",
		URL: "https://example.org/live?a=1&b=2", Codecs: "H.264, AAC", Listeners: 12, BitRate: 3_100_000,
		Places: addrs("203.0.113.7:7144", "[2001:db8::1]:7144"), PeerCast: netip.MustParseAddrPort("203.0.113.7:7148"),
	}
}

// The bytes of design.md.
const goldenBody = `{"id":"hnvcppgow2sc2yvdvdicu3ynonsteflxdxrehjr2ybekdc2z3iuq","seq":1796001012000,"ttl":600,"live":true,` +
	`"title":"Finals \"A\\B\" – 日本","genre":"Chess","description":"Table 3 & <more>","url":"https://example.org/live?a=1&b=2",` +
	`"codecs":"H.264, AAC","listeners":12,"bitrate":3100000,"places":["203.0.113.7:7144","[2001:db8::1]:7144"],` +
	`"peercast":"203.0.113.7:7148"}`

const goldenSig = "08db055c3cea96c158502f91785918c332ff2ed63be5794ecc6c294c960ef298f887a2e361b68a3344c1bdab1fb54b64282d34d9f8736bc4844d6a4cefa86308"

func TestAnAnnouncementHasTheseBytes(t *testing.T) {
	s, err := Sign(keyOf(0), full())
	if err != nil {
		t.Fatal(err)
	}
	if s.Body != goldenBody {
		t.Errorf("the body is\n%s\nwant\n%s", s.Body, goldenBody)
	}
	if got := hex.EncodeToString(s.Sig[:]); got != goldenSig {
		t.Errorf("the signature is %s", got)
	}
	if !json.Valid([]byte(s.Body)) {
		t.Error("it is no JSON")
	}
	a, err := s.Open()
	want := full()
	want.ID = stream.IDOf(keyOf(0))
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("read back: %+v, %v", a, err)
	}
	if !s.Verify(a.ID) {
		t.Error("it does not verify")
	}
}

func TestOneBitMoreIsForged(t *testing.T) {
	s, _ := Sign(keyOf(0), full())
	id := stream.IDOf(keyOf(0))
	for i := range len(s.Body) {
		b := []byte(s.Body)
		b[i] ^= 1
		if f := (Signed{string(b), s.Sig}); f.Verify(id) {
			t.Fatalf("byte %d may be another", i)
		}
	}
	for i := range s.Sig {
		f := s
		f.Sig[i] ^= 1
		if f.Verify(id) {
			t.Fatalf("byte %d of the signature may be another", i)
		}
	}
	if s.Verify(stream.IDOf(keyOf(1))) {
		t.Error("it is another channel's")
	}
	// The same key and bytes in another domain.
	var other Signed
	other.Body = s.Body
	copy(other.Sig[:], ed25519.Sign(keyOf(0), []byte(s.Body)))
	if other.Verify(id) {
		t.Error("what is signed without the domain passes")
	}
}

const idText = "hnvcppgow2sc2yvdvdicu3ynonsteflxdxrehjr2ybekdc2z3iuq"

func TestBodiesThatAreNone(t *testing.T) {
	head := `{"id":"` + idText + `","seq":1,"ttl":600`
	for name, body := range map[string]string{
		"empty":                 "",
		"a list":                `[]`,
		"no key":                `{}`,
		"not closed":            head,
		"more behind it":        head + `}{}`,
		"a blank":               head + ` }`,
		"a line end":            head + "}\n",
		"a key twice":           head + `,"seq":2}`,
		"an unknown twice":      head + `,"x":2,"x":2}`,
		"an escape in a key":    head + `,"\u0074itle":"x"}`,
		"half a pair":           head + `,"title":"\ud800"}`,
		"half a pair first":     head + `,"title":"\udc00\ud800"}`,
		"a wrong pair":          head + `,"title":"\ud800\u0041"}`,
		"no such escape":        head + `,"title":"\x41"}`,
		"hex with a sign":       head + `,"title":"\u+041"}`,
		"no UTF-8":              head + ",\"title\":\"\xff\"}",
		"a control":             head + ",\"title\":\"a\nb\"}",
		"a fraction":            head + `,"listeners":1.5}`,
		"an exponent":           head + `,"listeners":1e3}`,
		"zeros in front":        head + `,"listeners":007}`,
		"19 digits":             head + `,"listeners":1234567890123456789}`,
		"null":                  head + `,"title":null}`,
		"an object":             head + `,"x":{}}`,
		"a list in a list":      head + `,"x":[[]]}`,
		"numbers in a list":     head + `,"x":[1]}`,
		"a long list":           head + `,"x":["1"` + strings.Repeat(`,"1"`, maxList) + `]}`,
		"many keys":             head + manyKeys(maxKeys) + `}`,
		"a title as a number":   head + `,"title":1}`,
		"live as a text":        head + `,"live":"true"}`,
		"a name as a place":     head + `,"places":["example.org:7144"]}`,
		"a place with a zone":   head + `,"places":["[fe80::1%eth0]:7144"]}`,
		"a place twice":         head + `,"places":["192.0.2.1:1","192.0.2.1:1"]}`,
		"a mapped place":        head + `,"places":["[::ffff:192.0.2.1]:1"]}`,
		"a long-winded place":   head + `,"places":["[2001:db8:0:0::1]:1"]}`,
		"port 0":                head + `,"places":["192.0.2.1:0"]}`,
		"nine places":           head + `,"places":["192.0.2.1:1","192.0.2.1:2","192.0.2.1:3","192.0.2.1:4","192.0.2.1:5","192.0.2.1:6","192.0.2.1:7","192.0.2.1:8","192.0.2.1:9"]}`,
		"a gateway with a name": head + `,"peercast":"example.org:7144"}`,
		"no ID":                 `{"seq":1,"ttl":600}`,
		"no seq":                `{"id":"` + idText + `","ttl":600}`,
		"no ttl":                `{"id":"` + idText + `","seq":1}`,
		"a seq of 0":            `{"id":"` + idText + `","seq":0,"ttl":600}`,
		"a seq of no year":      `{"id":"` + idText + `","seq":999999999999999999,"ttl":600}`,
		"a negative ttl":        `{"id":"` + idText + `","seq":1,"ttl":-1}`,
		"an ID in capitals":     `{"id":"` + strings.ToUpper(idText) + `","seq":1,"ttl":600}`,
		"too long":              head + `,"title":"` + strings.Repeat("x", MaxBody) + `"}`,
	} {
		if a, err := (&Signed{Body: body}).Open(); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if _, err := (&Signed{Body: head + manyKeys(maxKeys-3) + `}`}).Open(); err != nil {
		t.Errorf("as many keys as may be: %v", err)
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"k` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `":"v"`)
	}
	return b.String()
}

func TestWhatALaterVersionSaysIsPassedOver(t *testing.T) {
	s := Signed{Body: `{"new":["a","b"],"id":"` + idText + `","more":-5,"seq":7,"flag":false,"ttl":99999,"title":"a\u0041\ud83d\ude00\/\t"}`}
	a, err := s.Open()
	if err != nil || a.Seq != 7 || a.TTL != TTL || a.Title != "aA😀/" || a.Listeners != -1 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestTextsOfStrangersAreCleanedAndBounded(t *testing.T) {
	long := strings.Repeat("☃", 1000)
	s, err := Sign(keyOf(1), Announcement{
		Seq: 1, TTL: time.Second, Title: "a\x1b[31m\u202eb\n" + long, Genre: long, Description: strings.Repeat("\U0001F600", 900) + `"\`,
		URL: "javascript:alert(1)", Codecs: long, Listeners: -7, BitRate: -1, Places: make([]netip.AddrPort, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Title, "a\ufffd[31m\ufffdb ☃") || utf8.RuneCountInString(a.Title) != MaxTitle {
		t.Errorf("title %q", a.Title)
	}
	if utf8.RuneCountInString(a.Genre) != MaxGenre || utf8.RuneCountInString(a.Codecs) != MaxCodecs || a.URL != "" || a.Listeners != -1 || a.BitRate != 0 || a.TTL != leastTTL {
		t.Errorf("%+v", a)
	}
	if len(s.Body) > MaxBody {
		t.Errorf("%d bytes", len(s.Body))
	}
	// The same from who does not use Sign.
	a, err = (&Signed{Body: `{"id":"` + idText + `","seq":1,"ttl":600,"title":"\u001b]0;x\u0007","url":"http://user@example.org/","listeners":99999999999}`}).Open()
	if err != nil || a.Title != "\ufffd]0;x\ufffd" || a.URL != "" || a.Listeners != maxCount {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAddressesOfTheWeb(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://example.org/": true, "http://192.0.2.1:80/a?b#c": true, "": false, "javascript:alert(1)": false, "data:text/html,x": false,
		"https://example.org@evil.example/": false, "https://exämple.org/": false, "https://example.org/\"onclick=x": false,
		"https:///x": false, "//example.org/": false, "ftp://example.org/": false, "https://example.org/" + strings.Repeat("x", MaxURL): false, " https://example.org/": false,
	} {
		if got := WebAddress(s); got != "" != ok || ok && got != s {
			t.Errorf("%q is %q", s, got)
		}
	}
}

// FuzzAnnouncement: what is taken is JSON that another reader understands alike, and comes out the same again.
func FuzzAnnouncement(f *testing.F) {
	f.Add(goldenBody)
	f.Add(`{"id":"` + idText + `","seq":7,"ttl":0}`)
	f.Add(`{"new":["a","b"],"id":"` + idText + `","more":-5,"seq":7,"flag":false,"ttl":60,"title":"a\u0041\ud83d\ude00\/\t","x":[]}`)
	f.Add(`{"id":"` + idText + `","seq":1,"ttl":600,"title":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		a, err := (&Signed{Body: body}).Open()
		if err != nil {
			return
		}
		dec := json.NewDecoder(bytes.NewReader([]byte(body)))
		var other struct {
			ID    string   `json:"id"`
			Seq   int64    `json:"seq"`
			Title string   `json:"title"`
			At    []string `json:"places"`
		}
		raw := map[string]json.RawMessage{}
		if err := dec.Decode(&raw); err != nil || dec.More() {
			t.Fatalf("no JSON: %v", err)
		}
		exact := map[string]json.RawMessage{} // encoding/json does not tell capitals apart
		for _, k := range []string{"id", "seq", "title", "places"} {
			if v, ok := raw[k]; ok {
				exact[k] = v
			}
		}
		b, _ := json.Marshal(exact)
		if err := json.Unmarshal(b, &other); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		again := Announcement{Title: other.Title}
		again.clean()
		if other.ID != a.ID.String() || other.Seq != a.Seq || again.Title != a.Title || len(other.At) != len(a.Places) {
			t.Fatalf("%+v is %+v to another reader", a, other)
		}
		out := Signed{Body: string(appendBody(nil, a))}
		if len(out.Body) > MaxBody {
			return
		}
		b2, err := out.Open()
		if err != nil || !reflect.DeepEqual(norm(b2), norm(a)) {
			t.Fatalf("%s\n%+v comes out as %+v, %v", out.Body, a, b2, err)
		}
	})
}

func norm(a Announcement) Announcement {
	if len(a.Places) == 0 {
		a.Places = nil
	}
	return a
}

func BenchmarkOpen(b *testing.B) {
	s, _ := Sign(keyOf(0), full())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s, _ := Sign(keyOf(0), full())
	id := stream.IDOf(keyOf(0))
	for b.Loop() {
		s.Verify(id)
	}
}
