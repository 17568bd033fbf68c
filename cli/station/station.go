package station

import (
	"context"
	"crypto/ed25519"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"relay/cli/domain"
	"relay/cli/finding"
	"relay/cli/follow"
	"relay/cli/gateway"
	"relay/cli/lan"
	"relay/cli/lean"
	"relay/cli/reach"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest/rtmp"
	"relay/ingest/srt"
	"relay/ingest/whip"
	"relay/playback"
	"relay/playback/api"
	"relay/playback/cast"
	"relay/playback/rtspout"
	"relay/playback/tv"
	"relay/relay"
	"relay/relay/archive"
	"relay/relay/discovery"
	"relay/relay/portmap"
	"relay/relay/refusal"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/tree"
)

// Station is one relaying process: a node, its listeners for players and for who runs it, and
// the channels on them.
type Station struct {
	Node       *relay.Node
	reach      *reach.Reach
	anywhere   bool      // it listens on all addresses
	links      io.Closer // the node's listener; nil for none
	packets    io.Closer // likewise, for packets
	HTTP       net.Listener
	RTMP       net.Listener     // that plays the channels; nil for none
	srt        net.PacketConn   // likewise, over SRT
	peercast   *gateway.Gateway // nil for none
	peercastAt net.Listener     // its own; nil if it has that for links
	rtsp       *rtspout.Server  // nil if nobody plays over RTSP
	rtspAt     net.Listener
	whip       *whipServer // nil for none
	// RTMPRefused counts whom its server does not take.
	RTMPRefused refusal.Counts
	srtRefused  refusal.Counts  // likewise, over SRT
	Finder      *finding.Finder // of channels by their IDs; nil if that is not wanted
	// PullRefused counts what is not dialled, or not read, of a channel of PeerCast's that is
	// brought in.
	PullRefused refusal.Counts
	mapper      *portmap.Mapper // nil if no router is asked to let others in
	asking      atomic.Bool     // it has begun
	start       time.Time
	log         *zap.Logger
	cfg         Config
	// responder lets others on this network find the channels; nil if they shall not.
	responder *discovery.Responder
	t         *term.Terminal
	ops       *operations
	players   *playback.Server
	tv        *tv.Server      // nil if TVs are not told
	tvAt      net.Listener    // its own
	follows   *follow.Watcher // nil if nobody's list is looked at

	mu       sync.Mutex
	channels []*playback.Channel
	keepers  map[stream.ChannelID]*keeper
	hosts    map[stream.ChannelID][]relay.HostPort // in the links by which channels were joined
}

// Config says how to open a station.
type Config struct {
	Key          ed25519.PrivateKey // the node's
	Store        *store.Store       // nil if the folder cannot be used
	Version      string
	Listen, HTTP Port
	RTMP         Port // Addr is "" for none
	SRT          SRT
	Admin        Port // likewise
	TV           Port // likewise
	RTSP         Port // likewise
	WHIP         WHIP
	PeerCast     PeerCast
	Profiles     bool             // served there
	Webhook      *url.URL         // nil for none
	Advertise    []relay.HostPort // where others reach the node, as the user says
	Slots        int              // as in relay.Config
	Upload       int
	Alone        bool   // no listener for links, no children
	Watches      bool   // somebody watches here, whether with a player or not
	HideNames    bool   // of the source's channel, as in relay.Config
	Name         string // likewise
	HostName     string // likewise
	MapPort      bool   // have routers open the port for links
	AllowHosts   []string
	Proxies      []netip.Prefix       // as in playback.Config
	Embed        []string             // likewise
	Broadcast    playback.Broadcaster // likewise
	Thumbnails   bool                 // likewise
	Shown        []string             // flags whose secrets stand on the command line
	Helper       bool                 // it takes channels from sources that nobody can dial
	Brought      relay.Brought        // likewise, those that it was not given
	MaxRate      int                  // as in relay.Config
	Recordings   bool                 // likewise
	RecordingOf  string               // the channel whose recording this is, by its ID; "" for none
	Via          []relay.HostPort     // of a helper that takes the source's channel: first in its link
	Batch        time.Duration        // as in playback.Config
	MaxViewers   int                  // likewise
	Near         bool                 // players in this machine's own networks alone
	Discovery    lan.Config
	Finding      finding.Config
	Follows      bool             // the channels of the list in Folder are looked for now and then
	Folder       string           // with the keys, as [store.Open] has it
	Domains      *domain.Resolver // asked for addresses where a link names a domain; nil for none
	Keep         *archive.Limits  // of what is kept of each channel in Store; nil for nothing
	Title        string           // of the source's channel until there is a header; may be empty
}

