package pcptest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// YP is a model of an index of channels, to which their broadcasters announce them. It tries their ports as a peer does.
type YP struct {
	Peer  *Peer
	Every uint32 // seconds between announcements, as it asks for; 0 for nothing that it asks for

	mu      sync.Mutex
	heard   []Announcement
	changed chan struct{} // an entry is wanted at once
}

// Announcement is an entry that has come.
type Announcement struct {
	At   time.Time
	Said Atom
}

// NewYP returns a model. session tells it apart from others.
func NewYP(session byte, every uint32) *YP {
	return &YP{Peer: New(YT, session, netip.AddrPort{}, 0), Every: every, changed: make(chan struct{}, 1)}
}

// Heard returns the entries that have come.
func (y *YP) Heard() []Announcement {
	y.mu.Lock()
	defer y.mu.Unlock()
	return append([]Announcement(nil), y.heard...)
}

// Update has the announcer send its entry at once.
func (y *YP) Update() { y.changed <- struct{}{} }

// Serve takes announcers on a listener, one at a time, until ctx ends.
func (y *YP) Serve(ctx context.Context, ln net.Listener) {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		y.Peer.log("announcer %v: %v", conn.RemoteAddr(), y.take(ctx, conn))
		stop()
		conn.Close()
	}
}

func (y *YP) take(ctx context.Context, conn net.Conn) error {
	r := bufio.NewReader(conn)
	conn.SetDeadline(time.Now().Add(handshakeTime))
	for _, want := range []string{"pcp\n", "helo"} {
		a, err := y.Peer.readStrict(r)
		if err != nil {
			return err
		}
		if a.Name != want {
			return fmt.Errorf("%q and no %q", a.Name, want)
		}
		if want != "helo" {
			continue
		}
		port := uint16(0)
		if ping := uint16(a.number("ping")); ping != 0 && y.Peer.test(ctx, conn, ping, a.id("sid")) {
			port = ping
		}
		answer := y.Peer.oleh(conn, port).Bytes()
		if y.Every > 0 {
			answer = append(answer, Of("root", Int("uint", y.Every)).Bytes()...)
		}
		if _, err := conn.Write(answer); err != nil {
			return err
		}
	}
	conn.SetDeadline(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	var wanting sync.WaitGroup
	defer wanting.Wait()
	defer cancel()
	wanting.Go(func() { // ends with ctx
		for {
			select {
			case <-y.changed:
				conn.Write(Of("root", Of("upd")).Bytes())
			case <-ctx.Done():
				return
			}
		}
	})
	for {
		a, err := y.Peer.readStrict(r)
		if err != nil {
			return err
		}
		switch a.Name {
		case "bcst":
			y.mu.Lock()
			y.heard = append(y.heard, Announcement{time.Now(), a})
			y.mu.Unlock()
		case "quit":
			return fmt.Errorf("quit %d", a.value())
		}
	}
}
