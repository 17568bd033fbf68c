package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// meteredConn counts what is sent before the other side has said anything.
type meteredConn struct {
	net.Conn
	heard  atomic.Bool
	before *atomic.Int64
}

func (c *meteredConn) Write(b []byte) (int, error) {
	if !c.heard.Load() {
		c.before.Add(int64(len(b)))
	}
	return c.Conn.Write(b)
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

func TestAStrangerLearnsWhetherANodeCarriesAChannel(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		there := w.add(option{slots: 1})
		w.within(10*time.Second, "it is attached", w.attached)
		var before atomic.Int64
		asker, err := New(Config{Key: w.key(), Slots: -1, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := there.dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: conn, before: &before}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		source := w.root.place.Addrs[0]
		if err := asker.Carries(t.Context(), w.root.ID(), source); err != nil {
			t.Errorf("the source: %v", err)
		}
		if n := before.Load(); n == 0 || n > MostUnanswered {
			t.Errorf("%d bytes are sent to who has not answered, of %d", n, MostUnanswered)
		}
		if err := asker.Carries(t.Context(), stream.ChannelID{1}, source); !errors.Is(err, tree.ReasonChannel) {
			t.Errorf("another channel: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := asker.Carries(ctx, w.root.ID(), netip.AddrPortFrom(source.Addr(), worldPort+1)); err == nil {
			t.Error("where nobody listens")
		}
	})
}
