package discovery

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"relay/relay/stream"
)

func channelsOf(titles ...string) []Channel {
	var all []Channel
	for i, t := range titles {
		all = append(all, Channel{ID: stream.ChannelID{byte(i >> 8), byte(i)}, Title: t, BitRate: 1000 * i, State: State(i % 3), Source: i%2 == 0})
	}
	return all
}

func TestQueryIsReadBack(t *testing.T) {
	q := query{nonce: 0x0102030405060708, round: 7}
	b := q.append(nil)
	if len(b) != PacketSize {
		t.Fatalf("a query has %d bytes", len(b))
	}
	got, err := parseQuery(b)
	if err != nil || got != q {
		t.Fatalf("got %v, %v", got, err)
	}
	b[PacketSize-1] = 1 // a later version's
	if got, err := parseQuery(b); err != nil || got != q {
		t.Errorf("padding: got %v, %v", got, err)
	}
	for name, bad := range map[string][]byte{
		"empty":         nil,
		"short":         b[:PacketSize-1],
		"long":          append(slices.Clone(b), 0),
		"another magic": append([]byte("GET "), b[4:]...),
		"answer":        append([]byte("rly!"), b[4:]...),
		"version":       append([]byte("rly?\x02"), b[5:]...),
	} {
		if _, err := parseQuery(bad); !errors.Is(err, ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswerIsReadBackAndIsNoLargerThanItsQuery(t *testing.T) {
	long := strings.Repeat("x", MaxTitle)
	for _, titles := range [][]string{
		nil,
		{""},
		{"Quiz night", "", "Ü und 東京"},
		slices.Repeat([]string{long}, 4),
		slices.Repeat([]string{long}, 40),
		slices.Repeat([]string{""}, 400),
	} {
		a := answer{nonce: 1 << 63, port: 7144, channels: channelsOf(titles...)}
		b, n := a.append(nil)
		if len(b) > PacketSize {
			t.Errorf("%d channels make %d bytes", len(titles), len(b))
		}
		if n < min(len(titles), 3) {
			t.Errorf("of %d channels %d fit", len(titles), n)
		}
		a.channels = a.channels[:n]
		got, err := parseAnswer(b)
		if err != nil || got.nonce != a.nonce || got.port != a.port || !slices.Equal(got.channels, a.channels) {
			t.Errorf("got %v, %v, want %v", got, err, a)
		}
	}
}

func TestAnswerThatIsNotRightIsRefusedWhole(t *testing.T) {
	good, _ := answer{nonce: 1, port: 7144, channels: channelsOf("a title")}.append(nil)
	change := func(at int, v byte) []byte {
		b := slices.Clone(good)
		b[at] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty":            nil,
		"query":            query{}.append(nil),
		"version":          change(4, 9),
		"too few":          change(5, 2),
		"too many":         change(5, 0),
		"more than fit":    change(5, 255),
		"no port":          append(append(slices.Clone(good[:6]), 0, 0), good[8:]...),
		"state":            change(headLen+32, byte(statesEnd)),
		"flag":             change(headLen+33, 2),
		"bit rate":         change(headLen+34, 0xff),
		"title beyond end": change(headLen+38, 8),
		"title too long":   change(headLen+38, MaxTitle+1),
		"title not UTF-8":  change(len(good)-1, 0xff),
		"cut":              good[:len(good)-1],
		"longer":           append(slices.Clone(good), 0),
		"larger than due":  append(slices.Clone(good), make([]byte, PacketSize)...),
	} {
		if a, err := parseAnswer(b); !errors.Is(err, ErrPacket) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

func TestTitleIsCutBetweenCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"short":                             "short",
		strings.Repeat("x", MaxTitle+1):     strings.Repeat("x", MaxTitle),
		strings.Repeat("ü", MaxTitle):       strings.Repeat("ü", MaxTitle/2),
		"x" + strings.Repeat("東", MaxTitle): "x" + strings.Repeat("東", (MaxTitle-1)/3),
		"bad\xff":                           "bad?",
		strings.Repeat("\x80", 3*MaxTitle):  "",
	} {
		if got := CutTitle(in); got != want || len(got) > MaxTitle || !utf8.ValidString(got) {
			t.Errorf("%q is told as %q, want %q", in, got, want)
		}
	}
}

func TestEveryChannelOfManyIsToldInSomeRound(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 23, 100} {
		all := channelsOf(slices.Repeat([]string{strings.Repeat("x", MaxTitle)}, n)...)
		told := make(map[stream.ChannelID]bool)
		for round := range uint8((n + 2) / 3) {
			b, _ := answer{port: 1, channels: page(all, round)}.append(nil)
			a, err := parseAnswer(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range a.channels {
				told[c.ID] = true
			}
		}
		if len(told) != n {
			t.Errorf("%d of %d channels are told", len(told), n)
		}
	}
}

// What can be read is written the same; what cannot be read leaves nothing behind.
func FuzzPackets(f *testing.F) {
	f.Add(query{nonce: 1, round: 2}.append(nil))
	for _, titles := range [][]string{nil, {""}, {"one", "東京"}, slices.Repeat([]string{strings.Repeat("x", MaxTitle)}, 9)} {
		b, _ := answer{nonce: 3, port: 7144, channels: channelsOf(titles...)}.append(nil)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := parseQuery(b); err == nil {
			if got, err := parseQuery(q.append(nil)); err != nil || got != q {
				t.Errorf("%v becomes %v, %v", q, got, err)
			}
		} else if q != (query{}) {
			t.Errorf("%v and %v", q, err)
		}
		a, err := parseAnswer(b)
		if err != nil {
			if a.channels != nil {
				t.Errorf("%v and %v", a, err)
			}
			return
		}
		back, n := a.append(nil)
		if n != len(a.channels) || !slices.Equal(back, b) {
			t.Errorf("%x becomes %x", b, back)
		}
		for _, c := range a.channels {
			if len(c.Title) > MaxTitle || !utf8.ValidString(c.Title) || c.BitRate < 0 {
				t.Errorf("channel %+v", c)
			}
		}
	})
}
