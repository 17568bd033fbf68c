package privacy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay"
	"relay/relay/seal"
	"relay/relay/stream"
)

// Wish is what a person says of a channel's privacy.
type Wish struct {
	Private  bool   // make it private
	Public   bool   // make it public, though it was private
	JoinOnly bool   // pass it on unread
	Phrase   string // the passphrase; "" for none
	Ask      bool   // for the passphrase
}

// Keys keeps the secret of a channel that is broadcast from here.
type Keys interface {
	Secret() (seal.Access, error)
	KeepSecret(seal.Access) error
}

// askHow is where a passphrase can come from.
const askHow = "--passphrase ask, --passphrase @FILE or RELAY_PASSPHRASE"

// ForSource returns the access to a channel that is about to be broadcast, zero if it is public, and keeps
// it for the next run. name is what the channel is called here.
func (w Wish) ForSource(ctx context.Context, t *term.Terminal, in io.Reader, keys Keys, name string, id stream.ChannelID) (seal.Access, error) {
	kept, err := keys.Secret()
	switch {
	case err != nil:
		return kept, fault.Fail("", "secret of channel %q: %w", name, err)
	case w.Public:
		return seal.Access{}, nil
	case w.Phrase == "" && !w.Ask && !w.Private:
		if kept.Private() {
			return kept, fault.Usage("--private keeps it so; --private=false makes it public; --channel NAME is another one", "channel %q was private when it was broadcast last", name)
		}
		return seal.Access{}, nil
	case w.Phrase == "" && !w.Ask && kept.Private():
		return kept, nil
	}
	a := seal.New()
	if w.Phrase != "" || w.Ask {
		if a, err = w.newPhrase(ctx, t, in, id); err != nil {
			return a, err
		}
	}
	if err := keys.KeepSecret(a); err != nil {
		return a, fault.Fail("", "keep the secret of channel %q: %w", name, err)
	}
	return a, nil
}

// newPhrase returns the access by a passphrase that was given, that is asked for, or that is made up
// because the answer is empty.
func (w Wish) newPhrase(ctx context.Context, t *term.Terminal, in io.Reader, id stream.ChannelID) (seal.Access, error) {
	phrase := w.Phrase
	if w.Ask {
		t.Say("Viewers will be asked for a passphrase. Press Enter alone to have one made.")
		var err error
		if phrase, err = ask(ctx, t, in, "Passphrase: "); err != nil {
			return seal.Access{}, err
		}
		if phrase == "" {
			phrase = Offer()
			t.Say("The passphrase is: %s", phrase)
			t.Say("Tell it to those who shall watch, and to nobody else. It is not shown again.")
		} else if term.IsKeyboard(in) {
			again, err := ask(ctx, t, in, "Once more:  ")
			if err != nil {
				return seal.Access{}, err
			}
			if plain(again) != plain(phrase) {
				return seal.Access{}, fault.Usage("start it again", "the two passphrases differ")
			}
		}
	}
	if err := checkStrength(phrase); err != nil {
		return seal.Access{}, fault.Usage("take this one, which nobody else has been offered: "+Offer(), "%w", err)
	}
	return Secret(phrase, id), nil
}

// ForJoining returns the invite with what it takes to join, after asking for the passphrase if need be.
func (w Wish) ForJoining(ctx context.Context, t *term.Terminal, in io.Reader, inv relay.Invite) (relay.Invite, error) {
	if inv.Access.CanJoin() && !inv.Access.CanRead() && (w.Phrase != "" || w.Ask) {
		return inv, fault.Usage("leave --passphrase out, or paste the link without what is behind the #", "the link is for passing the channel on alone, and takes no passphrase")
	}
	if asked := inv.Access.Private() && !inv.Access.CanJoin(); asked || w.Ask || w.Phrase != "" && !inv.Access.Private() {
		phrase := w.Phrase
		if phrase == "" {
			if !w.Ask && !term.IsKeyboard(in) {
				return inv, fault.Usage(askHow, "the channel has a passphrase, and none is given")
			}
			var err error
			if phrase, err = ask(ctx, t, in, "Passphrase of the channel: "); err != nil {
				return inv, err
			}
		}
		if err := checkLength(phrase); err != nil {
			return inv, fault.Usage("ask whoever broadcasts for it", "%w", err)
		}
		inv.Access = Secret(phrase, inv.Channel)
	}
	if w.JoinOnly {
		if !inv.Access.Private() {
			return inv, fault.Usage("leave --join-only out, or copy the whole link, with what is behind the #", "the link is not of a private channel, and --join-only is for those")
		}
		inv = inv.JoinOnly()
	}
	return inv, nil
}

// ask asks for a passphrase. What is typed is not shown.
func ask(ctx context.Context, t *term.Terminal, in io.Reader, prompt string) (string, error) {
	if term.IsKeyboard(in) {
		s, err := t.AskHidden(ctx, in, prompt)
		if ctx.Err() != nil {
			err = fault.ErrInterrupted
		}
		return strings.TrimSpace(s), err
	}
	s, err := bufio.NewReader(io.LimitReader(in, mostBytes+1)).ReadString('\n')
	switch {
	case errors.Is(err, io.EOF) && s == "":
		return "", fault.Usage(askHow, "no passphrase comes from standard input: it has ended")
	case err != nil && !errors.Is(err, io.EOF):
		return "", fault.Usage(askHow, "no passphrase comes from standard input: %w", err)
	}
	return strings.TrimSpace(s), nil
}