// Open opens the listeners and makes the node, or leaves nothing open. The caller closes the
// station.
func Open(t *term.Terminal, log *zap.Logger, cfg Config) (_ *Station, err error) {
	s := &Station{start: time.Now(), log: log, cfg: cfg, t: t, reach: reach.New(cfg.Advertise, t.Say)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if cfg.RTMP.Addr != "" {
		if s.RTMP, err = cfg.RTMP.listen(t); err != nil {
			return nil, err
		}
	}
	if err = s.openSRT(); err != nil {
		return nil, err
	}
	if err = s.openWHIP(); err != nil {
		return nil, err
	}
	nc := relay.Config{Key: cfg.Key, Slots: cfg.Slots, Upload: cfg.Upload, Store: cfg.Store, Version: cfg.Version, Log: log}
	nc.Name, nc.HostName, nc.HideNames = cfg.Name, cfg.HostName, cfg.HideNames
	if cfg.Domains != nil {
		nc.AskDomain = cfg.Domains.Addrs
	}
	nc.Helper, nc.Brought, nc.MaxRate, nc.Recordings = cfg.Helper, cfg.Brought, cfg.MaxRate, cfg.Recordings
	s.Finder = finding.Open(cfg.Finding, cfg.Store, log)
	nc.DHT, nc.Suggested = s.Finder.DHT(), s.Finder != nil && !cfg.Helper
	if cfg.Alone {
		nc.Slots = -1
	} else if err := s.listen(&nc); err != nil {
		return nil, err
	}
	if err := s.openPeerCast(&nc); err != nil {
		return nil, err
	}
	if err := s.openRTSP(); err != nil {
		return nil, err
	}
	if s.HTTP, err = cfg.HTTP.listen(t); err != nil {
		return nil, err
	}
	if s.ops, err = newOperations(t, cfg); err != nil {
		return nil, err
	}
	nc.Notices = func(id stream.ChannelID, n relay.Notice) {
		if _, ok := n.(relay.Attached); ok {
			s.reach.Wake() // the parent has said where it sees this node
		}
		s.ops.notice(id, n)
	}
	nc.NoPackets = s.noPackets
	if s.Node, err = relay.New(nc); err != nil {
		return nil, err
	}
	if cfg.Follows {
		s.follows = s.newFollows()
	}
	s.players = playback.NewServer(s.playing())
	s.servePeerCast()
	s.serveRTSP()
	if err := s.openTV(); err != nil {
		return nil, err
	}
	return s, nil
}

// listen opens the node's listeners and makes the responder that tells of them.
func (s *Station) listen(nc *relay.Config) error {
	ln, packet, err := s.cfg.Listen.listenBoth(s.t)
	if err != nil {
		return err
	}
	nc.Listener, s.links = ln, ln
	nc.Packet, s.packets = packet, packet
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	s.anywhere = at.Addr().IsUnspecified()
	s.reach.At = at
	if s.mapper = s.newMapper(at, s.reach.Wake); s.mapper != nil {
		s.reach.Mapped, s.reach.Moved = s.mapped, s.mapper.Poke
	}
	nc.Addrs = s.reach.Addrs()
	if d := s.cfg.Discovery; !d.Off {
		s.responder = &discovery.Responder{Link: at, Channels: s.channelsToTell, Port: d.Port, Interfaces: d.Interfaces, Log: s.log, Refused: &refusal.Counts{}}
	}
	return nil
}

// FinishPlaying says that no more media will come, and waits until players have the end, or ctx
// ends. It must be called once.
func (s *Station) FinishPlaying(ctx context.Context) { s.players.Finish(ctx) }

// playing returns the configuration of the server for players.
func (s *Station) playing() playback.Config {
	pc := playback.Config{
		Channels:   s.shown,
		Node:       s.describe,
		Survey:     s.survey,
		DialBack:   s.dialBack,
		Share:      s.share,
		RTMP:       s.rtmpAt,
		RTSP:       s.rtspURL,
		SRT:        s.srtURL,
		Broadcast:  s.cfg.Broadcast,
		Link:       s.linkAt,
		AllowHosts: s.cfg.AllowHosts,
		Proxies:    s.cfg.Proxies,
		Embed:      s.cfg.Embed,
		Own:        s.Node.Near,
		Thumbnails: s.cfg.Thumbnails,
		Refused:    s.refusedElsewhere,
		Events:     s.ops.events,
		Batch:      s.cfg.Batch,
		MaxViewers: s.cfg.MaxViewers,
		Log:        s.log,
	}
	if s.cfg.TV.Addr != "" {
		pc.Readers = []string{cast.Origin} // a Chromecast plays by a page of that site
	}
	if s.cfg.Near {
		pc.Near = s.Node.Near
	}
	if s.follows != nil {
		pc.Followed = s.followed
	}
	return pc
}

// Close closes the listeners, whether the station has run or not.
func (s *Station) Close() {
	s.mu.Lock()
	for _, k := range s.keepers {
		k.stop()
	}
	s.mu.Unlock()
	s.Finder.Close()
	s.whip.close()
	for _, l := range []io.Closer{s.links, s.packets, s.srt} {
		if l != nil {
			l.Close()
		}
	}
	for _, ln := range []net.Listener{s.HTTP, s.RTMP, s.peercastAt, s.rtspAt, s.tvAt} {
		if ln != nil {
			ln.Close()
		}
	}
	if s.ops != nil {
		s.ops.close()
	}
}

// Encoder is what a source's input is doing.
type Encoder struct {
	Live    bool              // media come in
	Dropped map[string]uint64 // tags that were left out, by what was wrong with them
	AACOf   string            // the codec of which ffmpeg makes AAC; "" for none
}

// Show makes a channel watchable at the station's HTTP address. At a source, encoder tells of
// its input; elsewhere it is nil.
func (s *Station) Show(c *relay.Channel, encoder func() Encoder) {
	pc := playback.NewChannel(c.ID(), c.Ring(), func() api.Facts { return factsOf(c, encoder) })
	if c.Private() {
		pc.Private(c.CanRead())
		if !c.CanRead() {
			pc.Carries(func() stream.Stats { st, _ := c.Status(); return st.Ring })
		}
	}
	k := s.keep(c, pc)
	least := 0
	if s.cfg.Watches {
		least = 1
	}
	c.CountWatching(func() int { return max(pc.Viewers(), least) })
	s.ops.carry(c, pc, encoder)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = append(s.channels, pc)
	s.peercast.Tell(c)
	s.tellRTSP(c)
	s.tellSRT(c)
	if k != nil {
		if s.keepers == nil {
			s.keepers = make(map[stream.ChannelID]*keeper)
		}
		s.keepers[c.ID()] = k
	}
}

// Hide removes a closed channel from the station's HTTP address.
func (s *Station) Hide(c *relay.Channel) {
	s.ops.drop(c)
	s.mu.Lock()
	k := s.keepers[c.ID()]
	s.mu.Unlock()
	k.stop() // another one of the same channel begins where this has ended
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keepers, c.ID())
	s.channels = slices.DeleteFunc(s.channels, func(pc *playback.Channel) bool { return pc.ID() == c.ID() })
	delete(s.hosts, c.ID())
}

