package ingesttest

import (
	"slices"

	"relay/ingest/flv"
)

// sounds are encoders whose sound is not as it should be.
func sounds(clip []flv.Tag) []Encoder {
	config := configOf(clip, flv.Audio)
	silent := where(clip, func(t flv.Tag) bool { return t.Type() != flv.Audio })
	alone := where(clip, func(t flv.Tag) bool { return t.Type() != flv.Video })
	// FLV's second byte of a frame says nothing of AAC: rate, size and channels are always
	// said to be the same (annex E.4.2.1).
	wrong := make([]flv.Tag, len(clip))
	for i, t := range clip {
		if t = slices.Clone(t); t.Type() == flv.Audio {
			t.Body()[0] = 0xa0 // 5.5 kHz, 8 bits, mono
		}
		wrong[i] = t
	}
	unconfigured := counted("sound without a configuration", where(clip, func(t flv.Tag) bool { return !isConfig(t, flv.Audio) }))
	unconfigured.Sounds = 0
	unconfigured.Unread = "nobody can know what the sound is"
	return append([]Encoder{
		counted("no sound", silent),
		counted("nothing but sound", alone),
		counted("sound that ends at 6 s", where(clip, func(t flv.Tag) bool { return !isFrame(t, flv.Audio) || t.Timestamp() < 6000 })),
		counted("no sound from 4 s to 9 s", where(clip, func(t flv.Tag) bool { return !isFrame(t, flv.Audio) || t.Timestamp() < 4000 || t.Timestamp() >= 9000 })),
		counted("sound that is announced and never comes", where(clip, func(t flv.Tag) bool { return !isFrame(t, flv.Audio) })),
		counted("sound's configuration before each key frame", beforeKeys(clip, config)),
		counted("sound in FLV's words of 5.5 kHz", wrong),
		unconfigured,
	}, otherSounds(clip)...)
}

// otherSounds are codecs of enhanced RTMP that nothing but FLV has a place for here.
func otherSounds(clip []flv.Tag) (all []Encoder) {
	for _, codec := range []string{"ac-3", "ec-3", "fLaC"} {
		var tags []flv.Tag
		for _, t := range clip {
			switch {
			case isConfig(t, flv.Audio):
				t = flv.NewTag(flv.Audio, t.Timestamp(), []byte("\x90"+codec+"config"))
			case t.Type() == flv.Audio:
				t = flv.NewTag(flv.Audio, t.Timestamp(), slices.Concat([]byte("\x91"+codec), t.Body()[2:]))
			}
			tags = append(tags, t)
		}
		e := counted("sound in "+codec, tags)
		e.Unheard, e.Unread = true, "they are of enhanced RTMP, which it does not know yet"
		all = append(all, e)
	}
	return all
}
