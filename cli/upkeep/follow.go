package upkeep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/follow"
	"relay/cli/seek"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/naming"
	"relay/relay/store"
	"relay/relay/stream"
)

// Follow is the command that keeps the list of channels that are followed.
func Follow(t *term.Terminal, in io.Reader) *cli.Command {
	return &cli.Command{
		Name:      "follow",
		Usage:     "follow a channel by a name of your own, or list those that are followed",
		UsageText: "relay follow [ID|LINK|DOMAIN NAME] [FLAGS]",
		Description: `relay list shows which of the channels that you follow are live, and so does the page at
this machine; relay watch NAME watches one. Without arguments the list is printed: a name, an
ID and addresses on each line, as it is in the file follow in the folder with the keys. It
has no secrets, so it can be given to others, who take it with --import.

While a node runs, the channels are asked every five minutes or so whether they are live: on
this network, and at their addresses. Those who are asked see this machine's address.`,
		Flags: append([]cli.Flag{
			flag.Text("import", "follow what is in `FILE`, a list of this kind; - for standard input"),
			flag.NewID(),
			flag.Config(),
			flag.NoDiscovery(),
			flag.Resolver(),
			flag.Toggle("verbose", "log what happens to stderr"),
		}, flag.Discovery()...),
		Action: func(c *cli.Context) error {
			f := follower{t: t, in: in, list: store.Follow(c.String("config"), follow.MaxList), folder: c.String("config")}
			args := ask.Typed(c.Args().Slice())
			switch {
			case c.IsSet("import") && len(args) > 0:
				return fault.Usage(words.FollowHow, words.FollowAlone)
			case c.IsSet("import"):
				return f.take(c.String("import"))
			case len(args) == 0:
				return f.show()
			case len(args) == 1:
				return fault.Usage(words.FollowNameHint, words.FollowNoName)
			}
			return f.add(c, args)
		},
	}
}

// Unfollow is the command that takes a channel off the list.
func Unfollow(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:      "unfollow",
		Usage:     "follow a channel no longer",
		UsageText: "relay unfollow NAME [FLAGS]",
		Flags:     []cli.Flag{flag.Config()},
		Action: func(c *cli.Context) error {
			f := follower{t: t, list: store.Follow(c.String("config"), follow.MaxList)}
			return f.remove(strings.Join(c.Args().Slice(), " "))
		},
	}
}

// follower is one run of relay follow or relay unfollow.
type follower struct {
	t      *term.Terminal
	in     io.Reader
	list   store.List
	folder string
}

// show prints the list.
func (f follower) show() error {
	b, err := f.list.Read()
	if err != nil {
		return fault.Fail("", words.FollowRead, err)
	}
	l := follow.Parse(b)
	for _, p := range l.Problems {
		f.t.Say(words.FollowBadLine, p)
	}
	if len(l.Channels) == 0 {
		return &fault.Error{Err: fmt.Errorf(words.FollowNobody), Hint: words.FollowHow, Code: fault.ExitNobody}
	}
	if _, err := io.WriteString(f.t.Out, l.Text()); err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}

// add follows the channel that all arguments but the last one mean, by the name that this is.
func (f follower) add(c *cli.Context, args []string) error {
	name := args[len(args)-1]
	if err := follow.CheckName(name); err != nil {
		return fault.Usage(words.FollowNameHint, "%w", err)
	}
	inv, found, err := f.meant(c, args[:len(args)-1])
	if !found {
		return err
	}
	if err := f.change(func(l *follow.List) error {
		return l.Add(follow.Channel{Name: name, ID: inv.Channel, Hosts: inv.Hosts})
	}); err != nil {
		return err
	}
	if inv.Access.Private() {
		if err := f.keepSecret(inv); err != nil {
			return err
		}
		f.t.Say("%s", words.FollowSecret)
	}
	f.t.Say(words.FollowAdded, name, inv.Channel.Short(), name)
	return nil
}

// meant is the channel that somebody wants to follow: an ID, or whatever relay watch takes.
func (f follower) meant(c *cli.Context, args []string) (relay.Invite, bool, error) {
	if len(args) == 1 {
		if id, err := stream.ParseChannelID(args[0]); err == nil {
			return relay.Invite{Channel: id}, true, nil
		}
	}
	pasted, err := ask.Given(args)
	if err != nil {
		return relay.Invite{}, false, err
	}
	s := seek.Config{Folder: f.folder, NewID: c.Bool("new-id")}
	if s.Network, err = flag.ReadDiscovery(c); err != nil {
		return relay.Invite{}, false, err
	}
	if s.Domains, err = flag.ReadResolver(c); err != nil {
		return relay.Invite{}, false, err
	}
	found, ok, err := s.Find(c.Context, f.t, words.NewLog(f.t, c.Bool("verbose")), f.in, pasted)
	if ok {
		if w, bad := found.Remember(); bad {
			f.t.Warn(w.Text, w.Hint)
		}
	}
	return found.Invite, ok, err
}

func (f follower) keepSecret(inv relay.Invite) error {
	s, err := store.Open(f.folder)
	if err == nil {
		err = s.KeepSecret(inv.Channel.String(), inv.Access)
	}
	if err != nil {
		return fault.Fail("", words.FollowKeep, err)
	}
	return nil
}

func (f follower) remove(name string) error {
	if name == "" {
		return fault.Usage(words.FollowThere, "relay unfollow needs a name")
	}
	var gone follow.Channel
	err := f.change(func(l *follow.List) (err error) {
		var there bool
		if gone, there = l.Remove(name); !there {
			err = &fault.Error{Err: fmt.Errorf(words.FollowNone, name), Hint: words.FollowThere, Code: fault.ExitNobody}
		}
		return err
	})
	if err == nil {
		f.t.Say(words.FollowRemoved, gone.Name, gone.ID.Short())
	}
	return err
}

// change writes the list as change makes it.
func (f follower) change(change func(*follow.List) error) error {
	err := f.list.Change(func(b []byte) ([]byte, error) {
		l := follow.Parse(b)
		if err := change(l); err != nil {
			return nil, err
		}
		return l.Bytes(), nil
	})
	switch {
	case err == nil:
		return nil
	case follow.IsTaken(err):
		return fault.Usage(words.FollowTaken, "%w", err)
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Fail("", words.FollowKeep, err)
}

// take follows what is in another list, as far as it can be.
func (f follower) take(name string) error {
	from, what := f.in, "standard input"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fault.Fail("", words.FollowNoImport, err)
		}
		defer file.Close()
		from, what = file, name
	}
	b, err := io.ReadAll(io.LimitReader(from, follow.MaxList+1))
	switch {
	case err != nil:
		return fault.Fail("", words.FollowNoImport, err)
	case len(b) > follow.MaxList:
		return fault.Usage("", words.FollowHuge, what, follow.MaxList>>10)
	}
	theirs := follow.Parse(b)
	for _, p := range theirs.Problems {
		f.t.Say("%s, %s", what, p)
	}
	if len(theirs.Channels) == 0 {
		return fault.Usage(words.FollowHow, "%s names no channel", what)
	}
	var fresh, had int
	var skipped []string
	err = f.change(func(l *follow.List) error {
		for _, c := range theirs.Channels {
			switch err := l.Take(c); {
			case err == nil:
				fresh++
			case follow.IsThere(err):
				had++
			default:
				skipped = append(skipped, fmt.Sprintf(words.FollowSkipped, naming.Channel{ID: c.ID.String(), Names: []string{c.Name}}.String(), err))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range skipped {
		f.t.Say("%s", s)
	}
	f.t.Say(words.FollowImported, fresh, had)
	return nil
}
