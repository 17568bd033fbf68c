package follow

import (
	"fmt"
	"strings"
	"testing"

	"relay/relay"
	"relay/relay/stream"
)

func id(n int) stream.ChannelID { return stream.ChannelID{byte(n), byte(n >> 8)} }

func TestAListKeepsWhatPeopleWrote(t *testing.T) {
	text := "# mine\n\n  late-night  " + id(1).String() + "   a:1  # on Fridays\nhello world\ntwice " + id(1).String() + "\n\tFoo " + strings.ToUpper(id(2).String()) + "\n"
	l := Parse([]byte(text))
	if got := string(l.Bytes()); got != text {
		t.Errorf("it is written as %q", got)
	}
	if len(l.Channels) != 2 || l.Channels[0].Name != "late-night" || l.Channels[0].Hosts[0] != (relay.HostPort{Host: "a", Port: 1}) || l.Find("foo") == nil || l.Find("foo").ID != id(2) {
		t.Errorf("%+v", l.Channels)
	}
	if got := fmt.Sprintf("%q", l.Problems); got != `["line 4: a channel ID has 52 characters, this one has 5" "line 5: the channel is there already, as late-night"]` {
		t.Error(got)
	}
	for _, c := range []Channel{{Name: "third", ID: id(3), Hosts: []relay.HostPort{relay.AskedOf("example.org"), {Host: "2001:db8::1", Port: 2}}}, {Name: "friday", ID: id(1)}} {
		if err := l.Add(c); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []Channel{{Name: "FOO", ID: id(4)}, {Name: "third", ID: id(2)}} {
		if err := l.Add(c); err == nil {
			t.Errorf("%v is added", c)
		}
	}
	if c, ok := l.Remove(id(2).String()); !ok || c.Name != "Foo" {
		t.Errorf("%v %v", c, ok)
	}
	if _, ok := l.Remove("nobody"); ok {
		t.Error("nobody is removed")
	}
	want := "# mine\n\nfriday " + id(1).String() + " a:1 # on Fridays\nhello world\ntwice " + id(1).String() + "\nthird " + id(3).String() + " @example.org [2001:db8::1]:2\n"
	if got := string(l.Bytes()); got != want {
		t.Errorf("%q, want\n%q", got, want)
	}
	if again := Parse(l.Bytes()); fmt.Sprint(again.Channels) != fmt.Sprint(l.Channels) {
		t.Errorf("read again: %v, want %v", again.Channels, l.Channels)
	}
}

func TestANewListExplainsItself(t *testing.T) {
	l := Parse(nil)
	if err := l.Add(Channel{Name: "a", ID: id(1)}); err != nil {
		t.Fatal(err)
	}
	if got := string(l.Bytes()); got != Head+"a "+id(1).String()+"\n" {
		t.Error(got)
	}
	if again := Parse(l.Bytes()); len(again.Channels) != 1 || len(again.Problems) != 0 {
		t.Errorf("%+v", again)
	}
}

func TestNamesAreWordsThatAreShownAsTheyAre(t *testing.T) {
	for _, ok := range []string{"a", "late-night", "Foo_2", "v1.2", "決勝", "été", "🎮"} {
		if err := CheckName(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"", "a b", "-a", "#a", "a#b", "@a", "a/b", "a:1", "example.org", "bücher.example", id(1).String(), "a\x1b[31m", "a\u202eb", "a\u200bb", "\xff", "a\ufffdb", strings.Repeat("a", 33), "a,b", `a"`} {
		if err := CheckName(bad); err == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}

func TestAHugeListIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "n%d %s\n", i, id(i))
	}
	l := Parse([]byte(b.String()))
	if len(l.Channels) != maxFollowed || len(l.Problems) != maxProblems {
		t.Errorf("%d channels, %d problems", len(l.Channels), len(l.Problems))
	}
	if l := Parse([]byte("a " + id(1).String() + strings.Repeat(" a:1", maxHosts+1))); len(l.Channels) != 0 {
		t.Errorf("%v", l.Channels)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{Head, "a " + id(1).String() + " a:1 @example.org # x\n", "\x00\n\n", "a b c", "#"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := Parse(b)
		if w := string(l.Bytes()); len(b) > 0 && strings.TrimSuffix(w, "\n") != strings.TrimSuffix(string(b), "\n") {
			t.Fatalf("%q is written as %q", b, w)
		}
		for _, c := range l.Channels {
			if CheckName(c.Name) != nil || len(c.Hosts) > maxHosts {
				t.Errorf("%+v", c)
			}
		}
		c := Channel{Name: "added", ID: id(9)}
		if l.Find(c.Name) == nil && l.Add(c) == nil {
			if n := len(Parse(l.Bytes()).Channels); n != len(l.Channels) {
				t.Errorf("%d channels are read again as %d", len(l.Channels), n)
			}
		}
	})
}
