package relay

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/relaytest"
	"relay/relay/stream"
	"relay/tree"
)

// openHelper is a helper that was given no channel.
type openHelper struct {
	*Node
	place tree.Place
	host  *relaytest.Host
}

func (h *openHelper) with(t Token) Helper {
	return Helper{HostPort: hostPort(h.place), ID: h.ID(), Token: t}
}

// addHelper starts one, until the test ends the function that is returned.
func (w *world) addHelper(change func(*Config)) (*openHelper, func()) {
	w.t.Helper()
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(1 + w.rand.IntN(200))}), worldPort)
	host := w.net.Host(addr.Addr())
	ln, err := host.Listen(worldPort)
	if err != nil {
		w.t.Fatal(err)
	}
	packet, err := host.ListenPacket(worldPort)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := Config{
		Key: w.key(), Slots: 8, Helper: true, Listener: ln, Packet: packet, Addrs: []netip.AddrPort{addr},
		Near: func(netip.Addr) bool { return false },
		Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
			if w.isWalled(to) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return host.Dial(ctx, network, to)
		},
	}
	change(&cfg)
	n, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	return &openHelper{n, tree.Place{ID: n.ID(), Addrs: cfg.Addrs}, host}, func() { cancel(); running.Wait() }
}

// offersTo has a source offer its channel until the function that is returned is called, which also
// returns why it was refused, each reason once for each time in a row.
func offersTo(c *Channel, h Helper) (stop func() []error) {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	var why []error
	var offering sync.WaitGroup
	offering.Go(func() {
		c.Offer(ctx, h, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if len(why) == 0 || why[len(why)-1].Error() != err.Error() {
				why = append(why, err)
			}
		})
	})
	return func() []error { cancel(); offering.Wait(); return why }
}

func wantReasons(t *testing.T, got []error, want ...tree.Reason) {
	t.Helper()
	for i, err := range got {
		if len(got) != len(want) || err != error(want[i]) {
			break
		}
		if i == len(want)-1 {
			return
		}
	}
	if len(got) != 0 || len(want) != 0 {
		t.Errorf("refused because of %v, want %v", got, want)
	}
}

// walledWorld is a world whose source nobody can dial.
func walledWorld(t *testing.T, f func(t *testing.T, w *world)) {
	inside(t, 2, &world{far: true}, func(t *testing.T, w *world) {
		w.walls.Store(w.root.place.Addrs[0].String(), true)
		f(t, w)
	})
}

// until waits until it is so.
func (w *world) until(most time.Duration, what string, is func() bool) {
	w.t.Helper()
	for begin := time.Now(); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > most {
			w.t.Fatalf("%s: not so within %v", what, most)
		}
	}
}

func TestASourceWithTheTokenBringsItsChannel(t *testing.T) {
	walledWorld(t, func(t *testing.T, w *world) {
		token := mustToken(t, "open-sesame")
		h, end := w.addHelper(func(c *Config) { c.Brought.Token = token })
		defer end()
		stop := offersTo(w.root.Channel, h.with(token))
		w.until(5*time.Second, "the helper has the channel", func() bool { return h.Channel(w.root.ID()) != nil })
		for range 3 {
			w.add(option{slots: 4, hosts: []HostPort{hostPort(h.place)}})
		}
		w.within(10*time.Second, "all play", w.plays)
		w.wantWhole()

		// While somebody is below it is kept without its source.
		wantReasons(t, stop())
		w.root.kill()
		time.Sleep(broughtGone + time.Minute)
		if h.Channel(w.root.ID()) == nil {
			t.Fatal("a channel with viewers is dropped")
		}
		for _, n := range w.all[1:] {
			n.cancel()
		}
		w.until(time.Minute, "it is dropped", func() bool { return h.Channel(w.root.ID()) == nil })
	})
}

func TestAChannelWhoseSourceIsGoneIsDroppedInTime(t *testing.T) {
	walledWorld(t, func(t *testing.T, w *world) {
		token := mustToken(t, "open-sesame")
		h, end := w.addHelper(func(c *Config) { c.Brought = Brought{Token: token, Most: 1} })
		defer end()
		second, endSecond := w.secondSource()
		defer endSecond()
		stop := offersTo(w.root.Channel, h.with(token))
		w.until(5*time.Second, "the helper has the channel", func() bool { return h.Channel(w.root.ID()) != nil })
		later := offersTo(second, h.with(token))
		time.Sleep(broughtGone + time.Minute) // it plays for longer
		if h.Channel(w.root.ID()) == nil || h.Channel(second.ID()) != nil {
			t.Fatal("the first was dropped, or another one taken")
		}
		wantReasons(t, stop())
		w.root.host.Cut(h.host)
		time.Sleep(broughtGone - 30*time.Second)
		if h.Channel(w.root.ID()) == nil {
			t.Fatal("dropped too soon")
		}
		w.until(2*time.Minute, "it is dropped, and the other has its place", func() bool {
			return h.Channel(w.root.ID()) == nil && h.Channel(second.ID()) != nil
		})
		wantReasons(t, later(), tree.ReasonFull)
	})
}

