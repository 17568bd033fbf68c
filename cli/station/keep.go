package station

import (
	"context"
	"errors"

	"relay/cli/words"
	"relay/playback"
	"relay/relay"
	"relay/relay/archive"
	"relay/relay/stream"
)

// keeper keeps one channel on disk, as long as it is shown.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends the keeping, and waits until what was kept is whole. There may be no keeper.
func (k *keeper) stop() {
	if k != nil {
		k.cancel()
		<-k.done
	}
}

var errNoFolder = errors.New("there is no configuration folder that can be used; --config gives one")

// keep keeps a channel as the configuration says. What goes wrong is told, and costs nothing else.
func (s *Station) keep(c *relay.Channel, pc *playback.Channel) *keeper {
	if s.cfg.Keep == nil {
		return nil
	}
	notKept := func(begun bool, err error) {
		say, hint := words.NotKept(begun, err)
		s.t.Say("%s", say)
		s.t.Hint("%s", hint)
	}
	if s.cfg.Store == nil {
		notKept(false, errNoFolder)
		return nil
	}
	a, err := archive.Open(s.cfg.Store.Kept(c.ID()), c.ID(), *s.cfg.Keep)
	if err != nil {
		notKept(false, err)
		return nil
	}
	var unsealer func() *stream.Unsealer
	if c.Private() {
		unsealer = c.Unsealer
	}
	pc.Keeps(a, unsealer)
	c.Keep(a)
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel, make(chan struct{})}
	go func() { // ends with stop, or with the channel
		defer close(k.done)
		if err := a.Run(ctx, c.Carried()); err != nil {
			notKept(true, err)
			<-ctx.Done() // nobody else is to write there: viewers read it
		}
		a.Close()
	}()
	return k
}
