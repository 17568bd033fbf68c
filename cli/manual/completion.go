package manual

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/follow"
	"relay/cli/key"
	"relay/cli/lan"
	"relay/cli/sink"
	"relay/cli/term"
	"relay/cli/upkeep"
	"relay/playback"
	"relay/relay/store"
)

// The shells' scripts ask relay itself what can follow, by a command that help does not
// list: so they know what this relay knows, whatever release it is.

// CompleteCommand is the name of that command.
const CompleteCommand = "__complete"

// completePatience bounds how long the relay that runs here, or those on this network, may take
// to name their channels: nobody waits longer for a key to act.
const completePatience = 300 * time.Millisecond

var (
	//go:embed completion/relay.bash
	bashScript string
	//go:embed completion/relay.zsh
	zshScript string
	//go:embed completion/relay.fish
	fishScript string
	//go:embed completion/relay.ps1
	powershellScript string
)

// shells are the shells with a script, each with how to install it.
var shells = []struct{ name, script, use string }{
	{"bash", bashScript, `in ~/.bashrc:  source <(relay completion bash)`},
	{"zsh", zshScript, `in ~/.zshrc, after compinit:  source <(relay completion zsh)`},
	{"fish", fishScript, `relay completion fish > ~/.config/fish/completions/relay.fish`},
	{"powershell", powershellScript, `in $PROFILE:  relay completion powershell | Out-String | Invoke-Expression`},
}

// Completion is the command that prints the script for a shell.
func Completion(t *term.Terminal) *cli.Command {
	var names []string
	about := []string{"Prints a script that makes the shell complete commands, flags and channels:", ""}
	for _, s := range shells {
		names = append(names, s.name)
		about = append(about, fmt.Sprintf("  %-11s %s", s.name, s.use))
	}
	all := strings.Join(names, ", ")
	return &cli.Command{
		Name:        "completion",
		Usage:       "print a script that completes commands in your shell",
		UsageText:   "relay completion " + strings.Join(names, "|"),
		Description: strings.Join(about, "\n"),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fault.Usage("as in relay completion bash; relay help completion says how each is used", "relay completion takes one shell: %s", all)
			}
			for _, s := range shells {
				if s.name == c.Args().First() {
					_, err := io.WriteString(t.Out, s.script)
					return err
				}
			}
			return fault.Usage("there are "+all, "there is no completion for %q", c.Args().First())
		},
	}
}

// Candidates returns the hidden command that the scripts call. It prints what can stand in the
// place of its last argument: one candidate a line, then a tab and an explanation if there is
// one. The lines :files and :dirs stand for what the shell itself completes.
func Candidates(t *term.Terminal, app *cli.App) *cli.Command {
	return &cli.Command{
		Name:   CompleteCommand,
		Hidden: true,
		Usage:  "print what can follow",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "new", Usage: "what to complete is an empty argument behind the others"},
			flag.NoDiscovery(),
		}, flag.Discovery()...),
		Action: func(c *cli.Context) error {
			lan, err := flag.ReadDiscovery(c)
			if err != nil {
				return err
			}
			words := c.Args().Slice()
			if c.Bool("new") || len(words) == 0 {
				words = append(words, "")
			}
			for _, w := range Complete(app, words, func(command string) []Candidate {
				switch command {
				case "watch":
					return append(followedCandidates(), foundCandidates(c.Context, lan)...)
				case "unfollow":
					return followedCandidates()
				}
				return channelCandidates(c.Context)
			}) {
				line := term.Clean(w.Word)
				if w.About != "" {
					line += "\t" + term.Clean(w.About)
				}
				fmt.Fprintln(t.Out, line)
			}
			return nil
		},
	}
}

// Candidate is something that can stand where the cursor is.
type Candidate struct{ Word, About string }

// What the shell completes by itself.
var (
	anyFile   = Candidate{Word: ":files"}
	anyFolder = Candidate{Word: ":dirs"}
)

// Complete returns what can stand in the place of the last of words, which follow
// "relay". channels names the channels that a command can be given.
func Complete(app *cli.App, words []string, channels func(command string) []Candidate) []Candidate {
	words, bare := joined(words)
	last := words[len(words)-1]
	if len(words) == 1 {
		return beginning(last, append(commandCandidates(app), Candidate{"--help", "list the commands"}), last != "" && last[0] == '-')
	}
	cmd := app.Command(words[0])
	if cmd == nil {
		return nil
	}
	if cmd.Name == "service" && len(words) > 2 && words[1] == "install" { // what follows is that of relay serve
		return Complete(app, append([]string{"serve"}, words[2:]...), channels)
	}
	before := words[1 : len(words)-1]
	flags := append(slices.Clone(cmd.Flags), cli.HelpFlag)
	if slices.Contains(before, "--") {
		return beginning(last, arguments(app, cmd.Name, channels), true)
	}
	if n := len(before); n > 0 && awaitsValue(before, flags) {
		return beginning(last, values(strings.TrimLeft(before[n-1], "-")), true)
	}
	if name, value, ok := strings.Cut(last, "="); ok && strings.HasPrefix(name, "-") {
		all := beginning(value, values(strings.TrimLeft(name, "-")), true)
		for i := range all {
			if !bare && !strings.HasPrefix(all[i].Word, ":") {
				all[i].Word = name + "=" + all[i].Word
			}
		}
		return all
	}
	if strings.HasPrefix(last, "-") {
		return beginning(last, flagCandidates(append(cmd.VisibleFlags(), cli.HelpFlag)), true)
	}
	return beginning(last, arguments(app, cmd.Name, channels), true)
}

