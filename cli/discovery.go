package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/hostnet"
)

// discoveryConfig is what the flags say about discovery.
type discoveryConfig struct {
	off        bool // nobody is asked or answered
	port       uint16
	interfaces []string // those to use; all if empty
}

func (d discoveryConfig) finder(log *zap.Logger) discovery.Finder {
	return discovery.Finder{Port: d.port, Interfaces: d.interfaces, Log: log}
}

const (
	// lookFor is how long channels are looked for before there are none.
	lookFor = 3 * time.Second
	// lookOn is how long others are waited for once a channel is found that will do:
	// two more queries, on a network where answers take milliseconds.
	lookOn = 100 * time.Millisecond
)

// look looks for channels until some are found that will do, and a little longer, or
// until patience or ctx ends.
func (d discoveryConfig) look(ctx context.Context, log *zap.Logger, patience time.Duration, do func(*catalog) bool) (*catalog, []discovery.Asked, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var cat catalog
	var settle *time.Timer
	asked, err := d.finder(log).Run(ctx, func(f discovery.Found) {
		cat.add(f)
		if settle == nil && do(&cat) {
			settle = time.AfterFunc(lookOn, cancel)
		}
	})
	if settle != nil {
		settle.Stop()
	}
	if err != nil {
		err = fault.Fail("", "cannot look for channels on this network: %w", hostnet.Bare(err))
	}
	return &cat, asked, err
}

// askedText says where was asked, and reports false if that was on this machine alone.
func askedText(asked []discovery.Asked) (string, bool) {
	var parts []string
	last := ""
	for _, a := range asked {
		if a.From.IsLoopback() {
			continue
		}
		if a.Interface == last {
			parts[len(parts)-1] += " and " + a.From.String()
			continue
		}
		last = a.Interface
		parts = append(parts, a.Interface+" from "+a.From.String())
	}
	return strings.Join(parts, ", on "), len(parts) > 0
}

// noneFound is the error of who has looked in vain.
func noneFound(asked []discovery.Asked) error {
	where, ok := askedText(asked)
	if !ok {
		return &fault.Error{
			Err:  errors.New("no channel was found: nobody could be asked but this machine itself, which has no other network now"),
			Hint: "connect it to the network of relay source; or start relay source here", Code: fault.ExitNobody,
		}
	}
	return &fault.Error{
		Err:  fmt.Errorf("no channel was found on this network (asked on %s)", where),
		Hint: "is relay source running, in the same network and without --no-discovery? From elsewhere give the link that it prints: relay watch LINK", Code: fault.ExitNobody,
	}
}

// channelsToTell is what the station's node carries, for those who look for it.
func (s *station) channelsToTell() []discovery.Channel {
	var all []discovery.Channel
	for _, c := range s.node.Channels() {
		st, ok := c.Status()
		if !ok {
			continue
		}
		d := discovery.Channel{ID: c.ID(), BitRate: st.Ring.BitRate, Source: st.Tree.Root}
		if h := c.Ring().Header(); h != nil {
			info := describe(h)
			if info.Unlisted {
				continue
			}
			d.Title = info.Title
		} else if d.Title = s.title; !d.Source {
			continue // it may be unlisted
		}
		d.State = discoveryState(factsFrom(st, ok, s.ops.encoder(c)), time.Now())
		if d.State != discovery.Live {
			d.BitRate = 0
		}
		all = append(all, d)
	}
	return all
}

// discoveryState is a channel's state for those who look for one to watch: a channel that
// has no way to its source is lost to them, and any other one that is not live waits.
func discoveryState(f api.Facts, now time.Time) discovery.State {
	switch {
	case !f.Root && !f.Attached:
		return discovery.Lost
	case api.StateOf(f, now) == api.Live:
		return discovery.Live
	}
	return discovery.Waiting
}

// answer lets those on this network find the station's channels, until ctx ends. That
// it cannot is no reason to end: they can still be given the link.
func (s *station) answer(ctx context.Context) {
	if err := s.responder.Run(ctx); err != nil && ctx.Err() == nil {
		s.t.Say("Others on this network cannot find the channel by themselves and need the link: %v", hostnet.Bare(err))
	}
}

// seedsOf parts addresses into those that a link can have and others.
func seedsOf(addrs []netip.AddrPort) (hosts []relay.HostPort, zoned []netip.AddrPort) {
	for _, a := range addrs {
		if a.Addr().Zone() != "" {
			zoned = append(zoned, a)
			continue
		}
		hosts = append(hosts, relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
	}
	return hosts, zoned
}
