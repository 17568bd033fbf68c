package cli

import (
	"context"
	"fmt"
	"net"
	"time"

	"relay/cli/listing"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest"
	"relay/playback/api"
	"relay/playback/directory"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// changesEvery bounds how often figures that change are printed where no status line
// can be redrawn: a log should not grow with a crowd's coming and going.
const changesEvery = 10 * time.Second

// follow reports to people and programs how the encoder is doing and how many watch, until ctx
// ends.
func (s *source) follow(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var was ingest.Status
	var advice words.Adviser
	seen := words.Told{Silent: !s.plan.input.Awaited()}
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
			s.checkBegun(now)
			for _, w := range advice.Look(now, s.view(enc, c)) {
				s.warn(w)
			}
			if !s.alone && s.station.OnlyHere(c) {
				s.alone = true
				m, _ := s.station.Mapped()
				router, next := m.Sentences()
				s.warn(words.OnlyHere(router, next, s.station.Port()))
			}
			s.shared.Again(s.t, s.station, func() string { return s.station.Link(s.channel) })
			air := s.status(ctx, now, enc, c)
			seen.Tell(s.t, air.Situation, true, false, now)
			s.t.Show(air.Line(s.t.Style()).Draw(s.t.Style()))
			if f := air.Crowd(); !s.t.ErrTTY && f != figures && now.Sub(told) >= changesEvery {
				if figures != "" || air.Direct > 0 || air.Players > 0 {
					s.t.Say("%s", air.Line(s.t.Style()).Draw(term.Style{Lang: s.t.Lang}))
					told = now
				}
				figures = f
			}
			if now.Sub(reported) >= words.StatusEvery {
				reported = now
				s.events.Tell(air.Event(s.channel.ID()))
			}
		}
	}
}

// announce says when the encoder comes, goes, or sends something else.
func (s *source) announce(was, enc ingest.Status) {
	begun := enc.Live && enc.Tags > 0 && (!was.Live || enc.Sessions != was.Sessions || was.Tags == 0)
	if begun || enc.Live && words.MediaText(enc.Info) != words.MediaText(was.Info) {
		s.t.Say("Live: %s", words.MediaText(enc.Info))
		s.events.Tell(words.LiveAlias(s.channel.ID(), enc.Info))
	}
	if enc.MadeAAC != "" && enc.MadeAAC != was.MadeAAC {
		s.t.Say("%s", words.MadeAAC(enc.MadeAAC))
	}
	if was.Live && !enc.Live && s.plan.input.Awaited() {
		s.events.Tell(words.Alias(s.channel.ID(), api.EventEncoderLost, api.EventPublish))
	}
}

// announceTo keeps the channel on the lists that are named, until ctx ends.
func (s *source) announceTo(ctx context.Context) {
	s.plan.listed.Run(ctx, s.signs, func(ctx context.Context) directory.Announcement {
		return listing.Announcement(ctx, s.station, s.channel, s.media.Status().Live, s.plan.listed.Says)
	}, func(text string) { s.t.Say("%s", text) }, s.warn)
}

// checkBegun warns, once, of a run that begins in the future: this machine's clock was ahead when it began, and was
// set back since.
func (s *source) checkBegun(now time.Time) {
	if w, ahead := words.BegunAhead(s.begun, now); ahead {
		s.begun = stream.Epoch{}
		s.warn(w)
	}
}

// view returns what the adviser judges by now.
func (s *source) view(enc ingest.Status, c relay.Status) words.SourceView {
	v := words.SourceView{
		Encoder: enc, Started: c.Ring.Head.Seq != 0, BitRate: c.Ring.BitRate,
		Upload: s.plan.station.Upload, Slots: c.Tree.Slots, FarSlots: c.Tree.Far,
	}
	if s.plan.input.Awaited() {
		v.ExposedUDP = s.station.SRTExposed()
		v.Server, v.Key = s.station.RTMPServer(), s.key
		if a := s.station.RTMP.Addr().(*net.TCPAddr); !a.IP.IsLoopback() {
			v.Exposed = fmt.Sprint(a.Port)
		}
	}
	return v
}

// status returns what the status line shows now.
func (s *source) status(ctx context.Context, now time.Time, enc ingest.Status, c relay.Status) words.SourceStatus {
	r := api.SourceReport{KeyIntervalMs: enc.KeyInterval.Milliseconds(), Direct: len(c.Tree.Children), UploadLimitBPS: s.plan.station.Upload, DroppedTags: enc.Dropped.ByName(), AACOf: enc.MadeAAC}
	r.UploadBPS, r.UploadLANBPS = uploadOf(c.Links)
	delay := uint32(0)
	if v, err := s.channel.Survey(ctx); err == nil { // the root knows; nobody is asked
		delay = v.View.Rest.DelayMs
		for _, n := range v.View.Nodes {
			delay = max(delay, n.DelayMs)
		}
	}
	input := encoderOf(enc)
	facts := station.FactsFrom(c, true, &input)
	return words.SourceStatus{
		State: api.StateOf(facts, now), Situation: api.SituationOf(facts, now), Now: now,
		Info:   enc.Info,
		Report: api.Report{BitRate: c.Ring.BitRate, DelayMs: int64(delay), Players: s.station.Viewers(), Watching: facts.Watching, SourceReport: &r},
	}
}

// onAir is what is said of the input to those who look the channel up by its ID.
func (s *source) onAir() (live bool, title string) {
	enc := s.media.Status()
	return enc.Live && enc.Tags > 0, enc.Info.Title
}

// encoderOf is what the station shows of the input.
func encoderOf(st ingest.Status) station.Encoder {
	return station.Encoder{Live: st.Live, Dropped: st.Dropped.ByName(), AACOf: st.MadeAAC}
}

// uploadOf returns the rates to children outside this network and inside it, in bit/s.
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
