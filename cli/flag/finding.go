package flag

import (
	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/finding"
	"relay/relay"
)

// Finding returns the flags by which a node finds channels by their IDs. Those for networks that have a DHT of
// their own are for people who know that they need them, and for tests.
func Finding() []cli.Flag {
	bootstrap := List("dht-bootstrap", "`HOST:PORT` of a node of the DHT to begin with, instead of those of the public one")
	bootstrap.Hidden = true
	return []cli.Flag{
		Toggle("no-dht", "do not look channels up by their IDs in the BitTorrent DHT, and send it nothing"),
		bootstrap,
	}
}

// Public is the flag by which a source has its channel found by its ID.
func Public() cli.Flag {
	return Toggle("public", "let the channel be found by its ID, in the BitTorrent DHT: whoever has the ID can look up this machine's address there")
}

// ReadFinding reads Finding and Public.
func ReadFinding(c *cli.Context) (finding.Config, error) {
	cfg := finding.Config{Off: c.Bool("no-dht"), Public: c.Bool("public"), Bootstrap: c.StringSlice("dht-bootstrap")}
	if cfg.Off && cfg.Public {
		return cfg, fault.Usage("leave one of them out", "--public has the channel found in the DHT, and --no-dht keeps away from that")
	}
	for _, at := range cfg.Bootstrap {
		if _, err := relay.ParseHostPort(at); err != nil {
			return cfg, fault.Usage("it looks like 192.168.1.5:6881", "--dht-bootstrap: %w", err)
		}
	}
	return cfg, nil
}
