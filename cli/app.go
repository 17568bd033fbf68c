package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/castto"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/listing"
	"relay/cli/manual"
	"relay/cli/term"
	"relay/cli/trees"
	"relay/cli/upkeep"
	"relay/cli/words"
)

// Version is the release that this source code is, or will become.
const Version = "0.1.0"

const appHelp = `relay - live video from one person to many, without a server

  relay demo                 see it work: a clip, a source and six relays
  relay source               broadcast what OBS or ffmpeg sends here
  relay source movie.flv     broadcast a file ("-" for standard input, or a URL)
  relay watch                watch what is broadcast on this network, and pass it on
  relay watch LINK           watch a channel from anywhere
  relay serve LINK...        pass channels on, as a service
  relay tree                 show who passes it on to whom

Commands:
{{range .VisibleCommands}}  {{join .Names ", " | printf "%-10s"}} {{.Usage}}
{{end}}
"relay help COMMAND" explains one. Every flag --some-flag can also be set as RELAY_SOME_FLAG in the environment, or in config.toml in the folder with the keys:

  upload = "20M"             for every command that has the flag
  [source]
  title = "Finals"           for relay source alone

The command line goes before the environment, and that before config.toml.

relay speaks the language that LANG names; --lang de, or RELAY_LANG=de, chooses: en, de, es, fr, ja, zh-Hans.
`

const commandHelp = `relay {{.Name}} - {{.Usage}}

Usage: {{.UsageText}}
{{if .Description}}
{{.Description}}
{{end}}{{if .VisibleFlags}}
Flags:
{{range .VisibleFlags}}  {{.}}
{{end}}{{end}}`

// Main runs one command and returns the exit code. The first Ctrl-C shuts it down cleanly; the
// second ends it at once.
func Main(args []string, stdio Stdio) int {
	t := term.New(stdio.Out, stdio.Err)
	// A closed pipe is an error of the write, not a signal: the channel's children
	// must not lose their parent because a player on stdout went away.
	signal.Ignore(syscall.SIGPIPE)
	words.SilenceGo()
	ctx, interrupted, stop := untilSignal()
	defer stop()
	if err := flag.DropEmptyEnv(); err != nil {
		return fault.Report(t, err)
	}
	args, err := speak(t, args)
	if err != nil {
		return fault.Report(t, err)
	}
	app := newApp(t, stdio)
	flag.Speak(app, t, args)
	err = app.RunContext(ctx, runArgs(app, args))
	if code := fault.Report(t, err); code != fault.ExitOK {
		return code
	}
	if interrupted() {
		return fault.ExitInterrupt
	}
	return fault.ExitOK
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM; the
// second one ends the process.
func untilSignal() (ctx context.Context, interrupted func() bool, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { // ends with stop
		for n := 0; ; n++ {
			select {
			case s := <-ch:
				if n > 0 {
					os.Exit(fault.ExitInterrupt)
				}
				cause := context.Canceled
				if s == syscall.SIGINT {
					cause = fault.ErrInterrupted
				}
				cancel(cause)
			case <-done:
				return
			}
		}
	}()
	return ctx, func() bool { return errors.Is(context.Cause(ctx), fault.ErrInterrupted) }, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}

func newApp(t *term.Terminal, stdio Stdio) *cli.App {
	app := &cli.App{
		Name:                  "relay",
		Usage:                 "live video from one person to many, without a server",
		Flags:                 []cli.Flag{cli.HelpFlag}, // a help command of our own keeps it out
		HideVersion:           true,
		HideHelpCommand:       true,
		Reader:                stdio.In,
		Writer:                t.Out,
		ErrWriter:             t.Err,
		CustomAppHelpTemplate: flag.Lines(t, appHelp),
		ExitErrHandler:        func(*cli.Context, error) {},
		OnUsageError:          flag.UsageError,
		Commands: []*cli.Command{
			sourceCommand(t, stdio),
			watchCommand(t, stdio),
			upkeep.List(t, Version),
			upkeep.Follow(t, stdio.In),
			upkeep.Unfollow(t),
			serveCommand(t, stdio),
			listing.Command(t),
			trees.Tree(t, stdio.Out),
			trees.Top(t, stdio.In, stdio.Out),
			castto.Command(t),
			linkCommand(t, stdio),
			keyCommand(t, stdio),
			doctorCommand(t, stdio),
			demoCommand(t),
			upkeep.Service(t, func(args []string, log io.Writer) int { return Main(args, Stdio{In: stdio.In, Out: log, Err: log}) }),
			upkeep.Update(t, Version),
			upkeep.Ready(t),
			upkeep.VersionCommand(t, Version),
		},
	}
	app.Commands = append(app.Commands, hidden(stdio)...)
	app.Commands = append(app.Commands, manual.Completion(t), manual.Man(t, app, Version), helpCommand(app), manual.Candidates(t, app))
	for _, c := range app.Commands {
		c.CustomHelpTemplate = flag.Lines(t, commandHelp)
		c.OnUsageError = flag.UsageError
		c.HideHelpCommand = true
		if len(c.Flags) > 0 {
			c.Action = flag.Configured(c.Action, app.Commands)
		}
		if c.UsageText == "" {
			c.UsageText = "relay " + c.Name
		}
	}
	app.Action = func(c *cli.Context) error {
		if c.NArg() > 0 {
			return flag.UnknownCommand(app, c.Args().First())
		}
		command, err := upkeep.Begin(c.Context, t, stdio.In)
		if err != nil || command == "" {
			return err
		}
		return app.RunContext(c.Context, []string{app.Name, command})
	}
	return app
}

// runArgs returns the arguments for App.RunContext, with the command's flags first. A request
// for help drops all other arguments, because urfave/cli would take them for help topics.
// relay --version means relay version, as in most programs.
func runArgs(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	args = append(args[:1:1], ask.Command(args[1:])...)
	if slices.Contains([]string{"--version", "-version", "-V", "-v"}, args[1]) {
		args = slices.Concat(args[:1], []string{"version"}, args[2:])
	}
	c := app.Command(args[1])
	if c == nil || c.SkipFlagParsing {
		return args
	}
	flags := append(slices.Clone(c.Flags), cli.HelpFlag)
	rest := flag.InOrder(args[2:], flags)
	for _, a := range rest {
		if a == "--" {
			break
		}
		if a == "-h" || a == "-help" || a == "--help" {
			rest = []string{a}
			break
		}
	}
	return append(slices.Clone(args[:2]), rest...)
}

func helpCommand(app *cli.App) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "explain a command",
		UsageText: "relay help [COMMAND]",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			if name == "" {
				return cli.ShowAppHelp(c)
			}
			if c.NArg() > 1 {
				return fault.Usage("one at a time", "relay help explains one command, %d were given", c.NArg())
			}
			if app.Command(name) == nil {
				return flag.UnknownCommand(app, name)
			}
			return cli.ShowCommandHelp(c, name)
		},
	}
}
