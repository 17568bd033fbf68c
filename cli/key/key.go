// Package key is the command that shows the keys of channels, carries them to another machine, and
// replaces them. It never writes a secret to a terminal.
package key

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay/store"
	"relay/relay/stream"
)

// defaultChannel is the channel that is meant if none is named, as in relay source.
const defaultChannel = "live"

// UsageText and About explain the command.
const (
	UsageText = "relay key [show|export FILE|import FILE|rotate] [FLAGS]"
	About     = `Whoever has a channel's key can broadcast in its name; its links work as long as the key
is used. Without more it shows the channels of this machine.

  relay key export FILE      write the key to a new file, to take it elsewhere
  relay key import FILE      take it there; relay source goes on with the same channel
  relay key rotate           begin anew with another key, if this one may be in other hands

FILE "-" is standard output, but for a terminal, or standard input. If two sources run with one key, the
one that began later goes on, and the other ends.`
)

// Actions are the words that can follow the command.
var Actions = []string{"show", "export", "import", "rotate"}

// Command is one run of relay key.
type Command struct {
	T      *term.Terminal
	In     io.Reader
	Name   string // of the channel; defaultChannel if empty
	Folder string // with the keys; the user's own if empty
}

// Run does what the arguments say.
func (k Command) Run(args []string) error {
	k.Name = cmp.Or(k.Name, defaultChannel)
	action, file := "show", ""
	if len(args) > 0 {
		action = args[0]
	}
	if len(args) > 1 {
		file = args[1]
	}
	takesFile := action == "export" || action == "import"
	if len(args) > 2 || file != "" && !takesFile {
		return fault.Usage("relay help key", "relay key %s was given too much: %s", action, strings.Join(args[1:], " "))
	}
	switch action {
	case "show":
		return k.show()
	case "export":
		return k.export(file)
	case "import":
		return k.take(file)
	case "rotate":
		return k.rotate()
	}
	return fault.Usage("there are "+strings.Join(Actions, ", "), "there is no relay key %s", action)
}

