package rtmp

import (
	"errors"
	"fmt"

	"relay/ingest/flv"
)

// keptTag is the longest tag whose memory is used again, bytes: a key frame of a high bit rate.
const keptTag = 1 << 20

// tagger makes tags of messages, one at a time in the same memory: as many bytes become no garbage as
// the stream has. Its zero value is ready.
type tagger struct{ used flv.Tag }

// tagsOf hands take the FLV tags in a message, each good until take returns; there are none in most
// types. A script that is nested too deep is an error, so that it reaches no viewer.
func (g *tagger) tagsOf(m message, take func(flv.Tag) error) error {
	ts := m.ms
	if m.typ == msgAggregate {
		return g.split(ts, m.body, take)
	}
	return g.tagOf(m.typ, ts, m.body, take)
}

func (g *tagger) tag(typ flv.Type, ts uint32, body []byte) flv.Tag {
	t := flv.TagIn(g.used, typ, ts, body)
	if cap(t) <= keptTag {
		g.used = t
	}
	return t
}

func (g *tagger) tagOf(typ uint8, ts uint32, body []byte, take func(flv.Tag) error) error {
	switch typ {
	case msgAudio:
		return take(g.tag(flv.Audio, ts, body))
	case msgVideo:
		return take(g.tag(flv.Video, ts, body))
	case msgDataAMF3:
		body = stripAMF3(body)
	case msgDataAMF0:
	default:
		return nil
	}
	body = flv.StripSetDataFrame(body)
	if len(body) > flv.MaxScript {
		return errLongMessage
	}
	if err := flv.CheckAMF0(body); errors.Is(err, flv.ErrAMFDepth) {
		return fmt.Errorf("script: %w", err)
	}
	return take(g.tag(flv.Script, ts, body))
}

// split takes an aggregate message apart (RTMP 1.0, section 7.1.6): a run of tags
// whose first has the message's own timestamp.
func (g *tagger) split(ts uint32, body []byte, take func(flv.Tag) error) error {
	shift, first := uint32(0), true
	for t := range flv.Tags(body) {
		if first {
			shift, first = ts-t.Timestamp(), false
		}
		if err := g.tagOf(uint8(t.Type()), t.Timestamp()+shift, t.Body(), take); err != nil {
			return err
		}
	}
	return nil
}
