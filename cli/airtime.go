package cli

import (
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// sight is what there is to see of a channel's media at one moment.
type sight struct {
	came    time.Time // the newest chunk; zero if there was none
	source  bool      // this node is the source,
	encoder bool      // and an encoder is sending
	header  *stream.Header
}

// airtime follows one channel's media. Its zero value is a channel that has had none.
type airtime struct {
	live    bool // media came within api.FreshFor
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
func (a *airtime) look(now time.Time, s sight) (happened []api.Event) {
	if s.source && s.encoder != a.encoder {
		a.encoder = s.encoder
		happened = append(happened, api.Event{Type: api.EventPublish, State: startedOr(a.encoder)})
	}
	if s.header != nil && s.header != a.header {
		a.header = s.header
		i := describe(s.header)
		if codec := playback.CodecOf(i); codec != a.codec {
			a.codec = codec
			happened = append(happened, api.Event{Type: api.EventCodec, Codec: &codec, Title: new(flv.CleanTitle(i.Title))})
		}
	}
	if live := api.Fresh(s.came, now); live != a.live {
		a.live = live
		happened = append(happened, api.Event{Type: api.EventMedia, State: startedOr(live)})
	}
	return happened
}

// end returns what happens when the channel is closed here.
func (a *airtime) end() (happened []api.Event) {
	if a.encoder {
		happened = append(happened, api.Event{Type: api.EventPublish, State: api.Stopped})
	}
	if a.live {
		happened = append(happened, api.Event{Type: api.EventMedia, State: api.Stopped})
	}
	a.encoder, a.live = false, false
	return happened
}
