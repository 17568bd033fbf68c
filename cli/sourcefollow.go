package cli

import (
	"context"
	"fmt"
	"net"
	"time"

	"relay/cli/term"
	"relay/ingest"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// changesEvery bounds how often figures that change are printed where no status line
// can be redrawn: a log should not grow with a crowd's coming and going.
const changesEvery = 10 * time.Second

// follow tells people and programs what becomes of the encoder, and who watches.
func (s *source) follow(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var was ingest.Status
	var advice adviser
	var told, reported time.Time
	var figures string
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			enc := s.media.Status()
			s.announce(was, enc)
			was = enc
			c, ok := s.channel.Status()
			if !ok {
				continue
			}
			for _, w := range advice.look(now, s.view(enc, c)) {
				s.warn(w)
			}
			air := s.status(ctx, now, enc, c)
			s.t.Show(air.line(s.t.Style()).Draw(s.t.Style()))
			if f := fmt.Sprintf("%d direct, %d watching", air.Direct, air.Watching); !s.t.ErrTTY && f != figures && now.Sub(told) >= changesEvery {
				if figures != "" || air.Watching > 0 {
					s.t.Say("%s", air.line(s.t.Style()).Draw(term.Style{}))
					told = now
				}
				figures = f
			}
			if now.Sub(reported) >= statusEvery {
				reported = now
				s.events.tell(air.event(s.channel.ID(), s.station.viewers()))
			}
		}
	}
}

// announce says when the encoder comes, goes, or sends something else.
func (s *source) announce(was, enc ingest.Status) {
	begun := enc.Live && enc.Tags > 0 && (!was.Live || enc.Sessions != was.Sessions || was.Tags == 0)
	if begun || enc.Live && mediaText(enc.Info) != mediaText(was.Info) {
		s.t.Say("Live: %s", mediaText(enc.Info))
		s.events.tell(liveAlias(s.channel.ID(), enc.Info))
	}
	if was.Live && !enc.Live && s.rtmp != nil {
		s.t.Say("The encoder has stopped. Viewers stay connected; start it again to go on.")
		s.events.tell(alias(s.channel.ID(), api.EventEncoderLost, api.EventPublish))
	}
}

// view is what the adviser goes by now.
func (s *source) view(enc ingest.Status, c relay.Status) sourceView {
	v := sourceView{
		Encoder: enc, Started: c.Ring.Head.Seq != 0, BitRate: c.Ring.BitRate,
		Upload: s.upload, Slots: c.Tree.Slots, FarSlots: c.Tree.Far,
	}
	if s.rtmp != nil {
		v.Server, v.Key = s.server(), s.key
		if a := s.rtmp.Addr().(*net.TCPAddr); !a.IP.IsLoopback() {
			v.Exposed = fmt.Sprint(a.Port)
		}
	}
	return v
}

// status is what the status line tells now.
func (s *source) status(ctx context.Context, now time.Time, enc ingest.Status, c relay.Status) sourceStatus {
	a := sourceStatus{
		State:  api.StateOf(factsFrom(c, true, func() bool { return enc.Live }), now),
		Media:  media{Info: enc.Info, BitRate: c.Ring.BitRate, Key: enc.KeyInterval},
		Direct: len(c.Tree.Children),
		Limit:  s.upload,
	}
	for _, ch := range c.Tree.Children {
		a.Watching += 1 + int(ch.Report.Below)
	}
	a.Watching += s.station.viewers()
	a.Up, a.UpNear = uploadOf(c.Links)
	if v, err := s.channel.Survey(ctx); err == nil { // the root knows; nobody is asked
		ms := v.View.Rest.DelayMs
		for _, n := range v.View.Nodes {
			ms = max(ms, n.DelayMs)
		}
		a.Delay = time.Duration(ms) * time.Millisecond
	}
	return a
}

// uploadOf is what goes to children beyond this network and within it, bit/s.
func uploadOf(links map[tree.Link]relay.LinkStatus) (far, near int) {
	for _, l := range links {
		if l.Near {
			near += l.Rate
		} else {
			far += l.Rate
		}
	}
	return far, near
}

// event is the status for programs; players are those at this node.
func (a sourceStatus) event(id stream.ChannelID, players int) api.Event {
	return api.Event{
		Type: api.EventStatus, Channel: id.String(), Name: id.Short(), State: string(a.State),
		Report: &api.Report{
			BitRate: a.Media.BitRate, DelayMs: a.Delay.Milliseconds(), Players: players,
			SourceReport: &api.SourceReport{
				KeyIntervalMs: a.Media.Key.Milliseconds(), Direct: a.Direct, Watching: a.Watching,
				UploadBPS: a.Up, UploadLANBPS: a.UpNear, UploadLimitBPS: a.Limit,
			},
		},
	}
}