func (s *Station) shown() []*playback.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.channels)
}

// URL returns the address at which a player on this machine plays the channel.
func (s *Station) URL(c *relay.Channel) string {
	return "http://" + LocalAddr(s.HTTP) + "/" + c.ID().Short() + ".flv"
}

// BroadcastPage returns where a browser on this machine broadcasts the channel; "" if nowhere. Elsewhere than on a
// machine's own address browsers film only for pages with https.
func (s *Station) BroadcastPage() string {
	at := LocalAddr(s.HTTP)
	if a, err := netip.ParseAddrPort(at); s.cfg.Broadcast == nil || err != nil || !a.Addr().IsLoopback() {
		return ""
	}
	return "http://" + at + playback.BroadcastPath
}

// LocalAddr returns a listener's address in a form that this machine itself can connect to.
func LocalAddr(ln net.Listener) string {
	a := ln.Addr().(*net.TCPAddr).AddrPort()
	if a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()).String()
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}

// Local reports whether the node listens on all addresses, and no other machine can reach it
// all the same now.
func (s *Station) Local() bool { return s.anywhere && len(s.cfg.Advertise) == 0 && !s.onNetwork() }

// onNetwork reports whether the node has an address that means something on other machines.
func (s *Station) onNetwork() bool {
	return slices.ContainsFunc(s.Node.Addrs(), func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// Reachable reports whether others can be given a link to the node now.
func (s *Station) Reachable() bool { return len(s.Node.Addrs()) > 0 && !s.Local() }

// Port is the one on which the node listens for links; 0 if it does not.
func (s *Station) Port() uint16 { return s.reach.At.Port() }

// Discoverable reports whether relays on this network find the channels without an invite now.
func (s *Station) Discoverable() bool { return s.responder != nil && s.onNetwork() }

// Invite returns the invite to the channel: the node's own addresses as they are now, then
// the further ones.
func (s *Station) Invite(c *relay.Channel, more ...relay.HostPort) relay.Invite {
	return c.Invite(append(slices.Clone(s.cfg.Via), s.reach.Hosts(s.Node.Addrs())...)).With(more...)
}

// Helpers are the flags by which sources name this node as their helper, for each address.
func (s *Station) Helpers() []string {
	var all []string
	hosts := slices.Clone(s.reach.Hosts(s.Node.Addrs()))
	slices.SortStableFunc(hosts, func(a, b relay.HostPort) int { return ipv6(a) - ipv6(b) }) // fewer homes have it
	for _, at := range hosts {
		via := "--via " + relay.Helper{HostPort: at, ID: s.Node.ID()}.String()
		if !s.cfg.Brought.Token.IsZero() {
			via += " --token SECRET" // which is not shown
		}
		all = append(all, via)
	}
	return all
}

// ipv6 is 1 for an address of that family.
func ipv6(h relay.HostPort) int {
	if ip, err := netip.ParseAddr(h.Host); err == nil && ip.Is6() {
		return 1
	}
	return 0
}

// Link returns Invite as text, for people to share. It has the secret of a private channel.
func (s *Station) Link(c *relay.Channel, more ...relay.HostPort) string {
	return s.Invite(c, more...).Link()
}

// Run serves until ctx ends; the group's other members end it too.
func (s *Station) Run(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return s.Node.Run(ctx) })
	g.Go(func() error { s.reach.Follow(ctx, s.Node); return nil })
	if s.mapper != nil {
		g.Go(func() error { return s.mapper.Run(ctx) })
	}
	g.Go(func() error { return s.players.Run(ctx, s.HTTP) })
	if s.follows != nil {
		g.Go(func() error { s.follows.Run(ctx); return nil })
	}
	s.runPeerCast(ctx, g)
	s.runTV(ctx, g)
	s.runRTSP(ctx, g)
	s.runSRT(ctx, g)
	s.runWHIP(ctx, g)
	lean.Collect()
	g.Go(func() error { s.ops.lean(ctx, s.Node); return nil })
	if s.responder != nil {
		g.Go(func() error { s.answer(ctx); return nil })
	}
	s.ops.run(ctx, g, s)
}

