package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"relay/playback"
	"relay/playback/api"
)

const (
	// maxConns is how many connections there may be: a scraper, a dashboard, and more
	// followers of the events than anyone keeps open.
	maxConns = 256
	// maxScrapes is how many scrapes may be under way at once; each asks every channel.
	maxScrapes = 4
)

// Config is what a [Server] needs. All but AllowHosts and Log are required.
type Config struct {
	Metrics *Metrics
	// Channels describes the channels that are open, for readiness. It is called for every
	// request, and must be safe for concurrent use.
	Channels func() []api.ChannelStatus
	// API answers what lies under /api/v1/, in full: [playback.Server.API].
	API http.Handler
	// AllowHosts are further host names under which the listener may be asked.
	AllowHosts []string
	// Profiles has profiles of the program served under /debug/pprof/, which take a part of the
	// processor's time while they are made.
	Profiles bool
	Log      *zap.Logger // none if nil
}

// Server is the operator's listener. No request changes anything. Its routes:
//
//	GET /metrics   for Prometheus
//	GET /healthz   "ok": the process answers
//	GET /readyz    200 if a channel has had media within [api.FreshFor], else 503 with
//	               the reason; ?channel=ID for one, ?all=1 if all must
//	GET /api/v1/   channels, tree, events, status; with addresses and whole IDs
//	GET /debug/pprof/  for go tool pprof, with [Config].Profiles
type Server struct {
	config Config
}

// NewServer returns a server for one [Server.Run].
func NewServer(c Config) *Server {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &Server{config: c}
}

// Run serves on ln, which it closes, until ctx ends, and then returns nil; before
// that it returns only if ln fails.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	l := playback.Listener{Handler: s.Handler(), Most: maxConns, Log: s.config.Log}
	return l.Run(ctx, ln)
}

// Handler answers the listener's requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", s.metrics())
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, "ok\n") })
	mux.HandleFunc("/readyz", s.ready)
	mux.Handle("/api/v1/", s.config.API)
	if s.config.Profiles {
		handleProfiles(mux)
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, "This is the address for whoever runs the node. There are /metrics, /healthz, /readyz and, under /api/v1/, channels, tree, events and status.\n")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "There is no such page. There are /metrics, /healthz, /readyz and, under /api/v1/, channels, tree, events and status. Players are served at the address that relay printed for them.", http.StatusNotFound)
	})
	return playback.Guard(mux, s.config.AllowHosts)
}

// metrics answers scrapes, maxScrapes at once.
func (s *Server) metrics() http.Handler {
	underWay := make(chan struct{}, maxScrapes)
	scrape := func(w http.ResponseWriter, _ *http.Request) {
		select {
		case underWay <- struct{}{}:
			defer func() { <-underWay }()
		default:
			http.Error(w, "Several others are reading the metrics. Ask again in a second.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s.config.Metrics.write(w)
	}
	return http.TimeoutHandler(http.HandlerFunc(scrape), playback.AnswerTimeout-time.Second, "The channels did not say in time how they are. Ask again.")
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}
