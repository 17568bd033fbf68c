package flag

import (
	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/relay/pcp"
)

// PeerCast returns the flags by which a node serves PeerCast.
func PeerCast() []cli.Flag {
	return []cli.Flag{
		Toggle("peercast", "serve the channels to PeerCast, too, on the port for links; whoever uses it can watch, and pass on, without a link"),
		Text("peercast-listen", "`ADDR` for PeerCast alone, in place of the port for links"),
		Text("genre", "`TEXT` that PeerCast's lists show of the channels"),
		Text("description", "`TEXT` likewise"),
		Text("comment", "`TEXT` likewise"),
		Text("contact", "`URL` of a page about the channels, likewise"),
	}
}

// ReadPeerCast returns what the flags of PeerCast say: whether it is served, at which address of its own, "" for
// none, and what is said of the channels.
func ReadPeerCast(c *cli.Context) (on bool, addr string, says pcp.Info, err error) {
	on = c.Bool("peercast")
	says = pcp.Info{
		Genre: pcp.Clean(c.String("genre")), Description: pcp.Clean(c.String("description")), Comment: pcp.Clean(c.String("comment")), URL: pcp.Clean(c.String("contact")),
	}
	if c.IsSet("peercast-listen") {
		if c.IsSet("peercast") && !on {
			return false, "", says, fault.Usage("leave one of them out", "--peercast=false serves no PeerCast, and --peercast-listen says where")
		}
		addr, err = listenAddr("peercast-listen", c.String("peercast-listen"), "", pcp.Port)
		return true, addr, says, err
	}
	if !on && says != (pcp.Info{}) {
		return false, "", says, fault.Usage("add --peercast", "--genre, --description, --comment and --contact are what PeerCast's lists show, and PeerCast is not served")
	}
	return on, "", says, nil
}
