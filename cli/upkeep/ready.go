package upkeep

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/admin"
)

const (
	// readyFor bounds how long a relay may take to say how it is.
	readyFor = 5 * time.Second
	// readyMost bounds what it says, in bytes.
	readyMost = 4 << 10
)

// Ready is the command that containers and scripts ask.
func Ready(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:      "ready",
		Usage:     "say whether the relay on this machine has a stream, by the exit code",
		UsageText: "relay ready [FLAGS]",
		Description: `Asks the relay that runs here, at its address for metrics. It exits with 0 if a channel has
had media within 5 seconds, with 1 if not, and with 3 if nobody answers: for the health
check of a container, and for scripts that wait.`,
		Flags: []cli.Flag{
			flag.Text("admin", fmt.Sprintf("`ADDR` of its metrics (default: 127.0.0.1:%d)", admin.DefaultPort)),
			flag.Text("channel", "`ID` of the channel that is meant (default: any)"),
			flag.Toggle("alive", "ask only whether the process answers, with or without a stream"),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fault.Usage("relay help ready", "relay ready takes no arguments")
			}
			addr, err := flag.Asked(c, "admin", admin.DefaultPort)
			if err != nil {
				return err
			}
			u := url.URL{Scheme: "http", Host: addr, Path: "/readyz"}
			switch {
			case c.Bool("alive"):
				u.Path = "/healthz"
			case c.IsSet("channel"):
				u.RawQuery = url.Values{"channel": {c.String("channel")}}.Encode()
			}
			said, err := ready(c.Context, &u)
			if err == nil {
				fmt.Fprintln(t.Out, term.Clean(said))
			}
			return err
		},
	}
}

// ready returns what a relay says of itself.
func ready(ctx context.Context, u *url.URL) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readyFor)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fault.Usage("", "%w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	answer, err := client.Do(r)
	if err != nil {
		return "", &fault.Error{Err: fmt.Errorf(words.ReadyNobody, u.Host), Hint: words.ReadyNobodyHint, Code: fault.ExitNobody}
	}
	defer answer.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(answer.Body, readyMost))
	said := strings.TrimSpace(string(b))
	switch answer.StatusCode {
	case http.StatusOK:
		return said, nil
	case http.StatusServiceUnavailable:
		return "", fault.Fail("", words.ReadyNot, said)
	}
	return "", &fault.Error{Err: fmt.Errorf(words.ReadyNotRelay, u.Host, answer.StatusCode), Code: fault.ExitNobody}
}
