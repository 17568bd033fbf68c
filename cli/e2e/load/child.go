//go:build e2e && linux

package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"relay/relay"
	"relay/relay/stream"
)

// maxBeside is how many children a source takes here, as many as it can be told to.
const maxBeside = 1000

// children are nodes that take the stream over links, and pass it on to nobody: real ones, in
// this process, each at a loopback address of its own, as a node lets in five a second from one.
// A tag counts as arrived when a cursor on the node's ring has its last byte: received over TLS,
// verified, and stored.
func children(invite string) visit {
	return func(ctx context.Context, a *audience, number int) error {
		inv, err := relay.ParseInvite(invite)
		if err != nil {
			return err
		}
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return err
		}
		from := net.TCPAddr{IP: net.IPv4(127, 1, byte(number>>8), byte(number))}
		node, err := relay.New(relay.Config{
			Key: key, Slots: -1, Dial: (&net.Dialer{LocalAddr: &from}).DialContext,
			Near: func(netip.Addr) bool { return true },
		})
		if err != nil {
			return err
		}
		channel, err := node.Watch(inv, nil)
		if err != nil {
			return err
		}
		c := &check{sent: a.sent}
		k := &child{ring: channel.Ring(), crowd: a.any(), as: &viewer{fd: -1, check: c, parse: &flvParser{check: c}}}
		if err := k.crowd.add(k.as); err != nil {
			return err
		}
		for _, run := range []func(context.Context) error{node.Run, channel.Run, k.read} {
			a.alone.Go(func() { // ends with ctx
				if err := run(ctx); ctx.Err() == nil {
					k.crowd.call(func() { k.crowd.end(k.as, fmt.Errorf("a child: %w", err)) })
				}
			})
		}
		return nil
	}
}

// child is one node, seen from its ring.
type child struct {
	ring  *stream.Ring
	crowd *crowd
	as    *viewer
}

var errMissed = errors.New("chunks are missing")

// read takes chunks until ctx ends.
func (k *child) read(ctx context.Context) error {
	cursor, header := k.ring.Cursor(), (*stream.Header)(nil)
	for {
		item, err := cursor.Next(ctx)
		if err != nil {
			return err
		}
		at := now()
		switch {
		case header == nil:
			k.crowd.fed(k.as, item.Header.Payload(), at)
			header = item.Header
		case item.Jump || item.Header != header:
			return fmt.Errorf("%d %w, or there is another header", item.Missed, errMissed)
		}
		k.crowd.fed(k.as, item.Chunk.Payload(), at)
	}
}
