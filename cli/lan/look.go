// Package lan looks for channels on this machine's networks, and finds the one that a person
// means by a title or an ID, or asks which one it is.
package lan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/relay"
	"relay/relay/discovery"
)

// Config says how to look for channels and how to announce them.
type Config struct {
	Off        bool // nobody is asked or answered
	Port       uint16
	Interfaces []string // the interfaces to use; all if empty
}

// Finder looks for channels as the configuration says.
func (d Config) Finder(log *zap.Logger) discovery.Finder {
	return discovery.Finder{Port: d.Port, Interfaces: d.Interfaces, Log: log}
}

const (
	// lookFor is how long a search lasts before it reports that there are no channels.
	lookFor = 3 * time.Second
	// lookOn is how long a search goes on for other channels once a suitable one is found: two
	// more queries, on a network where answers take milliseconds.
	lookOn = 100 * time.Millisecond
	// lookStep is a part of lookOn. A machine that stands still for a while stands still for one of
	// them, and asks again before the search ends.
	lookStep = lookOn / 10
)

// Look looks for channels until it has found suitable ones, and lookOn longer, or until
// patience or ctx ends.
func (d Config) Look(ctx context.Context, log *zap.Logger, patience time.Duration, do func(*Catalog) bool) (*Catalog, []discovery.Asked, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var cat Catalog
	var settling bool
	asked, err := d.Finder(log).Run(ctx, func(f discovery.Found) {
		cat.Add(f)
		if !settling && do(&cat) {
			settling = true
			go settle(ctx, cancel)
		}
	})
	if err != nil {
		err = fault.Fail("", "cannot look for channels on this network: %w", err)
	}
	return &cat, asked, err
}

// settle ends a search once it has gone on for lookOn, unless that has ended before.
func settle(ctx context.Context, end context.CancelFunc) {
	for range lookOn / lookStep {
		select {
		case <-time.After(lookStep):
		case <-ctx.Done():
			return
		}
	}
	end()
}

// AskedText says on which interfaces the search asked, and from which of their addresses, as in "eth0 (192.168.1.5,
// fe80::1), wlan0 (10.0.0.5)". It reports false if it asked only on this machine.
func AskedText(asked []discovery.Asked) (string, bool) {
	var parts []string
	last := ""
	for _, a := range asked {
		switch {
		case a.From.IsLoopback():
			continue
		case a.Interface == last:
			parts[len(parts)-1] += ", " + a.From.String()
		default:
			parts = append(parts, a.Interface+" ("+a.From.String())
		}
		last = a.Interface
	}
	if len(parts) == 0 {
		return "", false
	}
	return strings.Join(parts, "), ") + ")", true
}

// NoneFound returns the error for a search that has found nothing.
func NoneFound(asked []discovery.Asked) error {
	where, ok := AskedText(asked)
	if !ok {
		return &fault.Error{
			Err:  errors.New("no channel was found: nobody could be asked but this machine itself, which has no other network now"),
			Hint: "connect it to the network of relay source; or start relay source here", Code: fault.ExitNobody,
		}
	}
	return &fault.Error{
		Err:  fmt.Errorf("no channel was found on this network (asked on %s)", where),
		Hint: "is relay source running, in the same network and without --no-discovery or --private? Otherwise give the link that it prints: relay watch LINK", Code: fault.ExitNobody,
	}
}

// Seeds separates the addresses that an invite can hold from the others.
func Seeds(addrs []netip.AddrPort) (hosts []relay.HostPort, zoned []netip.AddrPort) {
	for _, a := range addrs {
		if a.Addr().Zone() != "" {
			zoned = append(zoned, a)
			continue
		}
		hosts = append(hosts, relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
	}
	return hosts, zoned
}