// joined rejoins "--flag", "=" and "value", which bash passes as three words. bare is true if
// the last word is such a value, because bash then replaces the value alone.
func joined(words []string) (all []string, bare bool) {
	for i := 0; i < len(words); i++ {
		n := len(all)
		if n > 0 && words[i] == "=" && strings.HasPrefix(all[n-1], "-") && !strings.Contains(all[n-1], "=") {
			all[n-1] += "="
			if i+1 < len(words) {
				i++
				all[n-1] += words[i]
			}
			bare = i == len(words)-1
			continue
		}
		all = append(all, words[i])
	}
	return all, bare
}

// awaitsValue reports whether the last of words is a flag whose value comes next.
func awaitsValue(words []string, flags []cli.Flag) bool {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' || strings.Contains(w, "=") || !flag.TakesValue(strings.TrimLeft(w, "-"), flags) {
			continue
		}
		if i == len(words)-1 {
			return true
		}
		i++
	}
	return false
}

// beginning returns the candidates that begin with what was typed, without flags if not ok. The
// shell itself matches files and folders.
func beginning(typed string, all []Candidate, ok bool) []Candidate {
	if !ok {
		all = slices.DeleteFunc(all, func(c Candidate) bool { return strings.HasPrefix(c.Word, "-") })
	}
	return slices.DeleteFunc(all, func(c Candidate) bool {
		return c != anyFile && c != anyFolder && !strings.HasPrefix(c.Word, typed)
	})
}

func commandCandidates(app *cli.App) []Candidate {
	var all []Candidate
	for _, c := range app.VisibleCommands() {
		all = append(all, Candidate{c.Name, c.Usage})
	}
	return all
}

func flagCandidates(flags []cli.Flag) []Candidate {
	var all []Candidate
	for _, f := range flags {
		_, about := flag.Words(f)
		for _, n := range f.Names() {
			all = append(all, Candidate{flag.Dashed(n), about})
		}
	}
	return all
}

// values returns what can follow the flag of that name.
func values(name string) []Candidate {
	switch name {
	case "player":
		var all []Candidate
		for _, p := range sink.Players() {
			all = append(all, Candidate{Word: p})
		}
		return all
	case "start":
		return []Candidate{{"squash", "at once, near live"}, {"gop", "at once, unchanged"}, {"key", "at the next keyframe"}}
	case "output", "o", "tag-log", "record", "list", "import":
		return []Candidate{anyFile}
	case "config":
		return []Candidate{anyFolder}
	}
	return nil
}

// arguments returns what a command takes besides flags.
func arguments(app *cli.App, command string, channels func(string) []Candidate) []Candidate {
	switch command {
	case "help":
		return commandCandidates(app)
	case "completion":
		var all []Candidate
		for _, s := range shells {
			all = append(all, Candidate{Word: s.name})
		}
		return all
	case "source":
		return []Candidate{anyFile}
	case "key":
		all := []Candidate{anyFile}
		for _, a := range key.Actions {
			all = append(all, Candidate{Word: a})
		}
		return all
	case "service":
		var all []Candidate
		for _, a := range upkeep.ServiceActions {
			all = append(all, Candidate{a[0], a[1]})
		}
		return all
	case "tree", "top", "link", "watch", "unfollow":
		return channels(command)
	}
	return nil
}

// channelCandidates returns the channels of this machine, and those open at the relay that
// runs here.
func channelCandidates(ctx context.Context) []Candidate {
	var all []Candidate
	own, _ := store.OwnChannels("") // whose keys can be read
	for _, c := range own {
		all = append(all, Candidate{c.Name, "channel " + c.ID.Short() + " of this machine"})
	}
	ctx, cancel := context.WithTimeout(ctx, completePatience)
	defer cancel()
	a := ask.New(fmt.Sprintf("127.0.0.1:%d", playback.DefaultPort), nil)
	defer a.Close()
	if st, err := a.Status(ctx); err == nil {
		for _, c := range st.Channels {
			all = append(all, Candidate{c.Name, strings.TrimSpace(c.Title + " " + string(c.State) + " here")})
		}
	}
	return all
}

// followedCandidates returns the names of the channels that are followed.
func followedCandidates() []Candidate {
	l, _ := follow.Read("") // what can be read of it
	var all []Candidate
	for _, c := range l.Channels {
		all = append(all, Candidate{c.Name, c.ID.Short() + ", which you follow"})
	}
	return all
}

// plainTitle is a title that needs no quotes in any shell.
var plainTitle = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]*$`)

// foundCandidates returns the channels that answer on this network at once.
func foundCandidates(ctx context.Context, d lan.Config) []Candidate {
	if d.Off {
		return nil
	}
	cat, _, err := d.Look(ctx, zap.NewNop(), completePatience, func(c *lan.Catalog) bool { return len(c.Channels) > 0 })
	if err != nil {
		return nil
	}
	var all []Candidate
	for _, s := range cat.Sorted() {
		if plainTitle.MatchString(s.Title) {
			all = append(all, Candidate{s.Title, s.ID.Short()})
			continue
		}
		all = append(all, Candidate{s.ID.Short(), s.Title})
	}
	return all
}
