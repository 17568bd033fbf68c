package playback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/playback/api"
	"relay/relay/refusal"
	"relay/relay/stream"
)

const (
	// defaultMaxViewers is the bound on viewers when none is set: 128 MiB of
	// memory, and more than one machine's uplink carries.
	defaultMaxViewers = 4096
	// maxRequests is how many connections there may be besides viewers: idle ones, and
	// those that have not sent a whole request.
	maxRequests = 256
	// sendBuffer is the size of the send buffer asked for each viewer, in bytes. It bounds
	// what the kernel holds for one that is stuck, and still carries 20 Mb/s over 100 ms.
	sendBuffer = 256 << 10
)

// Config is what a [Server] needs. Its zero value is a node without channels.
type Config struct {
	// Channels returns the channels that can be watched, in the order in which to
	// list them. It is called for every request, as is Node, and both must be safe
	// for concurrent use.
	Channels func() []*Channel
	// Node describes the node, for the status.
	Node func() api.Node
	// Survey returns the tree of one of Channels, all but its ID, Name, Title and Summary. It
	// may ask other nodes, and must return when its context ends.
	Survey func(context.Context, stream.ChannelID) (api.ChannelTree, error)
	// DialBack has other nodes of one of Channels dial this one, and returns what they found. It
	// must return when its context ends, and be safe for concurrent use.
	DialBack func(context.Context, stream.ChannelID) ([]api.DialBack, error)
	// Share returns, for the status, what people share to have others watch one of
	// Channels.
	Share func(stream.ChannelID) api.Share
	// RTMP returns where channels are played over RTMP, as rtmp://HOST:PORT/APP, to a client
	// that calls this machine host, as in a Host header; "" if nowhere. It must be safe for
	// concurrent use.
	RTMP func(host string) string
	// RTSP does likewise for RTSP, as rtsp://HOST:PORT.
	RTSP func(host string) string
	// SRT does likewise for SRT, as srt://HOST:PORT.
	SRT func(host string) string
	// Link returns the invite to one of Channels at this machine alone, as relay://…, for a
	// client that calls this machine host, as in a Host header; "" if the node takes no links
	// there. It must be safe for concurrent use.
	Link func(c stream.ChannelID, host string) string
	// AllowHosts are further host names under which the node may be asked, without
	// port. IP addresses, localhost and the machine's own name always work.
	AllowHosts []string
	// Proxies are reverse proxies that are believed when they say for whom they ask.
	Proxies Proxies
	// Embed are the sites that may show the picture: in a frame with [embedPath], or by a script that
	// reads the media.
	Embed Origins
	// Readers are sites whose scripts may read the media, as those of Embed, and show nothing in a frame.
	Readers Origins
	// Own says whether a client's address is of this machine's own networks: when there is no
	// room these give way last. It may be nil, and must be safe for concurrent use.
	Own func(netip.Addr) bool
	// Near says whether a client's address may ask; nil lets in all. It is called for
	// every request and must be safe for concurrent use.
	Near func(netip.Addr) bool
	// Refused returns what the node's other listeners have turned away, by listener and reason, for
	// the status. It may be nil, and must be safe for concurrent use.
	Refused func() map[string]map[refusal.Reason]uint64
	// Followed returns the channels that the node's user follows, for who asks on this machine; Open is
	// filled in. It may be nil, and must be safe for concurrent use.
	Followed func() []api.Followed
	// Events is what GET /api/v1/events serves; the server adds viewers that it turns away.
	// If it is nil, there is nothing to tell.
	Events *Events
	// Broadcast takes what the page at [BroadcastPath] films; nil for a node that is not to.
	Broadcast Broadcaster
	// Thumbnails has the newest key frame of each channel served as a small JPEG, which ffmpeg makes
	// in a sandbox.
	Thumbnails bool
	// MaxViewers bounds the viewers of all channels together; default 4096.
	MaxViewers int
	// Batch is how far apart two writes to a viewer are at least; 0 for as soon as there is
	// something. It is what viewers are late by, at most, and the fewer writes cost less.
	Batch time.Duration
	// Log gets a line for each viewer that leaves; none if nil.
	Log *zap.Logger
}

