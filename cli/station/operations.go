package station

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"relay/cli/lean"
	"relay/cli/monitor"
	"relay/cli/term"
	"relay/cli/webhook"
	"relay/cli/words"
	"relay/cli/words/recorded"
	"relay/playback"
	"relay/playback/admin"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// operations is what a station tells its operator: events, metrics, whether media arrive, and
// calls to a webhook.
type operations struct {
	t       *term.Terminal
	events  *playback.Events
	metrics *admin.Metrics
	admin   net.Listener  // nil for none
	hook    *webhook.Hook // nil for none
	node    string        // the node's tag

	mu     sync.Mutex
	served []*servedChannel
}

// servedChannel is a channel at this station.
type servedChannel struct {
	channel *relay.Channel
	played  *playback.Channel
	encoder func() Encoder // of the input at the root; nil elsewhere
	// Owned by observe's goroutine.
	media     monitor.Media
	situation monitor.Situation
	recorded  recorded.Told
}

// newOperations opens the listener. The caller closes it.
func newOperations(t *term.Terminal, cfg Config) (*operations, error) {
	o := &operations{t: t, events: &playback.Events{}, metrics: admin.NewMetrics(cfg.Version)}
	if cfg.Webhook != nil {
		o.hook = webhook.New(cfg.Webhook, cfg.Version, t.Say)
	}
	if cfg.Admin.Addr == "" {
		return o, nil
	}
	var err error
	if o.admin, err = cfg.Admin.listen(t); err != nil {
		return nil, err
	}
	if cfg.Admin.Given {
		t.Say("Metrics http://%s/metrics", LocalAddr(o.admin))
	}
	if cfg.Profiles {
		t.Say("Profiles http://%s/debug/pprof/", LocalAddr(o.admin))
	}
	return o, nil
}

func (o *operations) close() {
	if o.admin != nil {
		o.admin.Close()
	}
}

// carry adds a channel that is shown.
func (o *operations) carry(c *relay.Channel, played *playback.Channel, encoder func() Encoder) {
	played.TellViewers(o.events)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.served = append(o.served, &servedChannel{channel: c, played: played, encoder: encoder})
}

// drop forgets a channel that is closed.
func (o *operations) drop(c *relay.Channel) {
	o.mu.Lock()
	o.served = slices.DeleteFunc(o.served, func(k *servedChannel) bool { return k.channel == c })
	o.mu.Unlock()
	o.metrics.Forget(c.ID().Short())
}

func (o *operations) channels() []*servedChannel {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.served)
}

// encoder tells of the input at the root of a channel; nil if this node is not its root.
func (o *operations) encoder(c *relay.Channel) *Encoder {
	for _, k := range o.channels() {
		if k.channel == c && k.encoder != nil {
			e := k.encoder()
			return &e
		}
	}
	return nil
}

// run serves until ctx ends; the group's other members end it too.
func (o *operations) run(ctx context.Context, g *errgroup.Group, s *Station) {
	o.node = s.Node.ID().Tag()
	g.Go(func() error {
		if o.hook == nil {
			o.observe(ctx)
			return nil
		}
		// The calls outlast ctx a little, because the last of them tell that it has ended.
		calls, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		go o.hook.Run(calls) // ends with Finish, or with calls
		o.observe(ctx)
		o.hook.Finish(webhook.LastCalls)
		stop()
		o.hook.Wait()
		return nil
	})
	o.metrics.Watch(o.statuses, s.players.Counts)
	if o.admin == nil {
		return
	}
	s.log.Info("listens for who runs it", zap.Stringer("addr", o.admin.Addr()))
	srv := admin.NewServer(admin.Config{
		Metrics:    o.metrics,
		Channels:   o.statuses,
		API:        s.players.API(ctx, func() string { return "http://" + LocalAddr(s.HTTP) }),
		AllowHosts: s.cfg.AllowHosts,
		Profiles:   s.cfg.Profiles,
		Log:        s.log,
	})
	g.Go(func() error { return srv.Run(ctx, o.admin) })
}

// statuses describes the channels, for the metrics and for readiness.
func (o *operations) statuses() []api.ChannelStatus {
	var all []api.ChannelStatus
	for _, k := range o.channels() {
		all = append(all, k.played.Status(""))
	}
	return all
}