func (s *Station) describe() api.Node {
	return api.Node{ID: s.Node.ID().String(), Version: s.cfg.Version, UptimeS: int64(time.Since(s.start).Seconds()), PortMapping: s.portMapping()}
}

// factsOf returns what the node knows of a channel. encoder is that of Show.
func factsOf(c *relay.Channel, encoder func() Encoder) api.Facts {
	st, ok := c.Status()
	if encoder == nil {
		return FactsFrom(st, ok, nil)
	}
	e := encoder()
	return FactsFrom(st, ok, &e)
}

// SituationOf is what a viewer sees of a channel of which this node is not the source.
func SituationOf(c *relay.Channel, now time.Time) api.Situation {
	return api.SituationOf(factsOf(c, nil), now)
}

// FactsFrom turns a channel's status into the API's form. ok is false if the channel has been
// closed here, and e is what the input does at a source.
func FactsFrom(st relay.Status, ok bool, e *Encoder) api.Facts {
	f := api.Facts{
		Closed: !ok, Idle: e != nil && !e.Live, Attached: st.Tree.Attached, Turned: st.Tree.Turned, Answers: api.Answers(st.Answers),
		Begun: st.RootSeq > 0 || st.Ring.Head.Seq > 0, Missing: st.Missing, Came: st.Ring.Came, Quiet: st.Quiet,
		Root: st.Tree.Root, Depth: st.Tree.Depth, Slots: st.Tree.Slots, Delay: st.Delay, Sent: st.Sent,
		CallsRefused: st.CallsRefused, LeftPeers: st.Left,
	}
	if e != nil {
		f.DroppedTags, f.AACOf = e.Dropped, e.AACOf
	}
	if st.Trial.Reach != tree.Untried {
		f.Reach, f.ReachAddr = reachOf(st.Reach), st.Trial.Addr.String()
	}
	for _, t := range st.Trials {
		r := api.Reached{Family: "IPv6", Reach: reachOf(t.Reach), Addr: t.Addr.String()}
		if t.Addr.Addr().Unmap().Is4() {
			r.Family = "IPv4"
		}
		f.Reached = append(f.Reached, r)
	}
	if !ok {
		return f
	}
	f.Name = st.Name
	if st.Watching >= 0 {
		f.Watching = &st.Watching
	}
	for _, p := range st.Tree.Path {
		f.Path = append(f.Path, p.ID.String())
	}
	f.Path = append(f.Path, st.Tree.ID.String())
	if p := st.Tree.Parent; !p.ID.IsZero() {
		f.Parent = &api.Peer{ID: p.ID.String(), Name: st.ParentName, AtHome: st.ParentHome, Addr: words.FirstAddr(p), Near: st.Near}
		f.ParentTag = p.ID.Tag()
	}
	for _, ch := range st.Tree.Children {
		l := st.Links[ch.Link]
		f.Children = append(f.Children, api.Child{
			Peer: api.Peer{ID: ch.Place.ID.String(), Name: l.Name, Addr: words.FirstAddr(ch.Place), Near: l.Near}, Reach: reachOf(ch.Reach), Missed: l.Missed, Moves: l.Moves,
		})
	}
	return f
}

