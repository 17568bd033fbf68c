//go:build e2e && linux

package main

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay"
	"relay/relay/stream"
)

func TestChildrenCheckWhatTheyGet(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	node, err := relay.New(relay.Config{Key: key, Listener: ln, Addrs: []netip.AddrPort{at}, Slots: 3})
	if err != nil {
		t.Fatal(err)
	}
	channel, w, err := node.Source(key, stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
	if err != nil {
		t.Fatal(err)
	}
	h := publishedTags(t, 300)
	if err := w.SetHeader(h.clip.head()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a, err := openAudience(h, 1)
	if err != nil {
		t.Fatal(err)
	}
	a.alone.Go(func() { _ = node.Run(ctx) })
	a.alone.Go(func() { _ = channel.Run(ctx) })
	write := func(tags []flv.Tag) {
		for _, tag := range tags {
			f := stream.EndsChunk
			if flv.Classify(tag).Key {
				f |= stream.StartHere
			}
			if err := w.WriteTag(tag, f); err != nil {
				t.Error(err)
			}
		}
	}
	write(tagsFrom(h, 0)[:100])
	inv := relay.Invite{Channel: channel.ID(), Hosts: []relay.HostPort{{Host: at.Addr().String(), Port: at.Port()}}}
	if err := a.attach(ctx, 3, children(inv.String())); err != nil {
		t.Error(err)
	}
	if err := wait(ctx, joinTime, func() bool { return a.begun() == 3 }); err != nil {
		t.Errorf("%d children have a tag: %v, %v", a.begun(), err, a.failure())
	}
	rest := tagsFrom(h, 100)
	write(append(rest[:50:50], rest[51:]...)) // one is not sent
	if err := wait(ctx, drainTime, func() bool { return a.has(300) }); err != nil {
		t.Error(err)
	}
	cancel()
	if got, want := a.verdict(99, 300), (flaws{lost: 3}); got != want || a.failure() != nil {
		t.Errorf("%v, want %v; %v", got, want, a.failure())
	}
	a.close()
}
