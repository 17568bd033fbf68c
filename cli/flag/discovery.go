package flag

import (
	"math"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/lan"
	"relay/relay/discovery"
)

// Discovery are flags for tests, which must not find each other. Everybody else uses the
// well-known port. --offset does not move it, since relays share it.
func Discovery() []cli.Flag {
	port := Number("discovery-port", "UDP `PORT` on which channels are looked for", "")
	port.Hidden = true
	interfaces := List("discovery-interfaces", "`NAME` of an interface to look on, instead of all")
	interfaces.Hidden = true
	return []cli.Flag{port, interfaces}
}

// NoDiscovery is the flag that turns discovery off.
func NoDiscovery() cli.Flag {
	return Toggle("no-discovery", "do not let relays on this network find the channel, nor look for any")
}

// ReadDiscovery reads Discovery and NoDiscovery.
func ReadDiscovery(c *cli.Context) (lan.Config, error) {
	d := lan.Config{Off: c.Bool("no-discovery"), Port: discovery.DefaultPort, Interfaces: c.StringSlice("discovery-interfaces")}
	if c.IsSet("discovery-port") {
		n := c.Int("discovery-port")
		if n < 1 || n > math.MaxUint16 {
			return d, fault.Usage("", "--discovery-port %d is not from 1 to %d", n, math.MaxUint16)
		}
		d.Port = uint16(n)
	}
	return d, nil
}
