package flag

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestInOrder(t *testing.T) {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}},
		Number("offset", "", "0"),
		List("advertise", ""),
		Toggle("loop", ""),
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
		if got := strings.Join(InOrder(args, flags), " "); got != c.want {
			t.Errorf("InOrder(%s) = %s, want %s", c.args, got, c.want)
		}
		if !slices.Equal(args, before) {
			t.Errorf("InOrder(%s) changes its argument to %q", c.args, args)
		}
	}
}
