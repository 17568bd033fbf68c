package flag

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/playback/tv"
)

// TV is the flag by which TVs are told of the channels.
func TV() cli.Flag {
	return Toggle("tv", "let TVs on this machine's own networks find the channels (DLNA), and relay cast have a Chromecast play them")
}

// ReadTV reads TV, and returns where TVs are answered, as host:port; "" if they are not. http is what players have, and
// given says that the user has chosen it.
func ReadTV(c *cli.Context, http string, given bool) (addr string, err error) {
	if !c.Bool("tv") {
		return "", nil
	}
	if c.Bool("no-discovery") {
		return "", fault.Usage("leave one of them out", "--tv tells this network of the channels, and --no-discovery tells it nothing")
	}
	host, _, _ := net.SplitHostPort(http) // as Listen has made it
	if a, err := netip.ParseAddr(host); given && (host == "localhost" || err == nil && a.IsLoopback()) {
		return "", fault.Usage("leave --http out, or give an address that TVs reach, as in --http :7145", "--http %s is for this machine alone, and --tv is for others", http)
	}
	off, err := offset(c)
	return net.JoinHostPort("", strconv.Itoa(tv.DefaultPort+off)), err
}
