package pcpout

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/hostnet"
	"relay/relay/lobby"
	"relay/relay/pcp"
	"relay/relay/refusal"
	"relay/relay/stream"
)

const (
	// strangers is how many connections may be there that have not said who they are. Each costs
	// [strangerBytes] at most, and one more has another give way.
	strangers     = 64
	strangerBytes = 8 << 10
	// requestTime is how long a request may take to come, as on a link. A helo may take longer: PeerCastStation
	// gives itself 18 s.
	requestTime = 3 * time.Second
	heloTime    = 18 * time.Second
	writeTime   = 5 * time.Second
	// lookEvery is how often it is looked what there is to say of the channels.
	lookEvery = time.Second
	// DefaultMost is how many peers there are at most, if nothing says otherwise.
	DefaultMost = 8
)

// Config is what a [Server] needs. Players, Channels and Session are required.
type Config struct {
	Players  *playback.Server
	Channels func() []*playback.Channel // safe for concurrent use
	Session  pcp.ID                     // this process's; what this process pulls says the same
	Agent    string                     // the program and its version
	Most     int                        // peers of all channels together; DefaultMost if 0, none if negative
	// Texts returns what is said of a channel besides its name: genre, address of a page, description and
	// comment. What it leaves out is taken from the stream. It may be nil, and must be safe for concurrent use.
	Texts func(stream.ChannelID) pcp.Info
	// Nodes returns where nodes that take a channel from this one can be dialled: those that serve PeerCast there as well are named
	// to whom there is no room for. It may be nil, and must be safe for concurrent use.
	Nodes func(stream.ChannelID) []netip.AddrPort
	// Own says whether an address is of this machine's own networks: these give way last. It may be
	// nil, and must be safe for concurrent use.
	Own func(netip.Addr) bool
	Log *zap.Logger // nil for none
	// HeloTime replaces the time within which a peer has to say who it is in tests.
	HeloTime time.Duration
	// Dial replaces net.Dialer in tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Server serves PeerCast. [Server.Take] is given the connections, or [Server.Serve] accepts them.
type Server struct {
	config   Config
	lobby    *lobby.Lobby
	refused  refusal.Counts
	ports    ports
	siblings siblings

	mu       sync.Mutex
	channels map[pcp.ID]*channel
	peers    int
	of       hostnet.Shares // of the peers' addresses
}

// New returns a server. Run must be called.
func New(c Config) *Server {
	if c.Most == 0 {
		c.Most = DefaultMost
	}
	if c.HeloTime == 0 {
		c.HeloTime = heloTime
	}
	if c.Own == nil {
		c.Own = func(netip.Addr) bool { return false }
	}
	if c.Nodes == nil {
		c.Nodes = func(stream.ChannelID) []netip.AddrPort { return nil }
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	s := &Server{config: c, lobby: lobby.New(strangers, c.Own), channels: make(map[pcp.ID]*channel)}
	s.ports.slots = make(chan struct{}, portsAtOnce)
	return s
}

// Refused counts those that were turned away or cut.
func (s *Server) Refused() map[refusal.Reason]uint64 { return s.refused.All() }

// Run looks after what is said of the channels until ctx ends.
func (s *Server) Run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case now := <-look.C:
			s.look(now)
		case <-ctx.Done():
			return
		}
	}
}

// Serve accepts connections on ln, which it closes, until ctx ends, and then returns nil. It waits for what
// it has accepted.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	failed := func(err error) { s.config.Log.Warn("accept failed", zap.Error(err)) }
	return lobby.Accept(ctx, ln, failed, func(ctx context.Context, conn net.Conn) { s.Take(ctx, conn, nil) })
}

// Take serves a connection, of which first has been read already, and closes it. It returns when that is
// over, soon after ctx ends at the latest.
func (s *Server) Take(ctx context.Context, conn net.Conn, first []byte) {
	g := &guest{Guest: s.lobby.Enter(conn), server: s, conn: conn}
	defer conn.Close()
	defer g.Leave()
	g.reading(first)
	stop := context.AfterFunc(ctx, func() {
		if !g.playing.Load() { // what plays says why it ends
			conn.Close()
		}
	})
	defer stop()
	err := g.serve(ctx)
	if g.Turned() {
		err = &turnedAway{why: RefusedCrowd}
	}
	if t := asRefused(err); t != nil {
		s.refused.Add(t.why)
		s.config.Log.Debug("PeerCast turned away", zap.Stringer("addr", conn.RemoteAddr()), zap.String("reason", string(t.why)))
	}
}

// Counts sums up the peers of a channel.
func (s *Server) Counts(id stream.ChannelID) api.PeerCast {
	s.mu.Lock()
	ch := s.channels[pcp.ChannelID(id)]
	s.mu.Unlock()
	if ch == nil {
		return api.PeerCast{}
	}
	return ch.count()
}

// find returns the channel of an ID, and notes it; nil if there is none that may be served.
func (s *Server) find(id pcp.ID) *channel {
	for _, c := range s.config.Channels() {
		if pcp.ChannelID(c.ID()) != id {
			continue
		}
		a := c.About()
		if a.Private || off(a) {
			return nil
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		ch := s.channels[id]
		if ch == nil || ch.of != c {
			ch = newChannel(id, c, a, s.texts(c))
			s.channels[id] = ch
		}
		return ch
	}
	return nil
}

// texts are what is said of a channel now.
func (s *Server) texts(c *playback.Channel) (i pcp.Info) {
	if s.config.Texts != nil {
		i = s.config.Texts(c.ID())
	}
	t := flv.Texts{Genre: i.Genre, Description: i.Description, Comment: i.Comment, Contact: i.URL}
	c.FillIn(&t)
	i.Genre, i.Description, i.Comment, i.URL = t.Genre, t.Description, t.Comment, t.Contact
	return i
}

// off reports whether nobody should wait for a channel.
func off(a api.Channel) bool {
	return a.Situation.Name == api.Over || a.Situation.Name == api.ClosedHere
}

// look looks at all channels that somebody has asked for.
func (s *Server) look(now time.Time) {
	s.mu.Lock()
	var all []*channel
	for id, ch := range s.channels {
		if ch.idle(now) {
			delete(s.channels, id)
			continue
		}
		all = append(all, ch)
	}
	s.mu.Unlock()
	for _, ch := range all {
		a := ch.of.About()
		if off(a) {
			ch.end(&turnedAway{quit: pcp.QuitOffAir})
			continue
		}
		ch.describe(a, s.texts(ch.of))
		ch.forget(now)
	}
}
