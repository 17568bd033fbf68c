package cli

import (
	"fmt"
	"net"
	"slices"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/station"
	"relay/ingest/srt"
	"relay/playback"
	"relay/playback/admin"
	"relay/playback/rtspout"
	"relay/relay"
	"relay/relay/pcp"
)

const (
	defaultViewers = "4096" // playback.Config.MaxViewers
	// adminOff is the value of --admin that turns the listener off.
	adminOff = "off"
)

// Where a command listens for players by default, as the flag's help says it.
var (
	playersHere = fmt.Sprintf("127.0.0.1:%d", playback.DefaultPort)
	playersNear = fmt.Sprintf(":%d, for this machine's own networks alone", playback.DefaultPort)
)

// nodeFlags returns the flags of every command that runs a node. players is the default address
// for players, as the help shows it.
func nodeFlags(players string) []cli.Flag {
	return append([]cli.Flag{
		flag.Text("listen", fmt.Sprintf("`ADDR` for links from other nodes (default :%d; a free port if that is taken)", relay.DefaultPort)),
		flag.Text("http", "`ADDR` for players (default "+players+"; a free port if that is taken)"),
		flag.Text("srt", fmt.Sprintf("`ADDR` for players over SRT, and for the encoder of a source, as in :%d; by UDP (default: none)", srt.DefaultPort)),
		flag.Number("offset", "add `N` to every default port, to run several on one machine", "0"),
		flag.List("advertise", "`ADDR` under which others reach this node, such as a forwarded port; a name is looked up again every minute"),
		flag.Toggle("no-port-mapping", "do not have the router open the port for links (PCP, NAT-PMP, UPnP)"),
		flag.MaxChildren(),
		flag.Number("max-viewers", "`N` players to serve, at most", defaultViewers),
		flag.Text("batch", "send to players every `TIME` only, as in 100ms: less work for many of them, and as much delay (default: at once)"),
		flag.Text("upload", "`RATE` to pass on outside this network, as in 20M bits per second (default: found out)"),
		flag.Keep(),
		flag.Name(),
		flag.Config(),
		flag.NoDiscovery(),
		flag.TV(),
		flag.Resolver(),
		flag.Toggle("verbose", "log what happens to stderr"),
	}, slices.Concat(flag.Finding(), flag.Serving(), flag.PeerCast(), flag.Discovery(), operationsFlags())...)
}

// operationsFlags returns the flags for whoever operates a node.
func operationsFlags() []cli.Flag {
	return []cli.Flag{
		flag.Text("admin", fmt.Sprintf("`ADDR` for metrics, readiness and the full API; \"off\" for none (default 127.0.0.1:%d; a free port if that is taken)", admin.DefaultPort)),
		flag.Toggle("pprof", "serve profiles of this program on the address of --admin, for go tool pprof"),
		flag.Text("webhook", "http or https `URL` that gets a POST when a channel goes live and when it stops"),
	}
}

// listener reads the flag called name: where to listen. what says for whom, in messages.
func listener(c *cli.Context, what, name, host string, def int) (station.Port, error) {
	addr, given, err := flag.Listen(c, name, host, def)
	return station.Port{What: what, Flag: name, Addr: addr, Given: given}, err
}

// stationFlags reads nodeFlags.
func stationFlags(c *cli.Context) (s station.Config, err error) {
	s.Version, s.Folder, s.Follows = Version, c.String("config"), true
	if s.Listen, err = listener(c, "links", "listen", "", relay.DefaultPort); err != nil {
		return s, err
	}
	if s.HTTP, err = listener(c, "players", "http", "127.0.0.1", playback.DefaultPort); err != nil {
		return s, err
	}
	if c.IsSet("srt") {
		if s.SRT.Port, err = listener(c, "SRT", "srt", "127.0.0.1", srt.DefaultPort); err != nil {
			return s, err
		}
	}
	s.TV = station.Port{What: "TVs", Quiet: true}
	if s.TV.Addr, err = flag.ReadTV(c, s.HTTP.Addr, s.HTTP.Given); err != nil {
		return s, err
	}
	if s.TV.Addr != "" {
		nearPlayers(c, &s)
	}
	if s.Advertise, err = flag.Advertised(c); err != nil {
		return s, err
	}
	s.MapPort = !c.Bool("no-port-mapping")
	if s.Discovery, err = flag.ReadDiscovery(c); err != nil {
		return s, err
	}
	if s.Finding, err = flag.ReadFinding(c); err != nil {
		return s, err
	}
	if s.Domains, err = flag.ReadResolver(c); err != nil {
		return s, err
	}
	if s.Admin, err = adminOf(c); err != nil {
		return s, err
	}
	if s.PeerCast, err = peerCastOf(c); err != nil {
		return s, err
	}
	if s.RTSP, err = wanted(c, "players over RTSP", "rtsp", rtspout.DefaultPort); err != nil {
		return s, err
	}
	if s.Profiles = c.Bool("pprof"); s.Profiles && s.Admin.Addr == "" {
		return s, fault.Usage("leave --admin off out", "--pprof serves profiles on the address of --admin, which is off")
	}
	if s.Webhook, err = flag.Webhook(c); err != nil {
		return s, err
	}
	if s.Proxies, s.Embed, err = flag.Sites(c); err != nil {
		return s, err
	}
	s.Name, s.HostName = flag.NodeName(c)
	s.AllowHosts, s.Thumbnails, s.Shown = c.StringSlice("allow-host"), c.Bool("thumbnails"), flag.Shown(c)
	if s.Slots, err = flag.Slots(c); err != nil {
		return s, err
	}
	if s.MaxViewers, err = flag.MaxViewers(c); err != nil {
		return s, err
	}
	if s.Batch, err = flag.Batch(c); err != nil {
		return s, err
	}
	if s.Keep, err = flag.Kept(c); err != nil {
		return s, err
	}
	s.Upload, err = flag.Upload(c)
	return s, err
}

// adminOf reads --admin.
func adminOf(c *cli.Context) (station.Port, error) {
	if c.String("admin") == adminOff {
		return station.Port{}, nil
	}
	p, err := listener(c, "metrics", "admin", "127.0.0.1", admin.DefaultPort)
	p.Quiet = true
	return p, err
}

// peerCastOf reads the flags of PeerCast.
func peerCastOf(c *cli.Context) (p station.PeerCast, err error) {
	p.Port = station.Port{What: "PeerCast", Flag: "peercast-listen", Given: true, Hint: "give another port; 0 is any that is free"}
	w, err := flag.ReadPeerCast(c)
	p.On, p.Port.Addr, p.Says, p.List, p.Session = w.On, w.Addr, w.Says, w.List, pcp.NewID()
	return p, err
}

// wanted reads the flag called name of a listener on this machine that is there only if it is given.
func wanted(c *cli.Context, what, name string, def int) (p station.Port, err error) {
	if !c.IsSet(name) {
		return p, nil
	}
	p, err = listener(c, what, name, "127.0.0.1", def)
	p.Hint = "give another port; 0 is any that is free"
	return p, err
}

// nearPlayers has the station listen for players on all addresses and answer those in
// this machine's own networks, because a phone must reach the page. With --http the user has
// chosen the address; with --no-discovery the station stays on loopback.
func nearPlayers(c *cli.Context, cfg *station.Config) {
	if cfg.HTTP.Given || c.Bool("no-discovery") {
		return
	}
	_, port, _ := net.SplitHostPort(cfg.HTTP.Addr) // flag.Listen has joined it
	cfg.HTTP.Addr = net.JoinHostPort("", port)
	cfg.Near = true
}
