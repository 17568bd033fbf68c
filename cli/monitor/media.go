package monitor

import (
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// Facts is the state of a channel's media at one moment.
type Facts struct {
	Came    time.Time // the newest chunk; zero if there was none
	Source  bool      // this node is the source,
	Encoder bool      // and an encoder is sending
	Header  *stream.Header
}

// Media follows one channel's media. Its zero value is a channel that has had none.
type Media struct {
	fresh   bool // media came within api.FreshFor
	encoder bool
	header  *stream.Header
	codec   api.Codec
}

func startedOr(on bool) string {
	if on {
		return api.Started
	}
	return api.Stopped
}

// Look returns what has happened since the last look: an encoder that starts or
// stops at once, another codec, and media that start, or have not come for
// api.FreshFor.
func (m *Media) Look(now time.Time, s Facts) (happened []api.Event) {
	if s.Source && s.Encoder != m.encoder {
		m.encoder = s.Encoder
		happened = append(happened, api.Event{Type: api.EventPublish, State: startedOr(m.encoder)})
	}
	if s.Header != nil && s.Header != m.header {
		m.header = s.Header
		i := flv.Describe(s.Header.Payload())
		if codec := playback.CodecOf(i); codec != m.codec {
			m.codec = codec
			happened = append(happened, api.Event{Type: api.EventCodec, Codec: &codec, Title: new(flv.CleanTitle(i.Title))})
		}
	}
	if fresh := api.Fresh(s.Came, now); fresh != m.fresh {
		m.fresh = fresh
		happened = append(happened, api.Event{Type: api.EventMedia, State: startedOr(fresh)})
	}
	return happened
}

// End returns what happens when the channel is closed here.
func (m *Media) End() (happened []api.Event) {
	if m.encoder {
		happened = append(happened, api.Event{Type: api.EventPublish, State: api.Stopped})
	}
	if m.fresh {
		happened = append(happened, api.Event{Type: api.EventMedia, State: api.Stopped})
	}
	m.encoder, m.fresh = false, false
	return happened
}