// reachOf is a reach as the API has it.
func reachOf(r tree.Reach) string {
	switch r {
	case tree.Open:
		return api.ReachOpen
	case tree.Closed:
		return api.ReachClosed
	case tree.Punchable:
		return api.ReachPunchable
	}
	return ""
}

// refusedElsewhere counts whom listeners other than that for players have turned away, as
// playback.Config has it.
func (s *Station) refusedElsewhere() map[string]map[refusal.Reason]uint64 {
	all := s.Node.Refused()
	if s.RTMP != nil {
		all["rtmp"] = s.RTMPRefused.All(rtmp.Refusals...)
	}
	if s.srt != nil {
		all["srt"] = s.srtRefused.All(srt.Refusals...)
	}
	if s.whip != nil {
		all["whip"] = s.whip.refused.All(whip.Refusals...)
	}
	if s.cfg.Broadcast != nil {
		all["browser"] = s.cfg.Broadcast.Refused()
	}
	if s.Finder != nil {
		all["dht"] = s.Finder.Refused()
	}
	if s.peercast != nil {
		all["peercast"] = s.peercast.Refused()
	}
	if s.rtsp != nil {
		all["rtsp"] = s.rtsp.Refused()
	}
	if pulled := s.PullRefused.All(); len(pulled) > 0 {
		all["peercast_pull"] = pulled
	}
	if s.tv != nil {
		all["tv"] = s.tv.Refused()
	}
	if s.responder != nil {
		all["discovery"] = s.responder.Refused.All()
	}
	return all
}

// Viewers counts the players at this station.
func (s *Station) Viewers() int {
	n := 0
	for _, c := range s.shown() {
		n += c.Viewers()
	}
	return n
}
