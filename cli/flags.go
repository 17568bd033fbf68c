package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// envPrefix begins the name of each of our environment variables.
const envPrefix = "RELAY_"

// env names the variable that sets a flag: --max-children is RELAY_MAX_CHILDREN.
func env(flag string) []string {
	return []string{envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

func text(name, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

func number(name, usage, def string) *cli.IntFlag {
	return &cli.IntFlag{Name: name, Usage: usage, EnvVars: env(name), DefaultText: def}
}

func toggle(name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: env(name), DisableDefaultText: true}
}

func list(name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

func configFlag() cli.Flag {
	return text("config", "`DIR` with the keys and config.toml (default: relay in your configuration folder)")
}

// nodeFlags are those of every command that runs a node. players is where it listens
// for players if nothing says otherwise.
func nodeFlags(players string) []cli.Flag {
	return append([]cli.Flag{
		text("listen", fmt.Sprintf("`ADDR` for links from other nodes (default :%d; a free port if that is taken)", portListen)),
		text("http", "`ADDR` for players (default "+players+"; a free port if that is taken)"),
		number("offset", "add `N` to every default port, to run several on one machine", "0"),
		list("advertise", "`ADDR` under which others reach this node, such as a forwarded port"),
		list("allow-host", "`NAME` under which players may ask, besides localhost and addresses"),
		number("max-children", "`N` nodes to pass the stream on to, at most", strconv.Itoa(defaultChildren)),
		text("upload", "`RATE` to pass on outside this network, as in 20M bits per second (default: found out)"),
		configFlag(),
		noDiscoveryFlag(),
		toggle("verbose", "log what happens to stderr"),
	}, append(discoveryFlags(), opsFlags()...)...)
}

const (
	defaultChildren = 8
	maxChildren     = 1000
	maxOffset       = 40000
)

// stationFlags reads nodeFlags.
func stationFlags(c *cli.Context) (stationConfig, error) {
	var s stationConfig
	off := c.Int("offset")
	if off < 0 || off > maxOffset {
		return s, usage("", "--offset %d is not from 0 to %d", off, maxOffset)
	}
	var err error
	if s.listen, err = portOf("links", "listen", c.String("listen"), "", portListen, off, c.IsSet("listen")); err != nil {
		return s, err
	}
	if s.http, err = portOf("players", "http", c.String("http"), "127.0.0.1", portHTTP, off, c.IsSet("http")); err != nil {
		return s, err
	}
	if s.advertise, err = advertised(c.StringSlice("advertise")); err != nil {
		return s, err
	}
	if s.discovery, err = readDiscovery(c); err != nil {
		return s, err
	}
	if s.ops, err = opsOf(c, off); err != nil {
		return s, err
	}
	s.allowHosts = c.StringSlice("allow-host")
	s.slots = defaultChildren
	if c.IsSet("max-children") {
		s.slots = c.Int("max-children")
		if s.slots < 0 || s.slots > maxChildren {
			return s, usage("", "--max-children %d is not from 0 to %d", s.slots, maxChildren)
		}
		if s.slots == 0 {
			s.slots = -1
		}
	}
	if c.IsSet("upload") {
		if s.upload, err = parseRate(c.String("upload")); err != nil {
			return s, usage("", "--upload %w", err)
		}
	}
	return s, nil
}
