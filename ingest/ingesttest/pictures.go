package ingesttest

import (
	"encoding/binary"
	"slices"

	"relay/ingest/flv"
)

// pictures are encoders whose H.264 is not as it should be.
func pictures(clip, other []flv.Tag) []Encoder {
	config := configOf(clip, flv.Video)
	return []Encoder{
		counted("the configuration before each key frame", beforeKeys(clip, config)),
		counted("pictures that end at 6 s", where(clip, func(t flv.Tag) bool { return !isFrame(t, flv.Video) || t.Timestamp() < 6000 })),
		anotherSize(clip, other),
		anotherSizeInBand(clip, other),
		sizesBackAndForth(clip, other),
		counted("the end of a sequence before each key frame", beforeKeys(clip, flv.NewTag(flv.Video, 0, []byte{0x17, 2, 0, 0, 0}))),
		counted("commands among the pictures", beforeKeys(clip, flv.NewTag(flv.Video, 0, []byte{0x57, 0}), flv.NewTag(flv.Video, 0, []byte{0x57, 1}), flv.NewTag(flv.Video, 0, []byte{0x52, 0}))),
		units("a delimiter and empty units in each picture", clip, func(key bool) [][]byte { return [][]byte{{9, 0xf0}, {}, {}} }),
		units("4 kB of filler in each picture", clip, func(bool) [][]byte {
			return [][]byte{append(slices.Repeat([]byte{0xff}, 4096), 0x80)}
		}, 12),
		units("key frames of 2 MB", clip, func(key bool) [][]byte {
			if !key {
				return nil
			}
			return [][]byte{append(slices.Repeat([]byte{0xff}, 2<<20), 0x80)}
		}, 12),
		units("parameter sets in each key frame", clip, func(key bool) [][]byte {
			if !key {
				return nil
			}
			sets, _ := flv.ParameterSetsOf(config)
			return sets.Units
		}),
		framed("disposable pictures", clip, func(key bool) byte {
			if key {
				return 1
			}
			return 3
		}),
		framed("key frames that servers have made", clip, func(key bool) byte {
			if key {
				return 4
			}
			return 2
		}),
		framed("key frames that are not marked", clip, func(bool) byte { return 2 }),
		strayCodec(clip),
		vvc(clip),
	}
}

// vvc are pictures that nothing but FLV has a place for here.
func vvc(clip []flv.Tag) Encoder {
	e := counted("pictures in vvc1", where(clip, func(t flv.Tag) bool { return t.Type() != flv.Video }))
	e.Tags = enhanced(clip, func(head, packet byte, rest []byte) []byte {
		return slices.Concat([]byte{head | packet}, []byte("vvc1"), rest)
	})
	e.Refused, e.Unread = "vvc", "they are of enhanced RTMP, which it does not know yet"
	return e
}

// strayCodec is an encoder that sends something else now and then.
func strayCodec(clip []flv.Tag) Encoder {
	e := counted("a codec that nobody knows among the pictures", beforeKeys(clip, flv.NewTag(flv.Video, 0, []byte("\x91zz99noise")), flv.NewTag(flv.Audio, 0, []byte("\x91zz99noise"))))
	e.Faulty = true // ffmpeg 5.1 takes the sound for AAC that changes
	return e
}

// anotherSize is a broadcaster who changes the resolution while it is on: a new configuration
// and pictures of it.
func anotherSize(clip, other []flv.Tag) Encoder {
	e := counted("another size from the middle on", changed(clip, videoOf(other)))
	e.Faulty = true // ffmpeg parses the first pictures with the sets of those before
	e.Late = 9000
	return e
}

// changed has other pictures in place of a clip's from 8 s on. The sound goes on.
func changed(clip, pictures []flv.Tag) []flv.Tag {
	const from = 8000
	end := from + pictures[len(pictures)-1].Timestamp()
	tags := where(clip, func(t flv.Tag) bool {
		return t.Timestamp() < from || t.Type() == flv.Audio && t.Timestamp() <= end
	})
	tags = slices.Concat(tags, shifted(pictures, from))
	slices.SortStableFunc(tags, func(a, b flv.Tag) int { return int(a.Timestamp()) - int(b.Timestamp()) })
	return tags
}

// anotherSizeInBand sends the new parameter sets in front of the pictures, and no configuration.
func anotherSizeInBand(clip, other []flv.Tag) Encoder {
	sets, _ := flv.ParameterSetsOf(configOf(other, flv.Video))
	var rest []flv.Tag
	for _, t := range videoOf(other) {
		switch {
		case isConfig(t, flv.Video):
			continue
		case isKey(t):
			t = withUnits(t, sets.Units)
		}
		rest = append(rest, t)
	}
	e := counted("another size from the middle on, without a configuration", changed(clip, rest))
	e.Late = 9000
	return e
}

// sizesBackAndForth goes back to the first size with the configuration that it began with.
func sizesBackAndForth(clip, other []flv.Tag) Encoder {
	e := anotherSizeInBand(clip, other)
	again := upTo(where(clip, func(t flv.Tag) bool { return t.Type() != flv.Script }), 6000)
	back := counted("another size for some seconds, without a configuration", slices.Concat(upTo(e.Tags, 10_000), shifted(again, 10_000)))
	back.Faulty = true // as above
	return back
}

// videoOf are the video tags of a clip.
func videoOf(clip []flv.Tag) []flv.Tag {
	return where(clip, func(t flv.Tag) bool { return t.Type() == flv.Video })
}

// upTo is the beginning of a clip.
func upTo(clip []flv.Tag, ms uint32) []flv.Tag {
	return where(clip, func(t flv.Tag) bool { return t.Timestamp() < ms })
}

func shifted(clip []flv.Tag, by uint32) (tags []flv.Tag) {
	for _, t := range clip {
		tags = append(tags, at(t.Timestamp()+by, t))
	}
	return tags
}

// withUnits puts NAL units in front of those of a picture, with lengths of 4 bytes.
func withUnits(t flv.Tag, units [][]byte) flv.Tag {
	body := slices.Clone(t.Body()[:5])
	for _, u := range units {
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(u))), u...)
	}
	return flv.NewTag(t.Type(), t.Timestamp(), append(body, t.Body()[5:]...))
}

// units puts NAL units in front of those of each picture. typ, if it is given, is their first
// byte.
func units(name string, clip []flv.Tag, more func(key bool) [][]byte, typ ...byte) Encoder {
	var tags []flv.Tag
	for _, t := range clip {
		if isFrame(t, flv.Video) {
			var all [][]byte
			for _, u := range more(isKey(t)) {
				all = append(all, append(slices.Clone(typ), u...))
			}
			t = withUnits(t, all)
		}
		tags = append(tags, t)
	}
	return counted(name, tags)
}

// framed changes what FLV says a picture is.
func framed(name string, clip []flv.Tag, typ func(key bool) byte) Encoder {
	var tags []flv.Tag
	for _, t := range clip {
		if isFrame(t, flv.Video) {
			key := isKey(t)
			t = slices.Clone(t)
			t.Body()[0] = typ(key)<<4 | t.Body()[0]&0x0f
		}
		tags = append(tags, t)
	}
	return counted(name, tags)
}
