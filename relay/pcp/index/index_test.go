package index

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"relay/relay/refusal"
)

// The ID that PeerCast's own examples have.
const someID = "97968780D09CC97BB98D4A2BF221EDE7"

var idle, _ = ParseID(someID)

func TestEachFieldOfALineIsRead(t *testing.T) {
	line := "ゲーム &amp; &lt;雑談&gt;<>97968780d09cc97bb98d4a2bf221ede7<>192.0.2.7:7144<>https://bbs.example/a?b=1&amp;c=2<>game<>first try<>12<>3<>1500<>flv<>A. Artist<>Album<>Title &#9834;<>http://t.example/<>%E3%82%B2<>1:05<>click<>no comment<>1\n"
	want := Channel{
		Name: "ゲーム & <雑談>", ID: idle, Tip: "192.0.2.7:7144", Contact: "https://bbs.example/a?b=1&c=2", Genre: "game", Description: "first try",
		Listeners: 12, Relays: 3, Kbps: 1500, Type: "FLV", Artist: "A. Artist", Album: "Album", Title: "Title ♪", TrackURL: "http://t.example/",
		Uptime: 65 * time.Minute, Comment: "no comment", Direct: true,
	}
	got, err := Parse(strings.NewReader(line), Bounds{})
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestALineIsWrittenAsPeerCastWantsIt(t *testing.T) {
	for _, c := range []struct {
		ch   Channel
		want string
	}{
		{
			Channel{Name: "a <b> & c", ID: idle, Tip: "[2001:db8::1]:7144", Listeners: Hidden, Relays: Hidden, Kbps: 800, Type: "flv", Uptime: 25*time.Hour + 3*time.Minute + 59*time.Second},
			"a &lt;b&gt; &amp; c<>" + someID + "<>[2001:db8::1]:7144<><><><>-1<>-1<>800<>FLV<><><><><>a%20%3Cb%3E%20%26%20c<>25:03<>click<><>0",
		},
		{
			Channel{Name: "two\nlines<>\x1b[31m", Contact: "javascript:alert(1)", Tip: "h:0", Listeners: -7, Kbps: -1, Uptime: -time.Hour, Direct: true},
			"two lines&lt;&gt;\ufffd[31m<>" + strings.Repeat("0", 32) + "<><><><><>-1<>0<>0<><><><><><>two%20lines%3C%3E%EF%BF%BD%5B31m<>0:00<>click<><>1",
		},
	} {
		if got := c.ch.Line(); got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

// with returns a line of which one field, counted from 1, is that.
func with(field int, value string) string {
	f := strings.Split("n<>"+someID+"<>192.0.2.7:7144<><><><>1<>1<>1<>FLV<><><><><>n<>0:01<>click<><>0", separator)
	f[field-1] = value
	return strings.Join(f, separator)
}

func TestWhatIsInNoOrderIsLeftOut(t *testing.T) {
	tip := func(c Channel) string { return c.Tip }
	contact := func(c Channel) string { return c.Contact }
	listeners := func(c Channel) string { return fmt.Sprint(c.Listeners) }
	kbps := func(c Channel) string { return fmt.Sprint(c.Kbps) }
	up := func(c Channel) string { return c.Uptime.String() }
	name := func(c Channel) string { return c.Name }
	for _, c := range []struct {
		field int
		value string
		of    func(Channel) string
		want  string
	}{
		{3, "", tip, ""},
		{3, "192.0.2.7", tip, ""},
		{3, "192.0.2.7:0", tip, ""},
		{3, "192.0.2.7:65536", tip, ""},
		{3, "192.0.2.999:7144", tip, ""},
		{3, "[2001:DB8:0::1]:7144", tip, "[2001:db8::1]:7144"},
		{3, "2001:db8::1:7144", tip, ""},
		{3, "[::ffff:192.0.2.7]:7144", tip, "192.0.2.7:7144"},
		{3, "[fe80::1%eth0]:7144", tip, ""},
		{3, "Tip.Example.Org:7144", tip, "tip.example.org:7144"},
		{3, "tip..example:7144", tip, ""},
		{3, "-tip.example:7144", tip, ""},
		{3, "tip.example/x:7144", tip, ""},
		{3, "user@tip.example:7144", tip, ""},
		{3, "2130706433:7144", tip, ""}, // a number is 127.0.0.1 to some resolvers
		{3, "0x7f000001:7144", tip, ""},
		{3, "127.0.0.0x1:7144", tip, ""},
		{3, strings.Repeat("a.", 127) + "b:7144", tip, ""},
		{4, "javascript:alert(1)", contact, ""},
		{4, "http:///x", contact, ""},
		{4, "//h/x", contact, ""},
		{4, "http://h/\x1b", contact, ""},
		{4, "http://h/ x", contact, ""},
		{4, "http://h/\u202e", contact, ""},
		{4, "http://h/" + strings.Repeat("x", maxURL), contact, ""},
		{4, "https://h/?a=1&copy=2", contact, "https://h/?a=1&copy=2"},
		{7, "-1", listeners, "-1"},
		{7, "-9", listeners, "-1"},
		{7, "", listeners, "-1"},
		{7, "1e3", listeners, "-1"},
		{7, "99999999999999999999", listeners, "-1"},
		{7, "1000000001", listeners, "-1"},
		{9, "-1", kbps, "0"},
		{9, "x", kbps, "0"},
		{16, "100:59", up, "100h59m0s"},
		{16, "1:60", up, "0s"},
		{16, "5", up, "0s"},
		{16, "-1:00", up, "0s"},
		{16, "4294967296:00", up, "0s"},
		{16, "87601:00", up, "0s"},
		{1, "a&b&;&#;&#x;&bogus;&#99999999;&#xD800;&#0;", name, "a&b&;&#;&#x;&bogus;&#99999999;&#xD800;\ufffd"},
		{1, "&amp;lt;script&amp;gt;", name, "&lt;script&gt;"},
		{1, "&#60;b&#x3e; &quot;&apos;&#39;", name, "<b> \"''"},
		{1, "a\x1b[2Jb\u202ec\td", name, "a\ufffd[2Jb\ufffdc d"},
		{1, strings.Repeat("あ", 500), name, strings.Repeat("あ", maxName)},
		{1, "< a > b", name, "< a > b"},
	} {
		got, err := Parse(strings.NewReader(with(c.field, c.value)), Bounds{})
		if err != nil || len(got) != 1 {
			t.Fatalf("%q: %v, %v", c.value, got, err)
		}
		if s := c.of(got[0]); s != c.want {
			t.Errorf("field %d, %.80q: %q, want %q", c.field, c.value, s, c.want)
		}
	}
}

func TestLinesOfBothEncodings(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\x83\x65\x83\x58\x83\x67", "テスト"},
		{"\x83\x5c \x95\x5c \x94\x5c", "ソ 表 能"}, // with the byte of a backslash in them
		{"\x87\x40\xfb\xfc\x81\x60\xb1\xb2", "①髙～ｱｲ"},
		{"\x82\xa0&#9834;&lt;", "あ♪<"},
		{"\x83", "\ufffd"},
		{"\x83\x20x\x83", "\ufffd x\ufffd"},
		{"\x82\xa0\xf0\x40\xa0\xff", "あ\ufffd@\ufffd\ufffd"}, // private use, and no leads
		{"予定地は\xe3\x81", "予定地は\ufffd"},                       // UTF-8 that was cut
		{"\ufeffx", "x"},
	} {
		got, err := Parse(strings.NewReader(with(1, c.in)), Bounds{})
		if err != nil || len(got) != 1 || got[0].Name != c.want {
			t.Errorf("%q: %+v, %v; want %q", c.in, got, err, c.want)
		}
	}
}

// What is said in one language in one line leaves the others alone.
func TestAStrangersLineChangesNoOther(t *testing.T) {
	list := with(1, "あ") + "\r\n\r\n" + with(1, "\x82\xa0") + "\n" + with(1, "é\xff") + "\n" + with(1, "ü")
	got, err := Parse(strings.NewReader(list), Bounds{})
	if names := namesOf(got); err != nil || !slices.Equal(names, []string{"あ", "あ", "ﾃｩ\ufffd", "ü"}) {
		t.Errorf("%+q, %v", names, err)
	}
}

func namesOf(list []Channel) (names []string) {
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func TestAListHasBounds(t *testing.T) {
	good := with(1, "x") + "\n"
	failed := errors.New("failed")
	for _, c := range []struct {
		name    string
		from    io.Reader
		bounds  Bounds
		want    int
		err     error
		refused map[refusal.Reason]uint64
	}{
		{name: "nothing", from: strings.NewReader("")},
		{name: "blank lines", from: strings.NewReader("\n\r\n\n")},
		{name: "a page", from: strings.NewReader("<html>\n<body>"), err: ErrNotIndex, refused: map[refusal.Reason]uint64{WrongFields: 2}},
		{name: "18 and 20 fields", from: strings.NewReader(good + "x<>" + good + strings.TrimSuffix(good, "<>0\n")), want: 1, refused: map[refusal.Reason]uint64{WrongFields: 2}},
		{name: "IDs", from: strings.NewReader(with(2, "x"+someID[1:]) + "\n" + with(2, someID+"0") + "\n" + with(2, "") + "\n" + good), want: 1, refused: map[refusal.Reason]uint64{WrongID: 3}},
		{name: "no end of a line", from: io.MultiReader(strings.NewReader(good), &endless{}), bounds: Bounds{Bytes: 1 << 20}, want: 1, err: ErrTooLong},
		{name: "a long line", from: strings.NewReader(with(18, strings.Repeat("x", 20_000)) + "\n" + good), want: 1, refused: map[refusal.Reason]uint64{LongLine: 1}},
		{name: "a long line at the end", from: strings.NewReader(good + with(18, strings.Repeat("x", 20_000))), want: 1, refused: map[refusal.Reason]uint64{LongLine: 1}},
		{name: "separators", from: strings.NewReader(strings.Repeat("<>", 8000) + "\n" + good), want: 1, refused: map[refusal.Reason]uint64{WrongFields: 1}},
		{name: "many", from: strings.NewReader(strings.Repeat(good, 10)), bounds: Bounds{Channels: 9}, want: 9, err: ErrTooLong},
		{name: "as many as may be", from: strings.NewReader(strings.Repeat(good, 9)), bounds: Bounds{Channels: 9}, want: 9},
		{name: "large", from: strings.NewReader(strings.Repeat(good, 10)), bounds: Bounds{Bytes: 10*len(good) - 2}, want: 9, err: ErrTooLong},
		{name: "as large as may be", from: strings.NewReader(strings.Repeat(good, 10)), bounds: Bounds{Bytes: 10 * len(good)}, want: 10},
		{name: "cut off", from: io.MultiReader(strings.NewReader(good+good[:9]), iotest.ErrReader(failed)), want: 1, err: failed, refused: map[refusal.Reason]uint64{WrongFields: 1}},
		{name: "byte by byte", from: iotest.OneByteReader(strings.NewReader(good + good)), want: 2},
	} {
		c.bounds.Refused = &refusal.Counts{}
		got, err := Parse(c.from, c.bounds)
		if len(got) != c.want || !errors.Is(err, c.err) || fmt.Sprint(c.bounds.Refused.All()) != fmt.Sprint(c.refused) {
			t.Errorf("%s: %d channels, %v, refused %v; want %d, %v, %v", c.name, len(got), err, c.bounds.Refused.All(), c.want, c.err, c.refused)
		}
	}
}

// endless is a line without an end.
type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '<'
	}
	return len(p), nil
}

func TestALongLineCostsNoMemory(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage allocates")
	}
	n := testing.AllocsPerRun(1, func() {
		_, _ = Parse(&endless{}, Bounds{Bytes: 8 << 20})
	})
	if n > 20 {
		t.Errorf("%v allocations", n)
	}
}