// secondSource starts another source, with a channel of its own, until the function that is returned
// is called.
func (w *world) secondSource() (*Channel, func()) {
	w.t.Helper()
	n, endNode := w.addHelper(func(c *Config) { c.Helper = false })
	c, wr, err := n.Source(w.key(), stream.Epoch{Ms: uint64(time.Now().UnixMilli())})
	if err == nil {
		err = wr.SetHeader([]byte("header"))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	return c, func() { cancel(); running.Wait(); endNode() }
}

func TestWhoDoesNotKnowTheTokenBringsNothing(t *testing.T) {
	walledWorld(t, func(t *testing.T, w *world) {
		token, wrong := mustToken(t, "open-sesame"), mustToken(t, "open-barley")
		h, end := w.addHelper(func(c *Config) { c.Brought.Token = token })
		defer end()
		shut, endShut := w.addHelper(func(*Config) {})
		defer endShut()
		for _, c := range []struct {
			to   Helper
			want tree.Reason
		}{{h.with(wrong), tree.ReasonToken}, {h.with(Token{}), tree.ReasonChannel}, {shut.with(token), tree.ReasonChannel}} {
			stop := offersTo(w.root.Channel, c.to)
			time.Sleep(4 * time.Minute)
			wantReasons(t, stop(), c.want) // a source that goes on is not taken for one that guesses
		}
		if len(h.Channels())+len(shut.Channels()) != 0 {
			t.Error("a channel is open")
		}

		// The proof that the source shows to this helper is of no use elsewhere.
		channel, source, from := w.root.ID(), w.root.node.ID(), netip.MustParseAddr("203.0.113.7")
		o := w.root.offerOf(h.ID(), token)
		other, endOther := w.addHelper(func(c *Config) { c.Brought.Token = token })
		defer endOther()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		elsewhere := o
		elsewhere.Channel = stream.ChannelID{1}
		for what, why := range map[string]tree.Reason{
			"with another helper": other.bring(ctx, time.Now(), brings{Offer: o}, source, from),
			"from another node":   h.bring(ctx, time.Now(), brings{Offer: o}, tree.ID{1}, from),
			"for another channel": h.bring(ctx, time.Now(), brings{Offer: elsewhere}, source, from),
		} {
			if why != tree.ReasonToken {
				t.Errorf("%s: %v", what, why)
			}
		}

		// Who guesses has to wait, even with the right proof; others need not.
		for range guessBurst {
			h.bring(ctx, time.Now(), brings{Offer: elsewhere}, source, from)
		}
		if why := h.bring(ctx, time.Now(), brings{Offer: o}, source, from); why != tree.ReasonBusy {
			t.Errorf("after %d guesses: %v", guessBurst, why)
		}
		if why := h.bring(ctx, time.Now(), brings{Offer: o}, source, netip.MustParseAddr("203.0.113.8")); why != tree.ReasonNone || h.Channel(channel) == nil {
			t.Errorf("from another address: %v", why)
		}
	})
}

func TestAStreamAboveTheRateIsDroppedAndItsSourceIsTold(t *testing.T) {
	walledWorld(t, func(t *testing.T, w *world) {
		token := mustToken(t, "open-sesame")
		var mu sync.Mutex
		var ended []error
		h, end := w.addHelper(func(c *Config) {
			c.MaxRate = 500 // bit/s: a frame has 8 bytes, and there are ten a second
			c.Brought.Token = token
			c.Brought.Open = func(n *Node, inv Invite) (*Channel, func(context.Context) error, error) {
				ch, err := n.Watch(inv, nil)
				return ch, func(ctx context.Context) error {
					err := ch.Run(ctx)
					mu.Lock()
					defer mu.Unlock()
					ended = append(ended, err)
					return err
				}, err
			}
		})
		defer end()
		stop := offersTo(w.root.Channel, h.with(token))
		has := func() bool { return h.Channel(w.root.ID()) != nil }
		w.until(5*time.Second, "the helper has the channel", has)
		w.until(time.Minute, "it is dropped", func() bool { return !has() })
		dropped := time.Now()
		w.until(TooFastFor+time.Minute, "it is taken again", has)
		if d := time.Since(dropped); d < TooFastFor-5*time.Second {
			t.Errorf("it is taken again after %v", d)
		}
		wantReasons(t, stop(), tree.ReasonTooFast)
		mu.Lock()
		defer mu.Unlock()
		if len(ended) != 1 {
			t.Fatalf("ended because of %v", ended)
		}
		if fast, ok := ended[0].(*TooFastError); !ok || fast.Most != 500 || fast.Rate < 600 || fast.Rate > 1000 {
			t.Errorf("ended because of %v", ended)
		}
	})
}

// The longer a source has been gone, the less likely it comes back: its channel makes room first.
func TestTheChannelWhoseSourceIsGoneForLongestMakesRoom(t *testing.T) {
	for range 20 { // maps have no order
		now := time.Now()
		b := newBrought()
		var dropped []byte
		for i, gone := range []time.Duration{0, broughtGone, 3 * broughtGone, 2 * broughtGone} {
			b.open[stream.ChannelID{byte(i)}] = &broughtChannel{
				presence: presence{at: now.Add(-gone)},
				drop:     func(error) { dropped = append(dropped, byte(i)) },
			}
		}
		for most := 5; most > 0; most-- {
			if has := b.hasRoom(now, most); has != (most > 1) {
				t.Errorf("room for %d: %v", most, has)
			}
		}
		if !slices.Equal(dropped, []byte{2, 3, 1}) {
			t.Fatalf("dropped %v", dropped)
		}
	}
}
