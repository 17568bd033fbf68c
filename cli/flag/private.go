package flag

import (
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/privacy"
)

// Private returns the flags by which a source says who may watch, and whether they are called by their names.
func Private() []cli.Flag {
	return []cli.Flag{
		Toggle("private", "only those can watch who have the whole link, with the secret behind its #"),
		passphrase("have viewers asked for a passphrase, instead of a secret in the link: `HOW` is ask"),
		HideNames(),
	}
}

// Joining returns the flags by which a private channel is joined.
func Joining() []cli.Flag {
	return []cli.Flag{
		Toggle("join-only", "pass a private channel on without being able to read it"),
		passphrase("the passphrase of a private channel: `HOW` is ask"),
	}
}

func passphrase(usage string) *cli.StringFlag {
	return Text("passphrase", usage+", or @FILE; RELAY_PASSPHRASE may hold it")
}

// ReadPrivacy reads the flags of Private or Joining. No error shows a passphrase.
func ReadPrivacy(c *cli.Context) (w privacy.Wish, err error) {
	w.Private, w.JoinOnly = c.Bool("private"), c.Bool("join-only")
	w.Public = c.IsSet("private") && !w.Private
	s := c.String("passphrase")
	name, file := strings.CutPrefix(s, "@")
	switch {
	case s == "":
	case s == "ask":
		w.Ask = true
	case file:
		if s, err = readSecret(c, name); err != nil {
			return w, fault.Usage("it holds the passphrase and nothing else, and has to be readable for you", "--passphrase @%s: %w", name, err)
		}
		w.Phrase = strings.TrimSpace(s)
	case typed(c, "passphrase"):
		return w, fault.Usage("--passphrase ask, --passphrase @FILE, or put it into RELAY_PASSPHRASE", "--passphrase takes ask or @FILE: others on this machine see the command line")
	default:
		w.Phrase = s
	}
	if w.Public && (w.Ask || w.Phrase != "") {
		return w, fault.Usage("leave one of them out", "--private=false makes the channel public, and --passphrase a private one")
	}
	return w, nil
}
