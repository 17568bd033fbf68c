package cli

import (
	"context"
	"fmt"
	"time"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay/stream"
)

// follow tells people and programs how joining goes and what comes then.
func (w *watch) follow(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var info flv.Info
	var live bool
	var told, reported time.Time
	figures := ""
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.explain()
			s := w.status(now)
			switch {
			case s.State == api.Live && (!live || mediaText(s.Media.Info) != mediaText(info)):
				w.t.Say("Live: %s", mediaText(s.Media.Info))
				w.events.tell(liveAlias(w.channel.ID(), s.Media.Info))
				live, info = true, s.Media.Info
			case s.State != api.Live && live && s.Alone == 0:
				live = false
				w.t.Say("The source has stopped sending. This node stays connected and goes on when it does.")
				w.events.tell(alias(w.channel.ID(), api.EventEncoderLost, api.EventMedia))
			}
			st := w.t.Style()
			w.t.Show(s.line(st).Draw(st))
			if f := fmt.Sprint(s.Depth, s.Parent, s.Lost, s.Children, s.Players); !w.t.ErrTTY && f != figures && s.Alone == 0 && live && now.Sub(told) >= changesEvery {
				w.t.Say("%s", s.line(st).Draw(term.Style{}))
				told, figures = now, f
			}
			if now.Sub(reported) >= statusEvery {
				reported = now
				w.events.tell(s.event(w.channel.ID(), w.parentTag()))
			}
		}
	}
}

// status is what the status line tells now.
func (w *watch) status(now time.Time) watchStatus {
	c, ok := w.channel.Status()
	s := watchStatus{
		State:    api.StateOf(factsFrom(c, ok, nil), now),
		Media:    media{BitRate: c.Ring.BitRate},
		Delay:    c.Delay,
		Depth:    c.Tree.Depth,
		Lost:     c.Ring.Lost,
		Children: len(c.Tree.Children),
		Players:  w.station.viewers(),
	}
	if h := w.channel.Ring().Header(); h != nil {
		s.Media.Info = describe(h)
	}
	if !c.Tree.Parent.ID.IsZero() {
		s.Parent = placeText(c.Tree.Parent)
	}
	if !c.Tree.Attached {
		w.mu.Lock()
		s.Alone = max(time.Second, now.Sub(w.since))
		w.mu.Unlock()
	}
	return s
}

// parentTag names the parent for programs; "" if there is none.
func (w *watch) parentTag() string {
	c, ok := w.channel.Status()
	if !ok || c.Tree.Parent.ID.IsZero() {
		return ""
	}
	return c.Tree.Parent.ID.Tag()
}

// event is the status for programs.
func (s watchStatus) event(id stream.ChannelID, parent string) api.Event {
	return api.Event{
		Type: api.EventStatus, Channel: id.String(), Name: id.Short(), State: string(s.State), Depth: &s.Depth, Parent: &parent,
		Report: &api.Report{
			BitRate: s.Media.BitRate, DelayMs: s.Delay.Milliseconds(), Players: s.Players,
			WatchReport: &api.WatchReport{Lost: s.Lost, Children: s.Children},
		},
	}
}