// notice turns what a channel notices into events and metrics. It does not block.
func (o *operations) notice(id stream.ChannelID, n relay.Notice) {
	e := api.Event{Channel: id.String(), Name: id.Short()}
	switch n := n.(type) {
	case relay.ParentChanged:
		e.Type = api.EventParent
		e.Reason, e.By, e.Depth = reasonLabel(n.Before.Reason), words.Side(n.Before.By), &n.Depth
		known := n.Before.Reason != tree.ReasonNone
		if known {
			ms := n.Gap.Milliseconds()
			e.GapMs = &ms
		}
		about(&e, n.Parent.ID, words.FirstAddr(n.Parent))
		o.metrics.ParentChanged(e.Name, e.Reason, n.Gap, known)
	case relay.Orphaned:
		e.Type, e.Reason, e.By = api.EventParentLost, reasonLabel(n.End.Reason), words.Side(n.End.By)
	case relay.ChildJoined:
		e.Type, e.Who = api.EventJoined, "child"
		about(&e, n.Peer, n.Addr.String())
	case relay.ChildLeft:
		e.Type, e.Who, e.Reason, e.By = api.EventLeft, "child", reasonLabel(n.End.Reason), words.Side(n.End.By)
		about(&e, n.Peer, n.Addr.String())
		o.metrics.ChildLeft(e.Name, e.Reason)
	case relay.ChildRefused:
		e.Type, e.Who, e.Reason = api.EventLimit, "child", reasonLabel(n.Reason)
		about(&e, n.Peer, n.Addr.String())
		o.metrics.ChildRefused(e.Name, e.Reason)
	default:
		return
	}
	o.events.Tell(e)
}

func about(e *api.Event, id tree.ID, addr string) {
	e.Node, e.NodeID, e.Addr = id.Tag(), id.String(), addr
}

// reasonLabel returns the reason's name, or "other" for a number without one: a stranger may send
// any, and each would be a metric of its own.
func reasonLabel(r tree.Reason) string {
	if name := r.String(); !strings.HasPrefix(name, "reason-") {
		return name
	}
	return "other"
}

// observeEvery is how often the channels are looked at for what nobody reports: media that
// stops, an encoder, codecs.
const observeEvery = 250 * time.Millisecond

// observe reports changes in the channels' media until ctx ends, and then that it stops here.
func (o *operations) observe(ctx context.Context) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	known := map[*servedChannel]bool{}
	for {
		select {
		case <-ctx.Done():
			for k := range known {
				o.report(k, k.media.End())
			}
			return
		case now := <-tick.C:
			all := o.channels()
			for k := range known {
				if !slices.Contains(all, k) {
					o.report(k, k.media.End())
					delete(known, k)
				}
			}
			for _, k := range all {
				known[k] = true
				o.report(k, k.media.Look(now, k.look()))
				if found := k.played.CheckRecording(); k.encoder == nil { // the source has told already
					k.recorded.Tell(o.t, found, now)
				}
				if k.situation.Due(now) {
					o.report(k, k.situation.Look(k.played.Situation(now)))
				}
			}
		}
	}
}

// lean has the process get by with one processor while nobody takes anything from node, until ctx ends.
func (o *operations) lean(ctx context.Context, node *relay.Node) {
	r, err := o.events.Follow(o.events.Head())
	if err != nil {
		return
	}
	defer r.Close()
	news := func() <-chan struct{} {
		for {
			if _, more := r.Next(); more != nil {
				return more
			}
		}
	}
	lean.Threads(ctx, news, func() bool { return o.busy(node.Channels()) })
}

// fewChannels is how many channels one processor is enough for while nobody takes them.
const fewChannels = 4

// busy reports whether somebody takes something from the node whose channels those are.
func (o *operations) busy(all []*relay.Channel) bool {
	watched := func(k *servedChannel) bool { return k.played.Viewers() > 0 }
	served := func(c *relay.Channel) bool {
		st, ok := c.Status()
		return ok && len(st.Tree.Children) > 0
	}
	return len(all) > fewChannels || slices.ContainsFunc(o.channels(), watched) || slices.ContainsFunc(all, served)
}

// look returns the facts of the channel's media now.
func (k *servedChannel) look() monitor.Facts {
	ring := k.channel.Ring()
	s := monitor.Facts{Came: ring.Came(), Source: k.encoder != nil, Header: ring.Header()}
	if s.Source {
		s.Encoder = k.encoder().Live
	}
	return s
}

// report tells the events, and calls the webhook when media starts or stops.
func (o *operations) report(k *servedChannel, seen []api.Event) {
	for _, e := range seen {
		id := k.channel.ID()
		e.Channel, e.Name = id.String(), id.Short()
		o.events.Tell(e)
		if o.hook != nil && e.Type == api.EventMedia {
			c := k.played.Status("")
			o.hook.Tell(api.Call{
				Event: e.State, Time: time.Now().UTC().Truncate(time.Millisecond), Channel: c.ID, Name: c.Name,
				Title: c.Title, Codec: c.Codec, BitRate: c.BitRate, Source: k.encoder != nil, Node: o.node,
			})
		}
	}
}

// Events returns the events of the station.
func (s *Station) Events() *playback.Events { return s.ops.events }

// WriteLines writes each event as a line of JSON until finish is called or nobody reads. finish
// waits until those told before are written, but no longer than words.LastWrite.
func (s *Station) WriteLines(w io.Writer) (finish func()) {
	r, err := s.ops.events.Follow(0)
	if err != nil {
		return func() {} // there are no readers yet
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with Finish, or with the process if w blocks
		defer close(done)
		defer r.Close()
		words.WriteEvents(ctx, r, w)
	}()
	return func() {
		stop()
		select {
		case <-done:
		case <-time.After(words.LastWrite):
		}
	}
}
