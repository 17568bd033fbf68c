package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestInOrder(t *testing.T) {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}},
		number("offset", "", "0"),
		list("advertise", ""),
		toggle("loop", ""),
	}
	for _, c := range []struct{ args, want string }{
		{"", ""},
		{"LINK", "-- LINK"},
		{"-", "-- -"},
		{"--loop", "--loop"},
		{"--loop FILE", "--loop -- FILE"},
		{"FILE --loop", "--loop -- FILE"},
		{"FILE --loop OTHER", "--loop -- FILE OTHER"},
		{"LINK -o FILE", "-o FILE -- LINK"},
		{"LINK -o -", "-o - -- LINK"},
		{"LINK -o=-", "-o=- -- LINK"},
		{"LINK --output FILE --loop", "--output FILE --loop -- LINK"},
		{"LINK --output=FILE OTHER", "--output=FILE -- LINK OTHER"},
		{"LINK -output FILE", "-output FILE -- LINK"},
		{"LINK --offset -1", "--offset -1 -- LINK"},
		{"--advertise A LINK --advertise B", "--advertise A --advertise B -- LINK"},
		{"LINK --unknown X", "--unknown -- LINK X"},
		{"LINK --output", "--output"},
		{"--", ""},
		{"LINK --", "-- LINK"},
		{"-- --loop", "-- --loop"},
		{"--loop -- -o", "--loop -- -o"},
		{"FILE -- --loop", "-- FILE --loop"},
		{"FILE -- --loop -- X", "-- FILE --loop -- X"},
		{"--output -- LINK", "--output -- -- LINK"},
	} {
		args := strings.Fields(c.args)
		before := slices.Clone(args)
		if got := strings.Join(inOrder(args, flags), " "); got != c.want {
			t.Errorf("inOrder(%s) = %s, want %s", c.args, got, c.want)
		}
		if !slices.Equal(args, before) {
			t.Errorf("inOrder(%s) changes its argument to %q", c.args, args)
		}
	}
}

func TestPortOf(t *testing.T) {
	for _, c := range []struct {
		value, host string
		offset      int
		given       bool
		want        string
	}{
		{"", "", 0, false, ":7144"},
		{"", "127.0.0.1", 0, false, "127.0.0.1:7144"},
		{"", "127.0.0.1", 10, false, "127.0.0.1:7154"},
		{"", "", maxOffset, false, ":47144"},
		{"9000", "", 0, true, ":9000"},
		{"9000", "127.0.0.1", 0, true, "127.0.0.1:9000"},
		{"9000", "127.0.0.1", 10, true, "127.0.0.1:9000"}, // --offset is for default ports
		{":9000", "127.0.0.1", 0, true, ":9000"},
		{"0", "127.0.0.1", 0, true, "127.0.0.1:0"},
		{"65535", "", 0, true, ":65535"},
		{"0.0.0.0:9000", "127.0.0.1", 0, true, "0.0.0.0:9000"},
		{"[::1]:9000", "127.0.0.1", 0, true, "[::1]:9000"},
		{"localhost:9000", "", 0, true, "localhost:9000"},
	} {
		p, err := portOf("links", "listen", c.value, c.host, portListen, c.offset, c.given)
		want := port{what: "links", flag: "listen", addr: c.want, given: c.given}
		if err != nil || p != want {
			t.Errorf("portOf(%q, host %q, offset %d, given %t) = %+v, %v, want %+v", c.value, c.host, c.offset, c.given, p, err, want)
		}
	}
}

func TestPortOfRefuses(t *testing.T) {
	for _, value := range []string{"", "nope", "127.0.0.1", "65536", "-1", "+1", ":", ":http", ":65536", ":-1", "::1", "::1:9000", "[::1]", "1:2:3", "http://127.0.0.1:9000"} {
		p, err := portOf("links", "listen", value, "", portListen, 0, true)
		var f *failure
		if !errors.As(err, &f) {
			t.Errorf("portOf(%q) = %+v, %v, want a failure", value, p, err)
			continue
		}
		if f.code != exitUsage || !strings.Contains(f.Error(), "--listen") || !strings.Contains(f.hint, ":7144") {
			t.Errorf("portOf(%q): exit %d, %q, hint %q", value, f.code, f, f.hint)
		}
	}
}
