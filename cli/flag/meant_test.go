package flag

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestWhatAWordMeansThatIsNoCommand(t *testing.T) {
	link := "relay://" + strings.Repeat("a", 52) + "@h:1"
	for word, want := range map[string]string{
		"install":                    "relay service install",
		"uninstall":                  "relay service remove",
		"upgrade":                    "relay update --check",
		"stop":                       "Ctrl-C",
		"STOP":                       "Ctrl-C",
		"play":                       "to watch a channel: relay watch LINK",
		"go":                         "to broadcast: relay source",
		"?":                          "relay help lists the commands",
		"clip.MKV":                   "to broadcast that: relay source, and the name behind it",
		"rtmp://h/a/b":               "to broadcast that: relay source, and the name behind it",
		"http://10.77.0.2:7145/":     "to watch a channel whose page that is: relay watch http://10.77.0.2:7145/",
		"10.77.0.2:7145":             "to watch a channel: relay watch, and its link",
		link:                         "to watch that link: relay watch " + link,
		link[len("relay://"):]:       "to watch a channel: relay watch, and its link",
		link + "#" + link[8:40]:      "to watch that link: relay watch, and the link behind it",
		"wach":                       "",
		"":                           "",
		"karp6ufz":                   "",
		"\x1b[2J":                    "",
		strings.Repeat("watch", 999): "",
	} {
		if got := meantCommand(word); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%.60q: %q, want %q", word, got, want)
		}
	}
}

func TestNoWordMeansTwoThings(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range meantCommands {
		for _, w := range strings.Fields(m.words) {
			if seen[w] {
				t.Errorf("%q stands in two rows", w)
			}
			seen[w] = true
		}
	}
}

func TestWhatAFlagOfAnotherProgramMeans(t *testing.T) {
	source := []cli.Flag{Text("http", ""), Text("upload", ""), Toggle("loop", ""), Toggle("private", ""), Text("passphrase", "")}
	watch := []cli.Flag{Text("http", ""), Text("player", ""), Text("passphrase", "")}
	for _, c := range []struct {
		word string
		has  []cli.Flag
		want string
	}{
		{"p", source, "each port has a flag of its own"},
		{"PORT", watch, "each port has a flag of its own"},
		{"password", source, "--passphrase ask has viewers asked"},
		{"password", watch, "the passphrase is asked for"},
		{"i", source, "the input stands by itself"},
		{"url", source, "the input stands by itself"},
		{"url", watch, "the link stands by itself"},
		{"bitrate", source, "relay sends what the encoder makes"},
		{"bitrate", watch, ""},
		{"detach", watch, "relay stays in the foreground"},
		{"plyer", watch, ""},
	} {
		if got := meantFlag(c.word, c.has); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.word, got, c.want)
		}
	}
}

func TestDashesThatAProgramHasMadeAreFlagsAgain(t *testing.T) {
	flags := []cli.Flag{Toggle("loop", ""), Text("title", ""), &cli.StringFlag{Name: "output", Aliases: []string{"o"}}}
	for args, want := range map[string]string{
		"a.flv —loop":     "--loop -- a.flv",
		"—loop a.flv":     "--loop -- a.flv",
		"–title=x a.flv":  "--title=x -- a.flv",
		"–-title x a.flv": "--title x -- a.flv",
		"—o - x":          "-o - -- x",
		"—nothing":        "-- —nothing",
		"—":               "-- —",
		"-- —loop":        "-- —loop",
	} {
		got := strings.Join(InOrder(strings.Fields(args), flags), " ")
		if got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}
