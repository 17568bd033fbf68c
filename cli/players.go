package cli

import (
	"fmt"
	"net"
	"strconv"

	"github.com/urfave/cli/v2"
)

// Where a command listens for players by default, as the flag's help says it.
var (
	playersHere = fmt.Sprintf("127.0.0.1:%d", portHTTP)
	playersNear = fmt.Sprintf(":%d, for this machine's own networks alone", portHTTP)
)

// nearPlayers has the station listen for players on all addresses and answer those in
// this machine's own networks: a phone must reach the page. Who gives --http has said
// who should, and who wants not to be found (--no-discovery) stays on loopback.
func (s *stationConfig) nearPlayers(c *cli.Context) {
	if s.http.given || c.Bool("no-discovery") {
		return
	}
	s.http.addr = net.JoinHostPort("", strconv.Itoa(portHTTP+c.Int("offset")))
	s.lan = true
}
