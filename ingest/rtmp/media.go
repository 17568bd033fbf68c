package rtmp

import (
	"errors"
	"fmt"

	"relay/ingest/flv"
)

// tagsOf hands take the FLV tags in a message; there are none in most types. A
// script that is nested too deep is an error, so that it reaches no viewer.
func tagsOf(m message, take func(flv.Tag) error) error {
	ts := m.ms
	if m.typ == msgAggregate {
		return split(ts, m.body, take)
	}
	return tagOf(m.typ, ts, m.body, take)
}

func tagOf(typ uint8, ts uint32, body []byte, take func(flv.Tag) error) error {
	switch typ {
	case msgAudio:
		return take(flv.NewTag(flv.Audio, ts, body))
	case msgVideo:
		return take(flv.NewTag(flv.Video, ts, body))
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
	return take(flv.NewTag(flv.Script, ts, body))
}

// split takes an aggregate message apart (RTMP 1.0, section 7.1.6): a run of tags
// whose first has the message's own timestamp.
func split(ts uint32, body []byte, take func(flv.Tag) error) error {
	shift, first := uint32(0), true
	for t := range flv.Tags(body) {
		if first {
			shift, first = ts-t.Timestamp(), false
		}
		if err := tagOf(uint8(t.Type()), t.Timestamp()+shift, t.Body(), take); err != nil {
			return err
		}
	}
	return nil
}
