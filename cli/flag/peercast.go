package flag

import (
	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/playback/pcpout"
	"relay/relay/pcp"
)

// PeerCast returns the flags by which a node serves PeerCast.
func PeerCast() []cli.Flag {
	return []cli.Flag{
		Toggle("peercast", "serve the channels to PeerCast, too, on the port for links; whoever uses it can watch, and pass on, without a link"),
		Text("peercast-listen", "`ADDR` for PeerCast alone, in place of the port for links"),
		Text("yp", "have the list of channels (YP) at `URL` show them, as in pcp://yp.example/: it tells everybody the channel's name and this node's address"),
		Text("genre", "`TEXT` that PeerCast's lists show of the channels"),
		Text("description", "`TEXT` likewise"),
		Text("comment", "`TEXT` likewise"),
		Text("contact", "`URL` of a page about the channels, likewise"),
	}
}

// PeerCastWish is what the flags of PeerCast say.
type PeerCastWish struct {
	On   bool     // it is served
	Addr string   // where, if not on the port for links
	Says pcp.Info // of the channels
	List string   // host:port of the list that shows them; "" for none
}

// ReadPeerCast reads the flags of PeerCast.
func ReadPeerCast(c *cli.Context) (w PeerCastWish, err error) {
	w.On = c.Bool("peercast")
	w.Says = pcp.Info{
		Genre: pcp.Clean(c.String("genre")), Description: pcp.Clean(c.String("description")), Comment: pcp.Clean(c.String("comment")), URL: pcp.Clean(c.String("contact")),
	}
	if c.IsSet("peercast-listen") {
		if c.IsSet("peercast") && !w.On {
			return w, fault.Usage("leave one of them out", "--peercast=false serves no PeerCast, and --peercast-listen says where")
		}
		w.On = true
		if w.Addr, err = listenAddr("peercast-listen", c.String("peercast-listen"), "", pcp.Port); err != nil {
			return w, err
		}
	}
	switch {
	case !w.On && w.Says != (pcp.Info{}):
		return w, fault.Usage("add --peercast", "--genre, --description, --comment and --contact are what PeerCast's lists show, and PeerCast is not served")
	case !w.On && c.IsSet("yp"):
		return w, fault.Usage("add --peercast", "--yp has a list send PeerCasts here, and PeerCast is not served")
	case c.IsSet("yp"):
		if w.List, err = pcpout.ParseList(c.String("yp")); err != nil {
			return w, fault.Usage("write it as pcp://yp.example/", "--yp %q is no address of a list", c.String("yp"))
		}
	}
	return w, nil
}
