package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"relay/cli/flag"
	"relay/cli/manual"
	"relay/cli/term"
)

func testApp() *cli.App {
	stdio := Stdio{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	return newApp(term.New(stdio.Out, stdio.Err), stdio)
}

func TestCommandsAreCompleted(t *testing.T) {
	app := testApp()
	channels := func(string) []manual.Candidate {
		return []manual.Candidate{{Word: "live", About: ""}, {Word: "second", About: ""}, {Word: "karp6ufz", About: "live here"}}
	}
	for _, c := range []struct {
		words []string
		want  string // what must be there; "!" before what must not
	}{
		{[]string{""}, "source watch tree top link completion man help version !__complete !--help"},
		{[]string{"t"}, "tree top !watch"},
		{[]string{"-"}, "--help !tree"},
		{[]string{"help", "w"}, "watch !tree"},
		{[]string{"completion", ""}, "bash zsh fish powershell"},
		{[]string{"watch", "--pl"}, "--player !--http"},
		{[]string{"watch", "-"}, "--player -o --output --help -h --no-relay --timeout"},
		{[]string{"watch", "--player", ""}, "mpv vlc ffplay !live"},
		{[]string{"watch", "--player", "m"}, "mpv !vlc"},
		{[]string{"watch", "--player=m"}, "--player=mpv !mpv !--player=vlc"},
		{[]string{"watch", "--player", "=", "m"}, "mpv !vlc !--player=mpv"}, // as bash has it
		{[]string{"watch", "--player", "="}, "mpv vlc"},
		{[]string{"watch", "--player", "=", "mpv", "--no"}, "--no-relay"},
		{[]string{"watch", "--player", "=", "mpv", ""}, "live !mpv"},
		{[]string{"watch", "-o", "x"}, ":files"},
		{[]string{"watch", "--config", ""}, ":dirs !live"},
		{[]string{"watch", "--http", ""}, "!live !:files"},
		{[]string{"watch", "--start", ""}, "squash gop key"},
		{[]string{"serve", "--list", ""}, ":files"},
		{[]string{"watch", "--no-relay", ""}, "live second"}, // takes no value
		{[]string{"tree", "k"}, "karp6ufz !live"},
		{[]string{"tree", "live", "--w"}, "--watch"},
		{[]string{"link", "--qr", "s"}, "second !live"},
		{[]string{"source", "mov"}, ":files"},
		{[]string{"key", ""}, "show export import rotate :files"},
		{[]string{"key", "export", "--ch"}, "--channel !:files"},
		{[]string{"source", "--", "--l"}, ":files !--loop"},
		{[]string{"service", ""}, "install remove status !--list"},
		{[]string{"service", "install", "--li"}, "--list --listen"},
		{[]string{"service", "install", "--list", ""}, ":files"},
		{[]string{"demo", ""}, "!live !:files"},
		{[]string{"nosuch", ""}, "!live"},
		{[]string{"watch", "--player", "mpv", "--player", ""}, "mpv"},
		{[]string{"watch", "--output", "--player", ""}, "live !mpv"}, // --player is the file's name
	} {
		var got []string
		for _, k := range manual.Complete(app, slices.Clone(c.words), channels) {
			got = append(got, k.Word)
		}
		for _, w := range strings.Fields(c.want) {
			if word, not := strings.CutPrefix(w, "!"); slices.Contains(got, word) == not {
				t.Errorf("relay %q: %q, want %s", c.words, got, c.want)
			}
		}
	}
}

// Every visible flag of every command is completed and explained.
func TestEveryFlagIsCompleted(t *testing.T) {
	app := testApp()
	for _, cmd := range app.VisibleCommands() {
		var got []string
		for _, k := range manual.Complete(app, []string{cmd.Name, "-"}, nil) {
			got = append(got, k.Word)
			if k.About == "" || strings.Contains(k.About, "`") || strings.Contains(k.About, "\n") {
				t.Errorf("%s %s: %q", cmd.Name, k.Word, k.About)
			}
		}
		for _, name := range flag.Names(cmd.VisibleFlags()) {
			if !slices.Contains(got, flag.Dashed(name)) {
				t.Errorf("%s has no %s", cmd.Name, flag.Dashed(name))
			}
		}
	}
}
