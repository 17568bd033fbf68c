package cli

import (
	"context"
	"fmt"
	"time"

	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest/flv"
	"relay/playback/api"
)

// follow reports to people and programs how joining goes and what follows, until ctx ends.
func (w *watch) follow(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var info flv.Info
	var live bool
	var told words.Told
	var drawn, reported time.Time
	figures, met := "", false
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.explain(now)
			w.shared.Again(w.t, w.station, w.share)
			s := w.status(now)
			if s.Attached && !met {
				met = true
				if trouble, bad := w.found.Remember(); bad {
					w.warn(trouble)
				}
			}
			switch {
			case s.State == api.Live && (!live || words.MediaText(s.Info) != words.MediaText(info)):
				w.t.Say("Live: %s", w.media(s.Info))
				w.events.Tell(words.LiveAlias(w.channel.ID(), s.Info))
				live, info = true, s.Info
			case s.State != api.Live && live && s.Attached:
				live = false
				w.events.Tell(words.Alias(w.channel.ID(), api.EventEncoderLost, api.EventMedia))
			}
			told.Tell(w.t, s.Situation, false, s.Private, now)
			st := w.t.Style()
			w.t.Show(s.Line(st).Draw(st))
			if f := fmt.Sprint(s.Depth, s.Parent.ID, s.Lost, s.Children, s.Players); !w.t.ErrTTY && f != figures && s.Attached && live && now.Sub(drawn) >= changesEvery {
				w.t.Say("%s", s.Line(st).Draw(term.Style{Lang: st.Lang}))
				drawn, figures = now, f
			}
			if now.Sub(reported) >= words.StatusEvery {
				reported = now
				w.events.Tell(s.Event(w.channel.ID()))
			}
		}
	}
}

// media describes the stream as far as this node can read it.
func (w *watch) media(i flv.Info) string {
	if !w.channel.CanRead() {
		return "a private stream, which this node passes on unread"
	}
	return words.MediaText(i)
}

// status returns what the status line shows now.
func (w *watch) status(now time.Time) words.WatchStatus {
	c, ok := w.channel.Status()
	facts := station.FactsFrom(c, ok, nil)
	s := words.WatchStatus{
		State: api.StateOf(facts, now), Situation: api.SituationOf(facts, now), Private: w.channel.Private(), Now: now,
		Attached: c.Tree.Attached, Depth: c.Tree.Depth, Parent: c.Tree.Parent, ParentName: c.ParentName, Reach: c.Reach,
		Report: api.Report{
			BitRate: c.Ring.BitRate, DelayMs: api.DelayMs(c.Delay), Players: w.station.Viewers(), Watching: facts.Watching,
			WatchReport: &api.WatchReport{Lost: c.Ring.Lost, Children: len(c.Tree.Children), Left: c.Left},
		},
	}
	if h := w.channel.Ring().Header(); h != nil {
		s.Info = flv.Describe(h.Payload())
	}
	if !c.Tree.Attached {
		s.Why = term.Clean(w.joining.Why())
	}
	return s
}
