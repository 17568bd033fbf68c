package doctor

import (
	"context"
	"net/netip"
	"runtime"
	"time"

	"relay/cli/ask"
	"relay/cli/lan"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/store"
)

// Config says what to look at.
type Config struct {
	Folder  string     // with the keys, as store.Open takes it
	Ports   []Port     // the ports that relay opens
	Upload  int        // bit/s, as the user states it; 0 if not
	Relay   *ask.Relay // may run here; its questions fail if it does not
	Network lan.Config // how to look for channels on this network
	// Internet has other nodes dial this machine: those of the channels that the relay here
	// has, or of Invite, if none runs.
	Internet bool
	Invite   *relay.Invite // nil for none
}

// machine is everything that relay doctor looks at. Tests make one up to check what doctor says
// about it.
type machine struct {
	goos       string
	now        time.Time
	interfaces []hostnet.Interface
	out4, out6 netip.Addr // the source addresses of packets to the Internet; zero without a route
	ports      []portUse
	programs   map[string]program // the installed ones, by the names of players and browsers
	filming    filming
	folder     store.Contents
	around     around
	asked      string      // the relay that was asked: host:port
	running    *api.Status // nil if no relay answers
	later      *api.Status // likewise, when all else had been looked at
	trees      api.Trees   // of that relay
	upload     int         // bit/s, as the user states it; 0 if not
	internet   internet
}

// Run looks at the machine, at this network and at the relay that runs here, and returns its
// findings. It asks nothing of the Internet, unless cfg.Internet says so; then it takes up to ten
// seconds, and else a few. If ctx ends first,
// the findings are not reliable.
func Run(ctx context.Context, cfg Config) []Finding {
	return examine(ctx, cfg).diagnose()
}

func examine(ctx context.Context, cfg Config) machine {
	m := machine{goos: runtime.GOOS, now: time.Now(), asked: cfg.Relay.Addr, upload: cfg.Upload}
	if st, err := cfg.Relay.Status(ctx); err == nil {
		m.running = &st
		m.trees, _ = cfg.Relay.Trees(ctx, "") // without trees there are fewer findings
	}
	m.interfaces = hostnet.Interfaces()
	m.out4, m.out6 = hostnet.Outward(), hostnet.Outward6()
	m.ports = lookAtPorts(cfg.Ports)
	patience, cancel := context.WithTimeout(ctx, programPatience)
	m.programs = findPrograms(patience)
	m.filming = lookAtFFmpeg(ctx)
	cancel()
	m.folder = store.Inspect(cfg.Folder)
	m.around = lookAround(ctx, cfg.Network)
	if cfg.Internet {
		m.internet = askInternet(ctx, cfg, m.running != nil)
	}
	if m.running != nil {
		if st, err := cfg.Relay.Status(ctx); err == nil {
			m.later = &st
		}
	}
	return m
}

func (m machine) diagnose() []Finding {
	var all []Finding
	for _, check := range []func() []Finding{m.checkNetwork, m.checkPorts, m.checkPlayers, m.checkFilming, m.checkFolder, m.checkRunning, m.checkRefused, m.checkInternet, m.checkAround, m.checkUpload} {
		all = append(all, check()...)
	}
	return all
}
