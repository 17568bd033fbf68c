package flag

import (
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/relay"
)

// maxBrought bounds --max-channels: each may hold 64 MiB of media.
const maxBrought = 256

// Helping returns the flags that say what a helper takes from sources.
func Helping() []cli.Flag {
	return []cli.Flag{
		Toggle("helper", "take these channels also from sources that nobody can reach (relay source --via)"),
		token("with --helper, a `SECRET` by which sources may bring any other channel"),
		Number("max-channels", "`N` channels that sources may bring with the token, at a time", strconv.Itoa(relay.DefaultBrought)),
		Text("max-rate", "drop a channel whose stream is above `RATE`, as in 6M bits per second (default: any is taken)"),
	}
}

// Via returns the flags by which a source names its helper.
func Via() []cli.Flag {
	return []cli.Flag{
		Text("via", "`HELPER` to take the channel first, where nobody can reach this machine: what relay serve --helper prints"),
		token("the `SECRET` of that helper, if it was not given this channel (or ?token=SECRET behind --via)"),
	}
}

// token is the flag for a token. Others on the machine see the command line; the environment and
// files they do not.
func token(usage string) *cli.StringFlag {
	return Text("token", usage+"; @FILE reads it from a file, unseen by others on this machine")
}

// ReadHelping reads the flags of Helping.
func ReadHelping(c *cli.Context) (helper bool, b relay.Brought, maxRate int, err error) {
	helper = c.Bool("helper")
	switch {
	case helper:
		if b.Token, err = readToken(c); err != nil {
			return helper, b, 0, err
		}
	case typed(c, "token"): // the environment may have one for relay source
		return helper, b, 0, fault.Usage("relay serve --helper --token SECRET", "--token is for a helper, and there is no --helper")
	}
	if b.Most = c.Int("max-channels"); c.IsSet("max-channels") && (b.Most < 1 || b.Most > maxBrought) {
		return helper, b, 0, fault.Usage("", "--max-channels %d is not from 1 to %d", b.Most, maxBrought)
	}
	maxRate, err = rateOf(c, "max-rate")
	return helper, b, maxRate, err
}

// ReadVia reads the flags of Via; nil for no helper. No error shows the token.
func ReadVia(c *cli.Context) (*relay.Helper, error) {
	v := c.String("via")
	if v == "" {
		return nil, nil
	}
	h, err := relay.ParseHelper(v)
	if err != nil {
		return nil, fault.Usage("copy what relay serve --helper has printed behind --via", "--via: %w", err)
	}
	if h.Token.IsZero() {
		h.Token, err = readToken(c)
	}
	return &h, err
}

func readToken(c *cli.Context) (relay.Token, error) {
	s := c.String("token")
	if !c.IsSet("token") {
		return relay.Token{}, nil
	}
	if name, ok := strings.CutPrefix(s, "@"); ok {
		var err error
		if s, err = readSecret(c, name); err != nil {
			return relay.Token{}, fault.Usage("it holds the token and nothing else, and has to be readable for you", "--token @%s: %w", name, err)
		}
	}
	t, err := relay.ParseToken(s)
	if err != nil {
		return t, fault.Usage("one to copy: openssl rand -hex 16", "--token: %w", err)
	}
	return t, nil
}
