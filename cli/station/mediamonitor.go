package station

import (
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// mediaFacts is the state of a channel's media at one moment.
type mediaFacts struct {
	came    time.Time // the newest chunk; zero if there was none
	source  bool      // this node is the source,
	encoder bool      // and an encoder is sending
	header  *stream.Header
}

// mediaMonitor follows one channel's media. Its zero value is a channel that has had none.
type mediaMonitor struct {
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

// look returns what has happened since the last look: an encoder that starts or
// stops at once, another codec, and media that start, or have not come for
// api.FreshFor.
func (m *mediaMonitor) look(now time.Time, s mediaFacts) (happened []api.Event) {
	if s.source && s.encoder != m.encoder {
		m.encoder = s.encoder
		happened = append(happened, api.Event{Type: api.EventPublish, State: startedOr(m.encoder)})
	}
	if s.header != nil && s.header != m.header {
		m.header = s.header
		i := flv.Describe(s.header.Payload())
		if codec := playback.CodecOf(i); codec != m.codec {
			m.codec = codec
			happened = append(happened, api.Event{Type: api.EventCodec, Codec: &codec, Title: new(flv.CleanTitle(i.Title))})
		}
	}
	if fresh := api.Fresh(s.came, now); fresh != m.fresh {
		m.fresh = fresh
		happened = append(happened, api.Event{Type: api.EventMedia, State: startedOr(fresh)})
	}
	return happened
}

// end returns what happens when the channel is closed here.
func (m *mediaMonitor) end() (happened []api.Event) {
	if m.encoder {
		happened = append(happened, api.Event{Type: api.EventPublish, State: api.Stopped})
	}
	if m.fresh {
		happened = append(happened, api.Event{Type: api.EventMedia, State: api.Stopped})
	}
	m.encoder, m.fresh = false, false
	return happened
}
