//go:build !lean

package flag

import (
	"cmp"
	"io"
	"net/netip"
	"slices"

	"github.com/urfave/cli/v2"

	"relay/cli/abuse"
	"relay/cli/fault"
	"relay/playback"
)

// Abuse is the command of the room abuse, which the list of commands leaves out.
func Abuse(out io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "abuse",
		Usage:     "attack a node of yours, to see what strangers can do to it",
		UsageText: "relay abuse [FLAGS] [LINK]",
		Hidden:    true,
		Description: `Sends hostile bytes to each port of a relay that runs, and lays siege to it with crowds
that are silent, slow or deaf. Meanwhile it plays the stream, and comes to each port as an
honest newcomer. In the end it says what held. It exits with 1 if a bar was missed.

Without LINK it is the relay on this machine. Addresses that are neither this machine's nor
in its own networks are refused, unless you say that the machine there is yours.`,
		Flags: []cli.Flag{
			Text("http", "`ADDR` of its port for players (default: that of LINK, port 7145)"),
			Text("rtmp", "`ADDR` of its port for encoders (default: that of LINK, port 1935)"),
			Text("srt", "`ADDR` of its port for SRT, as it has with --srt (default: it has none)"),
			Text("admin", "`ADDR` of its metrics (default on this machine: port 7147); they tell what happens inside"),
			Text("discovery", "`ADDR` to send queries to, such as 127.255.255.255:7146 or 239.255.71.46:7146; all relays there get them (default: none)"),
			Text("peercast", "`ADDR` where it serves PeerCast, as that of its links with --peercast (default: it does not)"),
			Text("rtsp", "`ADDR` of its port for players over RTSP, with --rtsp (default: it has none)"),
			Text("whip", "`ADDR` for encoders over WHIP, as in its --whip (default: none)"),
			Text("mpeg-ts", "`ADDR` at which MPEG-TS comes in over UDP, if its input is udp://… (default: none)"),
			Text("tv", "`ADDR` where it answers TVs, with --tv port 7150 (default: it does not)"),
			Text("ssdp", "`ADDR` at which TVs look for it, as 239.255.255.250:1900; all servers there get what is sent (default: none)"),
			Number("pid", "`N`, its process, if there are no metrics", "none"),
			Text("key", "`@FILE` with the stream key, to send hostile media; nobody may be sending"),
			Text("tag-log", "`FILE` that its source writes with --tag-log, to compare what plays"),
			Text("from", "`PREFIX` of this machine's addresses to come from (default on loopback: 127.66.0.0/16)"),
			List("only", "`PORT` to attack: rtmp, media, http, tls, link, stream, gossip, discovery, peercast, rtsp, srt, whip, whip-udp, mpeg-ts, tv or ssdp (default: all)"),
			Text("for", "`TIME` that each siege lasts (default 6s)"),
			Text("newcomer", "`TIME` within which an honest newcomer has to play (default 1s)"),
			Toggle("i-own-this-machine", "attack it wherever it is: it is yours"),
		},
		Action: func(c *cli.Context) error {
			cfg, err := readAbuse(c)
			if err != nil {
				return err
			}
			return abuse.Run(c.Context, cfg, out)
		},
	}
}

func readAbuse(c *cli.Context) (cfg abuse.Config, err error) {
	if c.NArg() > 1 {
		return cfg, fault.Usage("relay help abuse", "relay abuse takes one link, %d arguments were given", c.NArg())
	}
	if cfg.Target, err = abuse.Aim(c.Context, c.Args().First()); err != nil {
		return cfg, err
	}
	for name, of := range map[string]*netip.AddrPort{"http": &cfg.HTTP, "rtmp": &cfg.RTMP, "admin": &cfg.Admin, "discovery": &cfg.Discovery, "peercast": &cfg.PeerCast, "rtsp": &cfg.RTSP, "srt": &cfg.SRT, "whip": &cfg.WHIP, "mpeg-ts": &cfg.MPEGTS, "tv": &cfg.TV, "ssdp": &cfg.SSDP} {
		if !c.IsSet(name) {
			continue
		}
		addr, err := askedAddr(name, c.String(name), playback.DefaultPort)
		if err == nil {
			*of, err = abuse.At(c.Context, addr)
		}
		if err != nil {
			return cfg, fault.Usage("write it as 127.0.0.1:7145, or 7145 for this machine", "%w", err)
		}
	}
	if c.IsSet("from") {
		if cfg.From, err = netip.ParsePrefix(c.String("from")); err != nil {
			return cfg, fault.Usage("write it as 10.9.0.0/16", "--from %q is no prefix", c.String("from"))
		}
	}
	for _, s := range c.StringSlice("only") {
		p, err := abuse.ParsePort(s)
		if err != nil {
			return cfg, fault.Usage("relay help abuse lists them", "--only: %w", err)
		}
		cfg.Only = append(cfg.Only, p)
	}
	if cfg.For, err = period(c, "for"); err != nil {
		return cfg, err
	}
	if cfg.Newcomer, err = period(c, "newcomer"); err != nil {
		return cfg, err
	}
	cfg.For, cfg.Newcomer = cmp.Or(cfg.For, abuse.DefaultFor), cmp.Or(cfg.Newcomer, abuse.DefaultNewcomer)
	cfg.Memory, cfg.PID, cfg.TagLog, cfg.Mine = abuse.DefaultMemory, c.Int("pid"), c.String("tag-log"), c.Bool("i-own-this-machine")
	if slices.Contains(Shown(c), "key") {
		return cfg, fault.Usage("put it into a file, --key @FILE, or into "+Env("key")[0], "--key on the command line shows the key to all on this machine")
	}
	cfg.Key, err = StreamKey(c)
	return cfg, err
}
