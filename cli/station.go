package cli

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/hostnet"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/tree"
)

// station is one relaying process as the commands assemble it: a node, its HTTP
// listener, and the channels on both.
type station struct {
	node     *relay.Node
	addrs    []netip.AddrPort // where others reach the node
	anywhere bool             // it listens on all addresses
	http     net.Listener
	start    time.Time
	log      *zap.Logger
	lan      bool // as in stationConfig
	// responder lets others on this network find the channels; nil for none.
	responder *discovery.Responder
	title     string // of the source's channel until there is a header; may be empty
	t         *term.Terminal
	ops       *operations
	players   *playback.Server // from run on
	rtmp      net.Listener     // that plays the channels; nil for none

	mu       sync.Mutex
	channels []*playback.Channel
	hosts    map[stream.ChannelID][]relay.HostPort // in the links by which channels were joined
}

// stationConfig is what the flags say about a station.
type stationConfig struct {
	listen, http port
	advertise    []netip.AddrPort
	slots        int // as in relay.Config
	upload       int
	alone        bool         // --no-relay: no listener, no children
	store        *store.Store // nil if the folder cannot be used
	allowHosts   []string
	lan          bool // players in this machine's own networks alone
	discovery    lan.Config
	ops          opsConfig
}

// newStation opens the listeners and makes the node. The key is the node's.
func newStation(t *term.Terminal, log *zap.Logger, cfg stationConfig, key ed25519.PrivateKey) (*station, error) {
	s := &station{start: time.Now(), log: log, lan: cfg.lan, t: t}
	nc := relay.Config{Key: key, Slots: cfg.slots, Upload: cfg.upload, Store: cfg.store, Version: Version, Log: log}
	if cfg.alone {
		nc.Slots = -1
	} else {
		ln, packet, err := cfg.listen.listenBoth(t)
		if err != nil {
			return nil, err
		}
		nc.Listener, nc.Packet = ln, packet
		s.anywhere = ln.Addr().(*net.TCPAddr).IP.IsUnspecified()
		for _, a := range append(cfg.advertise, hostnet.Reachable(ln.Addr().(*net.TCPAddr).AddrPort())...) {
			if !slices.Contains(s.addrs, a) && len(s.addrs) < tree.MaxAddrs {
				s.addrs = append(s.addrs, a)
			}
		}
		nc.Addrs = s.addrs
		if !cfg.discovery.Off {
			s.responder = &discovery.Responder{
				Link: ln.Addr().(*net.TCPAddr).AddrPort(), Channels: s.channelsToTell,
				Port: cfg.discovery.Port, Interfaces: cfg.discovery.Interfaces, Log: log,
			}
		}
	}
	var err error
	if s.http, err = cfg.http.listen(t); err != nil {
		closeLinks(nc)
		return nil, err
	}
	if s.ops, err = newOperations(t, cfg.ops); err != nil {
		closeLinks(nc)
		s.http.Close()
		return nil, err
	}
	nc.Notices = s.ops.notice
	if s.node, err = relay.New(nc); err != nil {
		closeLinks(nc)
		s.http.Close()
		s.ops.close()
		return nil, err
	}
	return s, nil
}

func closeLinks(c relay.Config) {
	if c.Listener != nil {
		c.Listener.Close()
	}
	if c.Packet != nil {
		c.Packet.Close()
	}
}

// show makes a channel watchable at the station's HTTP address. live, which may be
// nil, says whether media is coming in at the root.
func (s *station) show(c *relay.Channel, live func() bool) {
	pc := playback.NewChannel(c.ID(), c.Ring(), func() api.Facts { return factsOf(c, live) })
	s.ops.carry(c, pc, live)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = append(s.channels, pc)
}

// hide takes a channel that is closed from the station's HTTP address.
func (s *station) hide(c *relay.Channel) {
	s.ops.drop(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = slices.DeleteFunc(s.channels, func(pc *playback.Channel) bool { return pc.ID() == c.ID() })
	delete(s.hosts, c.ID())
}

func (s *station) shown() []*playback.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.channels)
}

// url is where a player on this machine finds the channel.
func (s *station) url(c *relay.Channel) string {
	return "http://" + localAddr(s.http) + "/" + c.ID().Short() + ".flv"
}

