package ingesttest

import (
	"slices"

	"relay/ingest/flv"
)

// clocks are encoders with other timestamps than they should have. They send at the right pace.
func clocks(clip []flv.Tag) []Encoder {
	const second = 1000
	return []Encoder{
		timed("timestamps that pass 2^32 ms", clip, func(t flv.Tag, ts uint32) uint32 { return ts - 5*second }),
		timed("timestamps that pass 2^31 ms", clip, func(t flv.Tag, ts uint32) uint32 { return ts + 1<<31 - 5*second }),
		timed("24 hours of timestamps already", clip, func(t flv.Tag, ts uint32) uint32 { return ts + 24*3600*second }),
		timed("a jump by an hour", clip, func(t flv.Tag, ts uint32) uint32 {
			if ts >= 5*second {
				return ts + 3600*second
			}
			return ts
		}),
		timed("a clock that begins anew", clip, func(t flv.Tag, ts uint32) uint32 {
			if ts >= 6*second {
				return ts - 6*second
			}
			return ts
		}),
		timed("every fifth timestamp 120 ms too early", clip, func(t flv.Tag, ts uint32) uint32 {
			if ts%5 == 0 && ts > 120 {
				return ts - 120
			}
			return ts
		}),
		timed("a clock that is 1% too fast", clip, func(t flv.Tag, ts uint32) uint32 { return ts + ts/100 }),
		timed("a clock that ticks every 100 ms", clip, func(t flv.Tag, ts uint32) uint32 { return ts - ts%100 }),
		timed("sound that is 3 s ahead", clip, func(t flv.Tag, ts uint32) uint32 {
			if t.Type() == flv.Audio {
				return ts + 3*second
			}
			return ts
		}),
		timed("sound that is 3 s behind", clip, func(t flv.Tag, ts uint32) uint32 {
			if t.Type() == flv.Video {
				return ts + 3*second
			}
			return ts
		}),
		timed("no timestamps", clip, func(flv.Tag, uint32) uint32 { return 0 }),
		shown("pictures that are shown before they are decoded", clip, -80),
		shown("pictures that are shown 5 s after they are decoded", clip, 5*second),
	}
}

// timed gives each tag another timestamp.
func timed(name string, clip []flv.Tag, other func(t flv.Tag, ts uint32) uint32) Encoder {
	var tags []flv.Tag
	var sent []uint32
	for _, t := range clip {
		tags = append(tags, at(other(t, t.Timestamp()), t))
		sent = append(sent, t.Timestamp())
	}
	e := counted(name, tags)
	e.Sent = sent
	return e
}

// shown moves the composition time offset of each picture, in milliseconds.
func shown(name string, clip []flv.Tag, by int32) Encoder {
	var tags []flv.Tag
	for _, t := range clip {
		if isFrame(t, flv.Video) {
			c, _ := flv.Decode(t)
			o := c.Offset + by
			t = slices.Clone(t)
			copy(t.Body()[2:5], []byte{byte(o >> 16), byte(o >> 8), byte(o)})
		}
		tags = append(tags, t)
	}
	return counted(name, tags)
}
