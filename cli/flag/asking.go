package flag

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/playback"
	"relay/relay/store"
)

// AskFlags returns the flags of every command that asks a running relay.
func AskFlags() []cli.Flag {
	return []cli.Flag{
		Text("http", fmt.Sprintf("`ADDR` of the relay to ask: the one it gives for players (default 127.0.0.1:%d)", playback.DefaultPort)),
		Number("offset", "add `N` to the default port, as given to the relay to ask", "0"),
	}
}

// AskedOf reads AskFlags and the arguments that name a channel: which one, "" for all, and the relay to ask for
// it. That of a page is the one to ask, unless --http says so.
func AskedOf(c *cli.Context, args []string, own []store.OwnChannel) (relay *ask.Relay, channel string, err error) {
	channel, page, err := ask.Channel(args, own)
	if err != nil {
		return nil, "", err
	}
	addr, err := Asked(c, "http", playback.DefaultPort)
	if err != nil {
		return nil, "", err
	}
	if page != "" && !c.IsSet("http") {
		addr = page
	}
	return ask.New(addr, own), channel, nil
}
