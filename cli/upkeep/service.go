package upkeep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/service"
	"relay/cli/term"
	"relay/cli/words"
)

// ServiceActions are what can follow `relay service`, with what it does.
var ServiceActions = [][2]string{
	{"install", "have the system start relay serve, now and from now on"},
	{"remove", "end it, and have the system forget it"},
	{"status", "say whether it runs, since when, and where its log is"},
}

// Service is the command that makes relay a service of the user's. main runs relay with arguments in
// this process, and writes to the log what it says.
func Service(t *term.Terminal, main func(args []string, log io.Writer) int) *cli.Command {
	return &cli.Command{
		Name:            "service",
		Usage:           "have the system run relay serve in the background: install, remove, status",
		UsageText:       "relay service install LINK... [FLAGS of relay serve] | remove | status",
		SkipFlagParsing: true, // they are those of relay serve
		Description: `For you alone, without root: by systemd on Linux, launchd on macOS, the Task Scheduler on
Windows.

  relay service install LINK... [FLAGS]     what follows is that of relay serve, which is
                                            asked first whether it takes it
  relay service install --list FILE         or as many channels as a file has
  relay service status [--json]             exits with 0 if it runs, with 1 if not, with 3 if
                                            there is none
  relay service remove

To change what it runs, install it again. A service's file that somebody has changed stays as
it is, unless --force comes before all else: relay service install --force LINK. A secret
behind a link's # is left out: a service passes on what it cannot read.`,
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) == 0 {
				return fault.Usage(words.ServiceActions, words.ServiceNoAction)
			}
			if asksForHelp(args) {
				return cli.ShowCommandHelp(c, "service")
			}
			if args[0] == service.RunCommand && len(args) > 2 {
				return run(args[1], args[2:], main)
			}
			s, err := here(t)
			if err != nil {
				return err
			}
			return s.do(c.Context, args[0], args[1:])
		},
	}
}

// asksForHelp reports whether help is asked for, and not behind "--".
func asksForHelp(args []string) bool {
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "-h", "-help", "--help":
			return true
		}
	}
	return false
}

// run does what the system has started this process for, with a log of our own.
func run(path string, args []string, main func([]string, io.Writer) int) error {
	service.LeaveConsole()
	log, err := service.OpenLog(path, time.Now())
	if err != nil {
		return fault.Fail("", words.ServiceLog+": %w", path, err)
	}
	defer log.Close()
	if code := main(append([]string{"relay"}, args...), log); code != fault.ExitOK {
		return fault.Said(code)
	}
	return nil
}

// user is whose service it is.
type user struct{ service.Here }

func here(t *term.Terminal) (u user, err error) {
	u.T, u.OS, u.UID = t, runtime.GOOS, os.Getuid()
	u.Sudo = u.UID == 0 && os.Getenv("SUDO_USER") != ""
	if u.Home, err = os.UserHomeDir(); err != nil {
		return u, fault.Fail("", "%w", err)
	}
	if u.Config, err = os.UserConfigDir(); err != nil {
		return u, fault.Fail("", "%w", err)
	}
	switch u.OS {
	case "darwin":
		u.Log = filepath.Join(u.Home, "Library", "Logs", "relay.log")
	case "windows":
		cache, err := os.UserCacheDir()
		if err != nil {
			return u, fault.Fail("", "%w", err)
		}
		u.Log = filepath.Join(cache, "relay", "relay.log")
	}
	return u, nil
}

func (u user) do(ctx context.Context, action string, args []string) error {
	force := len(args) > 0 && args[0] == "--force"
	if force {
		args = args[1:]
	}
	alone := func() error {
		if len(args) > 0 {
			return fault.Usage("", "relay service %s takes nothing behind it, %q was given", action, args[0])
		}
		return nil
	}
	switch action {
	case "install":
		return u.install(ctx, args, force)
	case "remove", "uninstall":
		if err := alone(); err != nil {
			return err
		}
		return u.Remove(ctx, force)
	case "status":
		asJSON := slices.Equal(args, []string{"--json"})
		if asJSON {
			args = nil
		}
		if err := alone(); err != nil {
			return err
		}
		return u.status(ctx, asJSON)
	}
	return fault.Usage(words.ServiceActions, words.ServiceUnknown, action)
}

func (u user) install(ctx context.Context, args []string, force bool) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	program, err := service.Program()
	if errors.Is(err, service.ErrTemporary) {
		return fault.Fail(words.ServiceTemporaryHint, words.ServiceTemporary)
	} else if err != nil {
		return fault.Fail("", "%w", err)
	}
	if args, err = withoutSecrets(args); err != nil {
		return err
	}
	args = append([]string{"serve"}, args...)
	if err := u.tries(ctx, program, args); err != nil {
		return err
	}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "RELAY_") {
			u.T.Warn(fmt.Sprintf(words.ServiceVariables, name), words.ServiceVariablesHint)
		}
	}
	folder, err := os.Getwd()
	if err != nil {
		return fault.Fail("", "%w", err)
	}
	return u.Install(ctx, service.What{Program: program, Args: args, Folder: service.FolderFor(args, folder)}, force)
}

// tries has the program that will be run read its arguments. It says itself what is wrong with them, and
// sees the variables that the service will not see as little as that.
func (u user) tries(ctx context.Context, program string, args []string) error {
	cmd := exec.CommandContext(ctx, program, append([]string{args[0], "--check"}, args[1:]...)...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "RELAY_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Stderr = u.T.Err
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return fault.Said(exit.ExitCode())
	}
	return fault.Fail("", "%w", err)
}

// withoutSecrets returns arguments that may be written to a file: links as those have them who pass a
// channel on. A token has to be in a file of its own.
func withoutSecrets(args []string) ([]string, error) {
	args = slices.Clone(args)
	for i, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if name = "--" + strings.TrimLeft(name, "-"); name == "--token" && strings.HasPrefix(a, "-") {
			if !ok && i+1 < len(args) {
				value = args[i+1]
			}
			if !strings.HasPrefix(value, "@") {
				return nil, fault.Usage(fmt.Sprintf(words.ServiceSecretHint, name), words.ServiceSecret, name)
			}
		}
		if p, err := ask.Paste(a); err == nil && !strings.HasPrefix(a, "-") && p.Invite.Access.CanJoin() {
			args[i] = p.Invite.JoinOnly().Link()
		}
	}
	return args, nil
}

func (u user) status(ctx context.Context, asJSON bool) error {
	st, err := u.Status(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		if err := json.NewEncoder(u.T.Out).Encode(st); err != nil {
			return fault.Fail("", "%w", err)
		}
	}
	switch {
	case !st.Installed:
		return &fault.Error{Err: errors.New(words.ServiceNotInstalled), Hint: words.ServiceInstallHint, Code: fault.ExitNobody}
	case !asJSON:
		out, _ := u.T.OutStyle()
		for _, l := range words.ServiceStatus(st, time.Now()) {
			lines := []string{u.T.Lang.In(cleanLine(l))}
			if !strings.HasPrefix(l, " ") { // those of the log stay
				lines = out.Fold(lines[0])
			}
			fmt.Fprintln(u.T.Out, strings.Join(lines, "\n"))
		}
	}
	if !st.Running {
		return fault.Fail("", words.ServiceNotRunning)
	}
	return nil
}

// cleanLine is a line that may have a log's text, which keeps its blanks.
func cleanLine(l string) string {
	text := strings.TrimLeft(l, " ")
	return l[:len(l)-len(text)] + term.Clean(text)
}
