package playback

import (
	"time"

	"relay/ingest/flv"
	"relay/playback/api"
	"relay/playback/remux"
	"relay/relay/stream"
)

// about is what every document says of the channel.
func (c *Channel) about(f api.Facts, bitRate int) api.Channel {
	info, now := c.media(), time.Now()
	return api.Channel{
		ID:          c.id.String(),
		Name:        c.id.Short(),
		Title:       flv.CleanTitle(info.Title),
		State:       api.StateOf(f, now),
		Situation:   api.SituationOf(f, now),
		Codec:       CodecOf(info),
		BitRate:     bitRate,
		DelayMs:     api.DelayMs(f.Delay),
		Root:        f.Root,
		Depth:       f.Depth,
		ViewerCount: c.Viewers(),
		Watching:    f.Watching,
		Lacks:       remux.Lacks(info.VideoCodec, info.AudioCodec),
		DroppedTags: f.DroppedTags,
		AACOf:       f.AACOf,
		Reach:       f.Reach,
		Private:     c.private,
		Unread:      c.unread,
		Kept:        c.kept.span(),
		Recording:   c.recording.found.Load(),
	}
}

// About says what the channel is, and what it is doing.
func (c *Channel) About() api.Channel { return c.about(c.facts(), c.stats().BitRate) }

// Held returns the first and the newest chunk that is held; both are zero if there is none.
func (c *Channel) Held() (oldest, newest stream.Position) { return c.ring.Oldest(), c.ring.Head() }

// Status describes the channel now, all but what people share. base is the address of the
// players' listener, without a slash at its end.
func (c *Channel) Status(base string) api.ChannelStatus {
	f, ring := c.facts(), c.stats()
	s := api.ChannelStatus{
		Channel:   c.about(f, ring.BitRate),
		URL:       base + c.path(),
		NodeName:  f.Name,
		Attached:  f.Attached,
		Path:      f.Path,
		Parent:    f.Parent,
		Children:  f.Children,
		Slots:     f.Slots,
		ReachAddr: f.ReachAddr,
		Reached:   f.Reached,
		Came:      ring.Came,
		Sent:      api.Sent{Children: f.Sent, Viewers: c.sent()},
		Chunks:    api.Chunks{Received: ring.Received, Lost: ring.Lost, Duplicate: ring.Duplicate, Bytes: ring.Counts.Bytes},
		Ring:      api.Ring{Held: ring.Held, Bytes: ring.Memory, SpanMs: ring.Span.Milliseconds()},
		Viewers:   []api.Viewer{},

		CallsRefused: f.CallsRefused, LeftPeers: f.LeftPeers,
	}
	if s.Reached == nil {
		s.Reached = []api.Reached{}
	}
	if s.Path == nil {
		s.Path = []string{}
	}
	if s.Children == nil {
		s.Children = []api.Child{}
	}
	for _, v := range c.present() {
		s.Viewers = append(s.Viewers, api.Viewer{
			Addr: v.addr, Since: v.since, Bytes: v.bytes.Load(), Missed: v.missed.Load(), Moves: v.moves.Load(),
		})
	}
	s.ViewerCount = len(s.Viewers)
	return s
}

// media describes the stream by the newest header; nothing is known before the first.
func (c *Channel) media() flv.Info {
	h := c.ring.Header()
	if h == nil {
		return flv.Info{}
	}
	return flv.Describe(h.Payload())
}

// title returns what the broadcaster calls the stream; "" if nothing.
func (c *Channel) title() string { return flv.CleanTitle(c.media().Title) }

// FillIn takes what is not in t from what the stream says of the channel for lists.
func (c *Channel) FillIn(t *flv.Texts) {
	if h := c.ring.Header(); h != nil {
		t.FillIn(h.Payload())
	}
}

// CodecOf puts what an FLV header says into the API's form.
func CodecOf(i flv.Info) api.Codec {
	return api.Codec{Video: i.VideoCodec, Audio: i.AudioCodec, Width: i.Width, Height: i.Height, FrameRate: i.FrameRate}
}