// Server is the node's HTTP listener for viewers. <channel> is a channel ID, or at least its
// first 4 characters if no other channel here begins like that. Its routes:
//
//	GET /                            the page; a list in plain text to clients that want no HTML
//	GET /<channel>                   the page, at that channel
//	GET /<channel>.flv .mp4 .ts      the media; ?start= as in [ParseStart]
//	GET /<channel>.ts?tv             the same, as TVs want it (DLNA)
//	GET /<channel>.m3u               a playlist of one address, the best for most players
//	GET /<channel>.jpg               the newest key frame, small, with [Config].Thumbnails
//	GET /hls/<channel>/index.m3u8    HTTP Live Streaming
//	GET /api/v1/channels             [api.Channels] in JSON
//	GET /api/v1/share                [api.Invitation] in JSON; ?channel=ID, if there are several
//	GET /api/v1/tree                 [api.Trees] in JSON; ?channel=ID for one
//	GET /api/v1/events               each [api.Event] as it happens; see [Events.ServeEvents]
//	GET /api/v1/followed             [api.Follows] in JSON, for this machine alone
//	GET /api/v1/status               an [api.Status] in JSON, for this machine alone: it has addresses
//	GET /healthz                     "ok"
//	GET /broadcast                   the page that films, for this machine alone, with [Config].Broadcast
//	GET /api/v1/broadcast            what it needs, an [api.Broadcast] in JSON; and its WebSocket
//	GET /embed                       the picture alone, for frames of other sites, with [Config].Embed
//	GET /web/                        the page's parts
type Server struct {
	config Config
	hosts  []string // names to answer under, in lower case

	refused refusal.Counts
	places  places
	rewinds rewinds
	drawing chan struct{} // holds one for each thumbnail that is being made
	peeking chan struct{} // holds one for each picture of what was that is being read
	runs    *hlsRuns
}

// NewServer returns a server for one [Server.Run].
func NewServer(c Config) *Server {
	if c.Channels == nil {
		c.Channels = func() []*Channel { return nil }
	}
	if c.Node == nil {
		c.Node = func() api.Node { return api.Node{} }
	}
	if c.DialBack == nil {
		c.DialBack = func(context.Context, stream.ChannelID) ([]api.DialBack, error) { return nil, nil }
	}
	if c.Survey == nil {
		c.Survey = func(context.Context, stream.ChannelID) (api.ChannelTree, error) {
			return api.ChannelTree{}, errors.New("this node has none")
		}
	}
	if c.Share == nil {
		c.Share = func(stream.ChannelID) api.Share { return api.Share{} }
	}
	if c.Link == nil {
		c.Link = func(stream.ChannelID, string) string { return "" }
	}
	if c.RTMP == nil {
		c.RTMP = func(string) string { return "" }
	}
	if c.SRT == nil {
		c.SRT = func(string) string { return "" }
	}
	if c.RTSP == nil {
		c.RTSP = func(string) string { return "" }
	}
	if c.MaxViewers <= 0 {
		c.MaxViewers = defaultMaxViewers
	}
	if c.Events == nil {
		c.Events = &Events{}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &Server{
		config: c, hosts: ownHosts(c.AllowHosts), places: places{most: c.MaxViewers}, rewinds: newRewinds(),
		drawing: make(chan struct{}, thumbnailAtOnce), peeking: make(chan struct{}, peekAtOnce), runs: newHLSRuns(),
	}
}

// Run serves on ln, which it closes, until ctx ends, and then returns nil; before
// that it returns only if ln fails. All viewers are gone when it returns.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.places.playing.Wait()
	defer s.places.close()
	defer cancel()

	l := Listener{Handler: s.handler(ctx), Most: maxRequests, Own: s.own, Cut: s.refused.Add, Log: s.config.Log}
	return l.Run(ctx, ln)
}

// handler answers requests until ctx ends.
func (s *Server) handler(ctx context.Context) http.Handler {
	return guard(&routes{s, ctx}, gate{s.hosts, s.config.Near, s.config.Proxies, slices.Concat(s.config.Embed, s.config.Readers), &s.refused})
}

// Counts returns what all listeners have turned away or cut, by listener and reason. The one for
// players is "http".
func (s *Server) Counts() map[string]map[string]uint64 {
	all := map[string]map[string]uint64{"http": refusal.Labels(s.refused.All(Refusals...))}
	if s.config.Refused != nil {
		for at, of := range s.config.Refused() {
			if len(of) > 0 {
				all[at] = refusal.Labels(of)
			}
		}
	}
	return all
}