// show lists the channels, and tells no secret.
func (k Command) show() error {
	all := store.Inspect(k.Folder)
	switch {
	case all.Err != nil:
		return fault.Fail("--config DIR keeps the keys elsewhere", "cannot read the keys: %w", all.Err)
	case all.Unusable != nil:
		k.T.Say("relay: warning: %s", fault.Plain(all.Unusable))
	case len(all.Channels) == 0:
		k.T.Say("There is no channel on this machine yet. relay source makes one; relay key import FILE brings one here.")
	}
	started := make(map[string]time.Time)
	for _, s := range all.Starts {
		started[s.Channel] = s.At
	}
	for _, c := range all.Channels {
		used := "never used"
		if at, ok := started[c.Name]; ok {
			used = "used last at " + at.Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(k.T.Out, "%s  %s  %s\n", c.Name, c.ID, used)
	}
	return nil
}

func (k Command) export(file string) error {
	s, err := k.open()
	if err != nil {
		return err
	}
	b, id, err := s.ExportKey(k.Name, time.Now())
	if err != nil {
		return k.explain(err)
	}
	if file == "" {
		if file, err = k.ask("Write the key to which file?"); err != nil {
			return err
		}
	}
	if file == "-" {
		if k.T.OutTTY {
			return fault.Usage("relay key export FILE, or a pipe", "the key would stand on the screen")
		}
		_, err = k.T.Out.Write(b)
		return err
	}
	switch err := store.WriteExport(file, b); {
	case errors.Is(err, fs.ErrExist):
		return fault.Fail("name a file that is not there yet", "%s is there already", file)
	case err != nil:
		return fault.Fail("name a file in a folder that is there and that you can write to", "cannot write the key: %w", err)
	}
	k.T.Say("The key of channel %s (%s) is in %s, which nobody else can read.", k.Name, id.Short(), file)
	k.T.Say("Whoever has it can broadcast in your name. There: relay key import %s, then delete the file.", file)
	return nil
}

// ask asks a person at a keyboard; a program has to say.
func (k Command) ask(what string) (string, error) {
	if !term.IsKeyboard(k.In) {
		return "", fault.Usage("relay key export FILE", "relay key export does not say where to")
	}
	k.T.Say("%s", what)
	line, err := bufio.NewReader(k.In).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return "", fault.Usage("relay key export FILE", "no file was named")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return line, nil
}

func (k Command) take(file string) error {
	var b []byte
	var err error
	switch file {
	case "":
		return fault.Usage("relay key import FILE", "relay key import does not say from which file")
	case "-":
		b, err = store.ReadExportFrom(k.In)
	default:
		b, err = store.ReadExport(file)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fault.Fail("name the file that relay key export has written", "cannot read %s: %w", file, path.Err)
	}
	if err != nil {
		return fault.Fail("", "cannot read the key: %w", err) // the store says what to do
	}
	carried, err := store.ParseExport(b)
	switch {
	case errors.Is(err, store.ErrNodeKey):
		return ofNode(file)
	case err == nil && carried.MayBeOfNode(file):
		return fault.Fail(nodeHint+". If it is a channel's all the same, give the file another name", "%s does not say whose key it is, and is named as that of a node; nothing was changed", file)
	case err != nil:
		return fault.Fail("make it with relay key export FILE, where the channel was broadcast so far", "%s: %w", file, err)
	}
	s, err := k.open()
	if err != nil {
		return err
	}
	had, err := s.ImportKey(k.Name, carried, time.Now())
	if errors.Is(err, store.ErrNodeKey) {
		return ofNode(file)
	}
	if err != nil {
		return k.explain(err)
	}
	id := stream.IDOf(carried.Key)
	if had {
		k.T.Say("Channel %s has this key already (%s).", k.Name, id.Short())
		return nil
	}
	k.T.Say("Channel %s is %s now: %s goes on with it, and its viewers come along.", k.Name, id.Short(), k.source(carried.Secret.Private()))
	k.T.Say("Links that were given out stay good where they lead to somebody who carries it; %s names this machine.", k.link())
	k.T.Say("Do not run a source with it elsewhere: of two, the one that began later goes on, and the other ends.")
	return nil
}

// nodeHint says what to import instead of a node's key.
const nodeHint = "run relay key export FILE where the channel was broadcast so far, and import that file; a node's key stays where it is, as each machine makes its own"

func ofNode(file string) error {
	return fault.Fail(nodeHint, "%s has the key of a node, and not of a channel; nothing was changed", file)
}

func (k Command) rotate() error {
	s, err := k.open()
	if err != nil {
		return err
	}
	secret, err := s.Secret(k.Name)
	if err != nil {
		return k.explain(err)
	}
	kept, was, is, err := s.RotateKey(k.Name)
	if err != nil {
		return k.explain(err)
	}
	k.T.Say("Channel %s was %s and is %s now.", k.Name, was.Short(), is.Short())
	k.T.Say("No link that was given out leads to it. Start %s, and give viewers the new link: %s.", k.source(secret.Private()), k.link())
	if secret.ByPassphrase() {
		k.T.Say("Its secret is in the link, and no longer of a passphrase: --passphrase ask in place of --private has viewers asked for one.")
	}
	old := Command{Name: kept}
	k.T.Say("The old key is kept as channel %s, to tell those who still watch there: %s. Whoever has it can do so too.", kept, old.source(secret.Private()))
	return nil
}

// source and link are the commands for the channel.
func (k Command) source(private bool) string {
	s := "relay source"
	if k.Name != defaultChannel {
		s += " --channel " + k.Name
	}
	if private {
		s += " --private"
	}
	return s
}

func (k Command) link() string {
	if k.Name == defaultChannel {
		return "relay link"
	}
	return "relay link " + k.Name
}

func (k Command) open() (*store.Store, error) {
	s, err := store.Open(k.Folder)
	if err != nil {
		return nil, fault.Fail("--config DIR keeps the keys elsewhere", "%w", err)
	}
	return s, nil
}

// explain says what to do about an error of the store.
func (k Command) explain(err error) error {
	switch {
	case errors.Is(err, store.ErrNoKey):
		return &fault.Error{Err: fmt.Errorf("there is no channel %q on this machine", k.Name), Hint: "relay source makes one; relay key shows those there are, and --channel NAME names one", Code: fault.ExitNobody}
	case errors.Is(err, store.ErrInUse):
		return fault.Fail("stop it first", "a relay source on this machine is broadcasting channel %q", k.Name)
	case errors.Is(err, store.ErrOtherKey):
		return fault.Fail("take it under another name: relay key import FILE --channel second", "channel %q has another key on this machine, which stays", k.Name)
	case errors.Is(err, store.ErrFuture):
		return fault.Fail("set the clocks of both machines", "%w", err)
	}
	return fault.Fail("", "%w", err) // the store says what to do
}
