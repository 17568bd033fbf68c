package relay

import (
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// A source with the token of a helper entrusts it with the join part: the helper carries the channel,
// does not read it, and does not tell strangers of it.
func TestAHelperCarriesAPrivateChannelUnread(t *testing.T) {
	w, _ := privately()
	w.far = true
	inside(t, 2, w, func(t *testing.T, w *world) {
		w.walls.Store(w.root.place.Addrs[0].String(), true)
		token := mustToken(t, "open-sesame")
		h, end := w.addHelper(func(c *Config) { c.Brought.Token = token })
		defer end()
		id := w.root.ID()
		stop := offersTo(w.root.Channel, h.with(token))
		w.until(5*time.Second, "the helper has the channel", func() bool { return h.Channel(id) != nil })
		for range 3 {
			w.add(option{slots: 4, hosts: []HostPort{hostPort(h.place)}})
		}
		w.within(10*time.Second, "all play", w.plays)
		w.wantWhole()
		wantReasons(t, stop())
		c := h.Channel(id)
		if !c.Private() || c.CanRead() || c.access != w.access.JoinOnly(id) || c.Ring().Header() != nil {
			t.Error("the helper reads the channel")
		}

		// Whatever a stranger offers, the helper answers as it does for a channel that it has not.
		ask := func(about stream.ChannelID, o wire.Offer) string {
			o.Channel = about
			d := w.dialAt(t, h.place, alpn)
			if _, err := d.Write(wire.Append(nil, o)); err != nil {
				t.Fatal(err)
			}
			said, _ := d.ends(t)
			return said
		}
		for what, o := range map[string]wire.Offer{"no token": {}, "a wrong token": {Proof: &[wire.ProofLen]byte{}}} {
			if got, want := ask(id, o), ask(stream.ChannelID{9}, o); got != want || len(got) == 0 {
				t.Errorf("an offer with %s: %q, of an unknown channel %q", what, got, want)
			}
		}
	})
}

// Without a token, a helper has to be given the link by whoever runs it.
func TestTheJoinPartIsEntrustedOnlyWithAToken(t *testing.T) {
	w, _ := privately()
	w.far = true
	inside(t, 2, w, func(t *testing.T, w *world) {
		h, end := w.addHelper(func(*Config) {})
		defer end()
		stop := offersTo(w.root.Channel, h.with(Token{}))
		time.Sleep(5 * time.Second)
		wantReasons(t, stop(), tree.ReasonChannel)
	})
}
