package doctor

import (
	"context"
	"net/netip"
	"runtime"
	"time"

	"relay/cli/lan"
	"relay/playback/api"
	"relay/relay/hostnet"
	"relay/relay/store"
)

// Config is what a look at the machine goes by.
type Config struct {
	Folder string // with the keys, as store.Open takes it
	Ports  []Port // those that relay opens
	Upload int    // bit/s, as the user states it; 0 if not

	// Asked is the address, host:port, of the relay that may run here; Status and Trees
	// ask it, and fail if there is none.
	Asked  string
	Status func(context.Context) (api.Status, error)
	Trees  func(context.Context) (api.Trees, error)

	Network lan.Config // how to look for channels on this network
}

// machine is all that relay doctor looks at, so that what it says of it can be tested.
type machine struct {
	goos       string
	now        time.Time
	interfaces []hostnet.Interface
	out4, out6 netip.Addr // from which packets to the Internet leave; zero without a way
	ports      []portUse
	programs   map[string]program // that are there, by the names of players and browsers
	folder     store.Contents
	around     around
	asked      string      // the relay that was asked: host:port
	running    *api.Status // nil if none answers
	trees      api.Trees   // of that relay
	upload     int         // bit/s, as the user states it; 0 if not
}

// Run looks at the machine, at this network and at the relay that runs here, and says
// what it found. Of the Internet it asks nothing. It takes some seconds at most, or until
// ctx ends; what is said then is not to be relied on.
func Run(ctx context.Context, cfg Config) []Finding {
	return examine(ctx, cfg).diagnose()
}

func examine(ctx context.Context, cfg Config) machine {
	m := machine{goos: runtime.GOOS, now: time.Now(), asked: cfg.Asked, upload: cfg.Upload}
	m.interfaces = hostnet.Interfaces()
	m.out4, m.out6 = hostnet.Outward(), hostnet.Outward6()
	m.ports = lookAtPorts(cfg.Ports)
	m.programs = findPrograms(ctx)
	m.folder = store.Inspect(cfg.Folder)
	m.around = lookAround(ctx, cfg.Network)
	if st, err := cfg.Status(ctx); err == nil {
		m.running = &st
		m.trees, _ = cfg.Trees(ctx) // without them, less is said
	}
	return m
}

func (m machine) diagnose() []Finding {
	var all []Finding
	for _, check := range []func() []Finding{m.checkNetwork, m.checkPorts, m.checkPlayers, m.checkFolder, m.checkRunning, m.checkAround, m.checkUpload} {
		all = append(all, check()...)
	}
	return all
}
