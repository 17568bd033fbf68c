// Package gateway serves a station's channels to PeerCast, and has a list of PeerCast's show them.
package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"relay/cli/fault"
	"relay/cli/words/onpeercast"
	"relay/playback"
	"relay/playback/pcpout"
	"relay/relay"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// Wish is what the user wants of PeerCast.
type Wish struct {
	On      bool
	List    string   // host:port of the list (YP) that shows the channels; "" for none
	Session pcp.ID   // of this process, whatever it does with PeerCast
	Says    pcp.Info // of all channels: genre, description, comment and URL
}

// Gateway is the server of one station.
type Gateway struct {
	*pcpout.Server
	wish  Wish
	shown func() []*playback.Channel
	at    func() (relay.HostPort, bool)
	say   func(format string, args ...any)
}

// New returns one for what is wanted. at is where others reach it, false if nowhere; say tells the user.
func New(w Wish, cfg pcpout.Config, at func() (relay.HostPort, bool), say func(format string, args ...any)) *Gateway {
	cfg.Session, cfg.Texts = w.Session, func(stream.ChannelID) pcp.Info { return w.Says }
	return &Gateway{pcpout.New(cfg), w, cfg.Channels, at, say}
}

// Run serves until ctx ends.
func (g *Gateway) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if g.wish.List != "" {
		wg.Go(func() { g.announce(ctx) })
	}
	g.Server.Run(ctx)
}

// Tell says how PeerCast opens a channel.
func (g *Gateway) Tell(c *relay.Channel) {
	if g == nil || c.Private() {
		return
	}
	if at, ok := g.at(); ok {
		g.say("%s", onpeercast.At(at.String(), pcp.ChannelID(c.ID()).String()))
	}
}

// NoPrivate says in words that a private channel is not served to PeerCast, if that is wanted.
func (w Wish) NoPrivate(private bool) error {
	if !w.On || !private {
		return nil
	}
	return &fault.Error{
		Err:  errors.New("this channel is private, and PeerCast would show it to everybody: nothing in it is sealed"),
		Hint: "leave --peercast out, or broadcast a channel that is not private", Code: fault.ExitUsage,
	}
}

const (
	// announceMost is how many channels are announced, and announceLook how often it is looked which.
	announceMost = 32
	announceLook = 2 * time.Second
)

// announce has the list show the station's channels until ctx ends.
func (g *Gateway) announce(ctx context.Context) {
	running := make(map[stream.ChannelID]context.CancelFunc)
	var wg sync.WaitGroup
	defer wg.Wait()
	look := time.NewTicker(announceLook)
	defer look.Stop()
	for {
		shown := make(map[stream.ChannelID]bool)
		for _, c := range g.shown() {
			at, ok := g.at()
			if a := c.About(); a.Private || !ok {
				continue
			}
			id, port := c.ID(), at.Port
			if shown[id] = true; running[id] != nil || len(running) >= announceMost {
				continue
			}
			one, stop := context.WithCancel(ctx)
			running[id] = stop
			wg.Go(func() { // ends with one
				g.Announce(one, pcpout.Announcement{List: g.wish.List, Channel: id, Port: port, Told: g.toldByList})
			})
		}
		for id, stop := range running {
			if !shown[id] {
				stop()
				delete(running, id)
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		}
	}
}

// toldByList tells the user what becomes of the announcement.
func (g *Gateway) toldByList(port uint16, err error) {
	list := g.wish.List
	_, broken := errors.AsType[*pcp.Error](err)
	switch {
	case errors.Is(err, pcpout.ErrNotOnAir):
	case errors.Is(err, pcpout.ErrListQuit):
		g.say("%s", onpeercast.ListQuit(list))
	case broken:
		g.say("%s", onpeercast.ListBroken(list))
	case err != nil:
		g.say("%s", onpeercast.ListAway(list, fault.Plain(err)))
	case port == 0:
		at, _ := g.at()
		g.say("%s", onpeercast.ListShut(list, at.Port))
	default:
		g.say("%s", onpeercast.Listed(list))
	}
}
