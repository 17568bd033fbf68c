package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/domain"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/naming"
	"relay/relay/store"
	"relay/tree"
)

func linkCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "link",
		Usage:     "print the link to share",
		UsageText: "relay link [NAME] [FLAGS]",
		Description: `Prints what to send to those who shall watch: the link of the channel that the relay
on this machine carries. NAME says which if there are several: the name of a channel
that is broadcast from this machine, an ID, a title or the first characters of either.
With --dns the owner of a domain gets what has to be put there for relay watch DOMAIN.
While no relay runs, the link is made of the channel's key and this machine's addresses; it works as
soon as relay source runs.`,
		Flags: append([]cli.Flag{
			flag.Toggle("qr", "draw it as a QR code for phones, too"),
			flag.Toggle("join-only", "of a private channel, print the link for helpers: it passes the stream on and cannot read it"),
			flag.Text("dns", "print what the owner of `DOMAIN` puts into DNS, so that relay watch DOMAIN finds the channel"),
			flag.Toggle("page", "print the address of the page, for browsers"),
			flag.List("advertise", "`ADDR` to put into the link of a channel that does not run"),
			flag.Config(),
		}, flag.AskFlags()...),
		Action: func(c *cli.Context) error { return runLink(c, t, stdio) },
	}
}

func runLink(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	more, err := flag.Advertised(c)
	if err != nil {
		return err
	}
	named, err := flag.ReadDomain(c)
	if err != nil {
		return err
	}
	own, ownErr := store.OwnChannels(c.String("config"))
	a, wanted, err := flag.AskedOf(c, c.Args().Slice(), own)
	if err != nil {
		return err
	}
	defer a.Close()
	share, err := a.Link(c.Context, wanted)
	if err != nil {
		var f *fault.Error
		silent := errors.As(err, &f) && f.Code == fault.ExitNobody
		if !silent || c.IsSet("http") || c.Bool("page") || wanted == "" && len(own) == 0 && ownErr == nil {
			return err
		}
		stored, storedErr := storedLink(strings.Join(c.Args().Slice(), " "), wanted, own, more, relay.DefaultPort+c.Int("offset"))
		kept, keptErr := store.SecretOf(c.String("config"), stored.Channel)
		if ownErr != nil {
			t.Say("Not all keys here can be used: %s", strings.ReplaceAll(fault.Plain(ownErr), "\n", "; "))
		}
		if err := cmp.Or(storedErr, keptErr); err != nil {
			return err
		}
		t.Say("No relay carries the channel now. The link works as soon as relay source runs.")
		share.Link, share.Private = stored.String(), kept.Private()
	}
	if joinOnly := c.Bool("join-only"); share.Private {
		if share.Link, err = ask.WithSecret(share.Link, c.String("config"), joinOnly); err != nil {
			return err
		}
	} else if joinOnly {
		return fault.Usage("leave --join-only out", "the channel is not private: one link is for all")
	}
	if named != "" {
		return printRecord(t, stdio, named, share)
	}
	result := term.Clean(share.Link)
	if c.Bool("page") {
		result = term.Clean(share.Page)
	}
	if c.Bool("qr") {
		code, err := drawQR(result, stdio.Out)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(stdio.Out, code); err != nil {
			return fault.Fail("", "write the QR code: %w", err)
		}
	}
	if _, err := fmt.Fprintln(stdio.Out, result); err != nil {
		return fault.Fail("", "write the link: %w", err)
	}
	return nil
}

// printRecord prints what makes a domain name a channel, and says what to do with it.
func printRecord(t *term.Terminal, stdio Stdio, n domain.Name, share api.ChannelStatus) error {
	inv, err := relay.ParseInvite(share.Link)
	if err != nil {
		return fault.Fail("is it a relay of this version?", "the relay tells a link that makes no sense: %w", err)
	}
	lines, inside := domain.ToPaste(n, inv, share.Title)
	if _, err := fmt.Fprintln(stdio.Out, strings.Join(lines, "\n")); err != nil {
		return fault.Fail("", "write the record: %w", err)
	}
	t.Greet(words.DomainRecord(n))
	if inside {
		t.Warn(words.DomainInside, words.DomainInsideHint)
	}
	return nil
}

// storedLink makes the link of a channel that is not running. arg is the user's word for it, and
// wanted is what ask.Channel made of that.
func storedLink(arg, wanted string, own []store.OwnChannel, more []relay.HostPort, port int) (relay.Invite, error) {
	if len(own) == 0 {
		return relay.Invite{}, &fault.Error{Err: errors.New("no channel has been broadcast from this machine yet"), Hint: "relay source makes one and prints its link", Code: fault.ExitNobody}
	}
	i, err := storedChannel(arg, wanted, own)
	if err != nil {
		return relay.Invite{}, err
	}
	u := relay.Invite{Channel: own[i].ID}
	for _, a := range hostnet.Reachable(netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(port))) {
		more = append(more, relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
	}
	for _, h := range more {
		if len(u.Hosts) < tree.MaxAddrs {
			u = u.With(h)
		}
	}
	return u, nil
}

// storedChannel returns the index in own of the channel that is meant. If wanted is empty, that is
// the channel that relay source broadcasts without --channel.
func storedChannel(arg, wanted string, own []store.OwnChannel) (int, error) {
	names := make([]string, len(own))
	all := make([]naming.Channel, len(own))
	for i, ch := range own {
		names[i] = ch.Name
		all[i] = naming.Channel{ID: ch.ID.String(), Names: []string{ch.Name}}
	}
	there := "there are: " + strings.Join(names, ", ")
	if wanted == "" {
		i := slices.Index(names, defaultChannel)
		switch {
		case len(own) == 1:
			return 0, nil
		case i < 0:
			return 0, fault.Usage(there, "this machine has %d channels, and none runs: name one", len(own))
		}
		return i, nil
	}
	i, err := naming.One(wanted, all)
	if none, ok := errors.AsType[*naming.NoneError](err); ok && none.Short {
		return 0, &fault.Error{Err: none, Hint: there, Code: fault.ExitNobody}
	} else if ok {
		return 0, &fault.Error{Err: fmt.Errorf("no channel %q is broadcast from this machine, and none is open here", arg), Hint: there, Code: fault.ExitNobody}
	}
	return i, ask.Ambiguous(err)
}

// drawQR draws the text as a QR code. Each character has two modules, one above the other.
func drawQR(text string, out io.Writer) (string, error) {
	if !term.SpeaksUTF8(os.Getenv, runtime.GOOS) {
		return "", fault.Fail("set LANG to a UTF-8 locale, such as C.UTF-8", "a QR code cannot be drawn in ASCII")
	}
	lines := term.QRLines(text)
	first := lines[0]
	if w, _, ok := term.SizeOf(out); ok && term.IsTTY(out) && w < term.Width(term.Cell{Text: first}) {
		return "", fault.Fail("make the window wider, or share the page: relay link --page --qr", "the QR code has %d columns, this terminal %d", term.Width(term.Cell{Text: first}), w)
	}
	return strings.Join(lines, "\n") + "\n", nil
}
