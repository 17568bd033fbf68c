package listing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/netip"
	"time"

	"relay/cli/term"
	"relay/cli/words/listed"
	"relay/playback/directory"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// statusEvery is how often the line about a directory is drawn again.
const statusEvery = 5 * time.Second

// Serve runs a directory on ln, which it closes, until ctx ends.
func Serve(ctx context.Context, t *term.Terminal, ln net.Listener, cfg directory.Config) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	cfg.Probe = probeWith(key)
	cfg.Trouble = func(tr directory.Trouble) {
		text, hint := listed.Trouble(tr)
		if tr.Err == nil {
			t.Say("%s", text)
			return
		}
		t.Warn(text, hint)
	}
	s := directory.NewServer(cfg)
	ctx, cancel := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() { // ends with ctx
		defer close(told)
		tick := time.NewTicker(statusEvery)
		defer tick.Stop()
		for {
			t.Show(listed.Status(s.Status()))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	err = s.Run(ctx, ln)
	cancel()
	<-told
	return err
}

// probeWith asks relays for channels as a node with that key. Each question has a node of its own, whose dialer counts what
// it sends.
func probeWith(key ed25519.PrivateKey) directory.Probe {
	return func(ctx context.Context, id stream.ChannelID, at netip.AddrPort, dial directory.Dial) error {
		n, err := relay.New(relay.Config{Key: key, Slots: -1, Dial: dial})
		if err != nil {
			return err
		}
		err = n.Carries(ctx, id, at)
		if errors.Is(err, tree.ReasonChannel) {
			return directory.ErrOther
		}
		return err
	}
}
