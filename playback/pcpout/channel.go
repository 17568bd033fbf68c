package pcpout

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"relay/playback"
	"relay/playback/api"
	"relay/relay/hostnet"
	"relay/relay/pcp"
)

const (
	// mostHosts is how many peers are counted that are not connected here, for each channel; mostOf is how
	// many of them one peer may tell of.
	mostHosts, mostOf = 1024, 128
	// hostsFor is how long a peer is counted that nobody tells of again. They tell every 120 s.
	hostsFor = 5 * time.Minute
	// mostCounted bounds what one peer may say it serves.
	mostCounted = 10_000
	// refers is how many peers are named to one for whom there is no room.
	refers = 8
	// keptFor is how long a channel is remembered that no peer has.
	keptFor = time.Minute
)

// channel is one that peers have, or have asked for. It is safe for concurrent use.
type channel struct {
	id   pcp.ID
	of   *playback.Channel
	told atomic.Pointer[told]

	mu    sync.Mutex
	peers map[pcp.ID]*peer // by session
	hosts map[pcp.ID]*host // that peers tell of, by session
	used  time.Time        // when a peer came or went last
}

// peer is a PeerCast that is connected. Its fields but the last are the channel's, guarded by its mu.
type peer struct {
	addr    netip.Addr
	port    uint16 // that answered there; 0 for none
	host    pcp.Host
	said    bool // host has come
	tells   int  // of how many others
	end     context.CancelCauseFunc
	session pcp.ID // static
}

// host is a PeerCast that a peer tells of.
type host struct {
	by        *peer
	listeners uint32
	heard     time.Time
}

func newChannel(id pcp.ID, of *playback.Channel, a api.Channel, texts pcp.Info) *channel {
	c := &channel{id: id, of: of, peers: make(map[pcp.ID]*peer), hosts: make(map[pcp.ID]*host), used: time.Now()}
	c.describe(a, texts)
	return c
}

// describe notes what there is to say. A bit rate that is about the same stays: it is new each second.
func (c *channel) describe(a api.Channel, texts pcp.Info) {
	now := told{info: texts, track: pcp.Track{Title: a.Title}}
	now.info.Name = cmp.Or(a.Title, a.Name)
	now.info.Type, now.info.MIME, now.info.Extension = "FLV", "video/x-flv", ".flv"
	now.info.Bitrate = uint32(a.BitRate / 1000)
	was := c.told.Load()
	if was != nil && now.info.Bitrate < was.info.Bitrate+was.info.Bitrate/4+1 && now.info.Bitrate+now.info.Bitrate/3 >= was.info.Bitrate {
		now.info.Bitrate = was.info.Bitrate
	}
	if was == nil || *was != now {
		c.told.Store(&now)
	}
}

// idle reports whether no peer has had the channel for some time.
func (c *channel) idle(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.peers) == 0 && now.Sub(c.used) > keptFor
}

// add takes a peer in. One of the same session has come again, and its old connection ends.
func (c *channel) add(p *peer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.peers[p.session]; old != nil {
		c.drop(old)
		old.end(&turnedAway{quit: pcp.QuitAlready})
	}
	c.peers[p.session], c.used = p, time.Now()
}

func (c *channel) remove(p *peer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(p)
	c.used = time.Now()
}

// drop forgets a peer and whom it has told of. It is called with mu held.
func (c *channel) drop(p *peer) {
	if c.peers[p.session] == p {
		delete(c.peers, p.session)
	}
	for id, h := range c.hosts {
		if h.by == p {
			delete(c.hosts, id)
		}
	}
}

// end ends all peers' connections.
func (c *channel) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		p.end(why)
	}
}

// reached notes at which port a peer answers.
func (c *channel) reached(p *peer, port uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.port = port
}

// heard notes what a peer says about itself, or about another one. It reports false if that is not
// counted.
func (c *channel) heard(p *peer, h pcp.Host, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.Listeners, h.Relays = min(h.Listeners, mostCounted), min(h.Relays, mostCounted)
	if h.Session == p.session {
		p.host, p.said = h, true
		return true
	}
	old := c.hosts[h.Session]
	switch {
	case h.Session == pcp.ID{}:
		return false
	case c.peers[h.Session] != nil: // it is connected itself, and speaks for itself
		return true
	case old != nil && old.by != p:
		return true // the first to tell of it does
	case h.Flags&pcp.Receiving == 0:
		if old != nil {
			p.tells--
			delete(c.hosts, h.Session)
		}
		return true
	case old == nil && (len(c.hosts) >= mostHosts || p.tells >= mostOf):
		return false
	case old == nil:
		p.tells++
	}
	c.hosts[h.Session] = &host{by: p, listeners: h.Listeners, heard: now}
	return true
}

// forget forgets those of whom nobody has told for long.
func (c *channel) forget(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, h := range c.hosts {
		if now.Sub(h.heard) > hostsFor {
			h.by.tells--
			delete(c.hosts, id)
		}
	}
}

// count sums up the peers.
func (c *channel) count() (n api.PeerCast) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.Connected, n.Behind = len(c.peers), len(c.hosts)
	for _, p := range c.peers {
		n.Listeners += int(p.host.Listeners)
	}
	for _, h := range c.hosts {
		n.Listeners += int(h.listeners)
	}
	return n
}

// others returns peers to whom an asker for whom there is no room may go: which have said that they receive
// the channel and have room, and which have answered where they are named. An address that means something in one
// network alone is named only to who is in such a network, too.
func (c *channel) others(asker netip.Addr, session pcp.ID) []pcp.Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []pcp.Host
	for _, p := range c.peers {
		want := byte(pcp.Receiving | pcp.RelayFree)
		if p.session == session || !p.said || p.port == 0 || p.host.Flags&(want|pcp.Firewalled) != want || !reaches(asker, p.addr) {
			continue
		}
		h := p.host
		h.Channel, h.Flags, h.Upstream = c.id, h.Flags&^pcp.Tracker, netip.AddrPort{}
		h.Global = netip.AddrPortFrom(p.addr, p.port) // not what it says
		h.Local = h.Global
		all = append(all, h)
	}
	slices.SortStableFunc(all, func(a, b pcp.Host) int { return slices.Compare(a.Session[:], b.Session[:]) })
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(len(all), refers)]
}

// reaches reports whether an address can mean the same machine to an asker: one of the Internet, or of the block in which the
// asker's own is.
func reaches(asker, to netip.Addr) bool {
	block, inside := hostnet.Inside(to)
	if !inside {
		return true
	}
	own, ok := hostnet.Inside(asker)
	return ok && own == block
}