// localAddr is a listener's address as this machine itself can use it.
func localAddr(ln net.Listener) string {
	a := ln.Addr().(*net.TCPAddr).AddrPort()
	if a.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()).String()
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}

// local reports whether nobody outside this machine can reach the node, though it
// was not asked to listen here alone.
func (s *station) local() bool {
	return s.anywhere && !slices.ContainsFunc(s.addrs, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// discoverable reports whether others on this network find the channels by themselves.
func (s *station) discoverable() bool {
	return s.responder != nil && slices.ContainsFunc(s.addrs, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// link is what to share for the channel, with further addresses behind the node's own.
func (s *station) link(c *relay.Channel, more ...relay.HostPort) string {
	u := relay.Invite{Channel: c.ID()}
	for _, a := range s.addrs {
		u.Hosts = append(u.Hosts, relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
	}
	return u.With(more...).String()
}

// run serves until ctx ends; the group's other members end it too.
func (s *station) run(ctx context.Context, g *errgroup.Group, allowHosts []string) {
	pc := playback.Config{
		Channels:   s.shown,
		Node:       s.describe,
		Survey:     s.survey,
		Share:      s.share,
		RTMP:       s.rtmpAt,
		AllowHosts: allowHosts,
		Events:     s.ops.events,
		Log:        s.log,
	}
	if s.lan {
		pc.Near = s.node.Near
	}
	srv := playback.NewServer(pc)
	s.players = srv
	g.Go(func() error { return s.node.Run(ctx) })
	g.Go(func() error { return srv.Run(ctx, s.http) })
	if s.responder != nil {
		g.Go(func() error { s.answer(ctx); return nil })
	}
	s.ops.run(ctx, g, s, srv, allowHosts)
}

func (s *station) describe() api.Node {
	return api.Node{ID: s.node.ID().String(), Version: Version, UptimeS: int64(time.Since(s.start).Seconds())}
}

// factsOf is what the node knows of a channel; live is as for show.
func factsOf(c *relay.Channel, live func() bool) api.Facts {
	st, ok := c.Status()
	return factsFrom(st, ok, live)
}

// factsFrom says in the API's words what the node knows; ok is false if the channel has
// been closed here.
func factsFrom(st relay.Status, ok bool, live func() bool) api.Facts {
	f := api.Facts{
		Closed: !ok, Idle: live != nil && !live(), Attached: st.Tree.Attached, Came: st.Ring.Came, Quiet: st.Quiet,
		Root: st.Tree.Root, Depth: st.Tree.Depth, Slots: st.Tree.Slots, Delay: st.Delay, Sent: st.Sent,
	}
	if !ok {
		return f
	}
	for _, p := range st.Tree.Path {
		f.Path = append(f.Path, p.ID.String())
	}
	f.Path = append(f.Path, st.Tree.ID.String())
	if p := st.Tree.Parent; !p.ID.IsZero() {
		f.Parent = &api.Peer{ID: p.ID.String(), Addr: words.FirstAddr(p), Near: st.Near}
		f.ParentTag = p.ID.Tag()
	}
	for _, ch := range st.Tree.Children {
		l := st.Links[ch.Link]
		f.Children = append(f.Children, api.Child{
			Peer: api.Peer{ID: ch.Place.ID.String(), Addr: words.FirstAddr(ch.Place), Near: l.Near}, Missed: l.Missed, Moves: l.Moves,
		})
	}
	return f
}

// nodeKey returns the user's node key, or one for this run alone when another
// process has it or the folder cannot be used (folderErr, of which the caller tells): a
// watcher needs no lasting name.
func nodeKey(folder *store.Store, folderErr error, log *zap.Logger) (ed25519.PrivateKey, func(), error) {
	if folderErr == nil {
		k, err := folder.NodeKey()
		if err == nil {
			return k.PrivateKey, func() { k.Close() }, nil
		}
		if !errors.Is(err, store.ErrInUse) {
			log.Warn("no lasting node key", zap.Error(err))
		}
	}
	_, key, err := ed25519.GenerateKey(nil)
	return key, func() {}, err
}

// viewers counts the players at this station.
func (s *station) viewers() int {
	n := 0
	for _, c := range s.shown() {
		n += c.Viewers()
	}
	return n
}
