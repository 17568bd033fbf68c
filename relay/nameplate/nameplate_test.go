package nameplate

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"relay/relay/stream"
)

func TestANameIsFitToBeShown(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"kitchen":                 "kitchen",
		"  living  room\t2 ":      "living room 2",
		"Gießkanne Łukasz Tromsø": "Gießkanne Łukasz Tromsø",
		"居間のテレビ":                  "居間のテレビ",
		"غرفة":                    "غرفة",
		"हिन्दी क्षेत्रीय": "हिन्दी क्षे",
		"🎥":                               "🎥",
		"❤\ufe0f":                         "❤\ufe0f",
		"line\nbreak\r\nand\u2028more":    "line break and more",
		"\x1b[31mred\x1b[0m":              "[31mred[0m",
		"\u009b31mC1":                     "31mC1",
		"\u202egpj.exe":                   "gpj.exe",
		"\u2066a\u2069\u200eb":            "ab",
		"re\u200blay\ufeff":               "relay",
		"a \u200b \u200b \u200b b":        "a b", // runs of blanks push what follows off the screen
		"x\" · source":                    "x' · source",
		"“a” «b» „c＂":                     "'a' 'b' 'c'",
		"Z" + strings.Repeat("\u0335", 9): "Z\u0335\u0335\u0335",
		"\u0301\u0302a":                   "a", // marks without a character
		" \u0301":                         "",
		"\u3164\u115f\u2800":              "", // seen by nobody
		"...":                             "",
		"— · —":                           "",
		"\xff\xfe":                        "",
		strings.Repeat("x", 33):           strings.Repeat("x", 32),
		strings.Repeat("é", 17):           strings.Repeat("é", 16),
		strings.Repeat("x", 31) + "é":     strings.Repeat("x", 31),
		strings.Repeat("x", 31) + " yy":   strings.Repeat("x", 31),
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		check(t, in)
	}
}

// check fails if Clean does not keep its promises.
func check(t *testing.T, in string) {
	t.Helper()
	got := Clean(in)
	marks := 0
	for _, r := range got {
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || r == '"' || r == unicode.ReplacementChar || marks > maxMarks {
			t.Fatalf("%q: %U is left in %q", in, r, got)
		}
	}
	if len(got) > MaxName || !utf8.ValidString(got) || strings.TrimSpace(got) != got || strings.Contains(got, "  ") || Clean(got) != got {
		t.Fatalf("%q becomes %q, and that %q", in, got, Clean(got))
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"kitchen", "\u202e \x1b[2J\r\nab\u200b", "Z\u0335\u0335\u0335\u0335", "x\" “", "❤\ufe0f ", "  a  b "} {
		f.Add(s)
	}
	f.Fuzz(check)
}

var (
	owner   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	other   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	channel = stream.IDOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize)))
	made    = time.UnixMilli(1_700_000_000_000)
)

func TestAPlateHasTheBytesOfTheSpecification(t *testing.T) {
	p := Sign(channel, owner, made, "kitchen", true)
	end := len(p) - ed25519.SignatureSize
	want := hex.EncodeToString(owner.Public().(ed25519.PublicKey)) + "0000018bcfe56800" + "01" + "07" + hex.EncodeToString([]byte("kitchen"))
	if got := hex.EncodeToString([]byte(p[:end])); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	over := append([]byte("relay/1 name\x00"), channel[:]...)
	if over = append(over, p[:end]...); !ed25519.Verify(owner.Public().(ed25519.PublicKey), over, []byte(p[end:])) {
		t.Error("the signature is over something else")
	}
	if p.Name() != "kitchen" || !p.Home() || p.At() != uint64(made.UnixMilli()) {
		t.Errorf("it says %q, %t, %d", p.Name(), p.Home(), p.At())
	}
	got, rest, ok := Cut([]byte(p + "rest"))
	if !ok || got != p || string(rest) != "rest" {
		t.Errorf("it is read as %q, %q, %t", got, rest, ok)
	}
}

func TestAPlateIsOfItsNodeAndItsChannelAlone(t *testing.T) {
	good := Sign(channel, owner, made, "kitchen", false)
	if !good.Verify(channel) {
		t.Fatal("a good one is none")
	}
	if bad := Sign(channel, other, made, "kitchen", false); bad.Node() == good.Node() {
		t.Error("another key has signed for the node")
	}
	swapped := Plate(other.Public().(ed25519.PublicKey)) + good[plateAt:]
	elsewhere := stream.IDOf(other)
	if swapped.Verify(channel) || good.Verify(elsewhere) || Plate("").Verify(channel) || good[:MinLen-1].Verify(channel) {
		t.Error("it is taken of another node, or in another channel")
	}
	for i := range good {
		b := []byte(good)
		b[i] ^= 1
		if Plate(b).Verify(channel) {
			t.Errorf("it is taken with another byte %d", i)
		}
	}
}

func TestWhatIsNoPlateIsNotTaken(t *testing.T) {
	good := []byte(Sign(channel, owner, made, strings.Repeat("x", MaxName), false))
	if len(good) != MaxLen {
		t.Errorf("the longest has %d bytes", len(good))
	}
	for n := range good {
		if _, _, ok := Cut(good[:n]); ok {
			t.Errorf("%d bytes of it are taken", n)
		}
	}
	for at, v := range map[int]byte{plateFlags: 2, plateLen: MaxName + 1} {
		b := bytes.Clone(good)
		b[at] = v
		if _, _, ok := Cut(append(b, 0)); ok {
			t.Errorf("it is taken with %d at %d", v, at)
		}
	}
	if p := Sign(channel, owner, made, "\u202e", false); p.Name() != "" || len(p) != MinLen || !p.Verify(channel) {
		t.Errorf("the plate of no name says %q", p.Name())
	}
}

func FuzzPlate(f *testing.F) {
	f.Add([]byte(Sign(channel, owner, made, "kitchen", true)))
	f.Add([]byte(Sign(channel, owner, made, "", false)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, ok := Cut(b)
		if !ok {
			return
		}
		if string(p)+string(rest) != string(b) || len(p) < MinLen || len(p) > MaxLen {
			t.Fatalf("%x is cut into %x and %x", b, p, rest)
		}
		check(t, p.Name())
		p.Verify(channel)
		p.Node()
		p.At()
	})
}