func TestALineThatWasCopiedIsRead(t *testing.T) {
	c, ok := ParseLine(with(1, "x") + "\r\n")
	if !ok || c.Name != "x" || c.Tip != "192.0.2.7:7144" {
		t.Errorf("%+v, %v", c, ok)
	}
	for _, line := range []string{"", "x", with(2, "x"), with(18, strings.Repeat("x", 20_000))} {
		if _, ok := ParseLine(line); ok {
			t.Errorf("%.40q is a line", line)
		}
	}
	if c, ok := ParseLine(with(2, strings.Repeat("0", 32))); !ok || !c.Notice() {
		t.Errorf("%+v, %v", c, ok)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{with(1, "あ&lt;&#x266a;"), with(1, "\x83\x5c"), with(3, "[2001:db8::1]:1"), with(16, "9:59") + "\r\n" + with(7, "-1"), with(10, "ß")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Parse(strings.NewReader(string(b)), Bounds{Channels: 100, Line: 4096, Bytes: 1 << 20})
		for _, c := range list {
			line := c.Line()
			if strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%+v makes two lines: %q", c, line)
			}
			if again, ok := ParseLine(line); !ok || again != c {
				t.Fatalf("%+v\ncomes back as\n%+v, %v\nfrom %q", c, again, ok, line)
			}
		}
		if err == nil && len(list) == 0 && strings.Contains(string(b), "x") {
			t.Fatalf("%q is an empty list", b)
		}
	})
}
