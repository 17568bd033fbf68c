package cli

import (
	"cmp"
	"encoding/json"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/doctor"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/station"
	"relay/cli/term"
	"relay/ingest/rtmp"
	"relay/ingest/srt"
	"relay/playback"
	"relay/playback/admin"
	"relay/playback/rtspout"
	"relay/playback/tv"
	"relay/relay"
	"relay/relay/discovery"
)

func doctorCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "look for what could keep a stream from getting through",
		UsageText: "relay doctor [FLAGS] [LINK]",
		Description: `Looks at this machine's network, ports, players, keys and upload, and at the relay that
runs here, and says what to do next. It sends nothing to the Internet. It exits with 1
if something needs doing.

With --internet, other nodes are asked to dial this machine, over TCP and UDP, and each
says whether it got through: those of the channels that the relay here has open, or those
in LINK if none runs.`,
		Flags: append([]cli.Flag{
			flag.Toggle("json", "write what was found as JSON"),
			flag.Toggle("internet", "ask other nodes to dial this machine"),
			flag.Text("upload", "`RATE` of this machine's upload, to hear how many viewers it carries"),
			flag.Config(),
			flag.NoDiscovery(),
		}, append(flag.AskFlags(), flag.Discovery()...)...),
		Action: func(c *cli.Context) error { return runDoctor(c, t, stdio) },
	}
}

func runDoctor(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	inv, err := doctorsInvite(c)
	if err != nil {
		return err
	}
	addr, err := flag.Asked(c, "http", playback.DefaultPort)
	if err != nil {
		return err
	}
	a := ask.New(addr, nil)
	defer a.Close()
	up, err := flag.Upload(c)
	if err != nil {
		return err
	}
	d, err := flag.ReadDiscovery(c)
	if err != nil {
		return err
	}
	found := doctor.Run(c.Context, doctor.Config{
		Folder:  c.String("config"),
		Ports:   defaultPorts(c.Int("offset")),
		Upload:  up,
		Relay:   a,
		Network: d,

		Internet: c.Bool("internet"),
		Invite:   inv,
	})
	if c.Context.Err() != nil {
		return nil
	}
	bad := 0
	for _, f := range found {
		if f.Level == doctor.Todo {
			bad++
		}
	}
	if c.Bool("json") {
		enc := json.NewEncoder(stdio.Out)
		enc.SetIndent("", "  ")
		err = enc.Encode(struct {
			OK       bool             `json:"ok"`
			Findings []doctor.Finding `json:"findings"`
		}{bad == 0, found})
	} else {
		st, _ := t.OutStyle()
		_, err = io.WriteString(stdio.Out, strings.Join(doctor.Text(found, st), "\n")+"\n")
	}
	if err != nil {
		return fault.Fail("", "write what was found: %w", err)
	}
	switch {
	case bad == 1:
		return fault.Fail("", "one thing needs doing; it is marked above")
	case bad > 1:
		return fault.Fail("", "%d things need doing; they are marked above", bad)
	}
	return nil
}

// doctorsInvite is the link whose nodes are asked, nil for none.
func doctorsInvite(c *cli.Context) (*relay.Invite, error) {
	switch {
	case c.NArg() == 0:
		return nil, nil
	case !c.Bool("internet"):
		return nil, fault.Usage("relay doctor --internet LINK", "relay doctor takes a link with --internet alone")
	}
	all, err := ask.Invites(c.Context, c.Args().Slice(), nil)
	if err != nil || len(all) != 1 {
		return nil, cmp.Or(err, fault.Usage("relay help doctor", "relay doctor takes one link, %d were given", len(all)))
	}
	return &all[0], nil
}

// defaultPorts returns the ports that relay opens by itself, and those that flags have it open, moved by offset.
func defaultPorts(offset int) []doctor.Port {
	return []doctor.Port{
		{Proto: "TCP", Number: relay.DefaultPort + offset, What: "links between nodes", Flag: "listen"},
		{Proto: "UDP", Number: relay.DefaultPort + offset, What: "gossip between nodes", Flag: "listen"},
		{Proto: "TCP", Number: playback.DefaultPort + offset, What: "players and the page", Flag: "http"},
		{Proto: "TCP", Number: rtmp.DefaultPort + offset, What: "the encoder", Flag: "rtmp"},
		{Proto: "UDP", Number: discovery.DefaultPort, What: "being found on this network", Shared: true},
		{Proto: "TCP", Number: admin.DefaultPort + offset, What: "metrics", Flag: "admin"},
		{Proto: "UDP", Number: srt.DefaultPort + offset, What: "encoders and players over SRT, with --srt", Flag: "srt", Asked: true},
		{Proto: "TCP", Number: rtspout.DefaultPort + offset, What: "players over RTSP, with --rtsp", Flag: "rtsp", Asked: true},
		{Proto: "TCP", Number: station.WHIPPort + offset, What: "encoders over WHIP, with --whip", Flag: "whip", Asked: true},
		{Proto: "UDP", Number: station.WHIPPort + offset, What: "encoders over WHIP, with --whip", Flag: "whip", Asked: true},
		{Proto: "TCP", Number: tv.DefaultPort + offset, What: "TVs, with --tv", Flag: "tv", Asked: true},
	}
}
