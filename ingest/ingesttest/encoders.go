package ingesttest

import (
	"encoding/binary"
	"slices"

	"relay/ingest/flv"
)

// Encoder is what one kind of encoder sends, tag by tag. What these are like was reported to
// the public trackers of servers for RTMP and FLV.
type Encoder struct {
	Name string
	Tags []flv.Tag
	// Pictures and Sounds are the frames that whoever watches from the beginning gets.
	Pictures, Sounds int
	// Keyless says that a late viewer may begin at a picture that a decoder cannot show.
	Keyless bool
	// Unread says why ffmpeg makes nothing of the tags themselves.
	Unread string
	// Faulty says that a reader of FLV complains of the tags themselves.
	Faulty bool
	// Unheard says that only FLV has a place for the sound.
	Unheard bool
	// Refused is the only codec, if only FLV has a place for it: then all others say so.
	Refused string
	// Lacks are outputs besides that have no place for a codec, by their suffix: then they say so.
	Lacks map[string]string
	// Mute is the suffix of an output besides that has none; "" for none.
	Mute string
	// Late is when a late viewer comes, in milliseconds.
	Late uint32
	// Dropped is how many tags are of no use to anybody.
	Dropped uint64
	// Sent is when each tag is sent, in milliseconds. If it is nil, the tags' timestamps say it.
	Sent []uint32
}

// Encoders returns encoders of all kinds, made of a clean clip of H.264 and AAC: configurations
// first, a key frame at 0 and every few seconds. Another clip of H.264 has pictures of another
// size.
func Encoders(clip, other []flv.Tag) []Encoder {
	return slices.Concat([]Encoder{
		clean(clip), lateParameterSets(clip), brokenKeyFrames(clip), shortTags(clip), pausedPictures(clip), noPictureAtFirst(clip),
		lateSound(clip), leadingSound(clip), startCodes(clip, true), startCodes(clip, false), oneKeyFrame(clip),
	}, wrapped(clip, other), pictures(clip, other), sounds(clip), clocks(clip), scripts(clip))
}

func clean(clip []flv.Tag) Encoder { return counted("as it should be", clip) }

// counted is an encoder whose frames all arrive.
func counted(name string, tags []flv.Tag) Encoder {
	e := Encoder{Name: name, Tags: tags, Late: 10_000}
	for _, t := range tags {
		switch {
		case isFrame(t, flv.Video):
			e.Pictures++
		case isFrame(t, flv.Audio):
			e.Sounds++
		}
	}
	return e
}

func isFrame(t flv.Tag, typ flv.Type) bool {
	c, ok := flv.Decode(t)
	return ok && t.Type() == typ && !c.Config
}

func isConfig(t flv.Tag, typ flv.Type) bool {
	c, ok := flv.Decode(t)
	return ok && t.Type() == typ && c.Config
}

func isKey(t flv.Tag) bool { return t.Type() == flv.Video && flv.Classify(t).Key }

// where returns the tags for which keep is true.
func where(tags []flv.Tag, keep func(flv.Tag) bool) (kept []flv.Tag) {
	for _, t := range tags {
		if keep(t) {
			kept = append(kept, t)
		}
	}
	return kept
}

// configOf returns the clip's first configuration.
func configOf(clip []flv.Tag, typ flv.Type) flv.Tag {
	return clip[slices.IndexFunc(clip, func(t flv.Tag) bool { return isConfig(t, typ) })]
}

// at is a tag with another timestamp.
func at(ts uint32, t flv.Tag) flv.Tag {
	t = slices.Clone(t)
	flv.PutTimestamp(t, ts)
	return t
}

// Cameras begin before they know their parameter sets.
func lateParameterSets(clip []flv.Tag) Encoder {
	const known = 4000
	config := configOf(clip, flv.Video)
	empty := flv.NewTag(flv.Video, 0, []byte{0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe0, 0})
	tags := []flv.Tag{empty}
	pictures := 0
	for _, t := range clip {
		if isConfig(t, flv.Video) {
			continue
		}
		if isKey(t) && t.Timestamp() == known {
			tags = append(tags, at(known, config))
		}
		if isFrame(t, flv.Video) && t.Timestamp() >= known {
			pictures++
		}
		tags = append(tags, t)
	}
	e := counted("parameter sets that come 4 s late", tags)
	e.Pictures, e.Dropped = pictures, 1
	e.Unread = "pictures come before anybody can know how they are framed"
	return e
}

// Encoders that are overloaded send frames with nothing in them, networks cut them.
func brokenKeyFrames(clip []flv.Tag) Encoder {
	var tags []flv.Tag
	dropped := uint64(0)
	for _, t := range clip {
		tags = append(tags, t)
		if isKey(t) {
			tags = append(tags, flv.NewTag(flv.Video, t.Timestamp(), t.Body()[:5]), flv.NewTag(flv.Video, t.Timestamp(), t.Body()[:len(t.Body())/2]))
			dropped += 2
		}
	}
	e := counted("an empty key frame and half of one behind each", tags)
	e.Pictures, e.Dropped = e.Pictures-int(dropped/2), dropped
	return e
}

func shortTags(clip []flv.Tag) Encoder {
	bodies := map[flv.Type][]string{flv.Video: {"", "\x17", "\x17\x01", "\x27"}, flv.Audio: {"", "\xaf", "\xaf\x01"}}
	var tags []flv.Tag
	dropped := uint64(0)
	for _, t := range clip {
		for _, b := range bodies[t.Type()] {
			tags = append(tags, flv.NewTag(t.Type(), t.Timestamp(), []byte(b)))
			dropped++
		}
		tags = append(tags, t)
	}
	e := counted("tags of 0 to 2 bytes in front of each", tags)
	e.Dropped = dropped
	return e
}

// Whoever switches the camera off goes on speaking.
func pausedPictures(clip []flv.Tag) Encoder {
	return counted("no picture from 4 s to 8 s", where(clip, func(t flv.Tag) bool {
		return !isFrame(t, flv.Video) || t.Timestamp() < 4000 || t.Timestamp() >= 8000
	}))
}

func noPictureAtFirst(clip []flv.Tag) Encoder {
	return counted("no picture for 6 s", where(clip, func(t flv.Tag) bool { return !isFrame(t, flv.Video) || t.Timestamp() >= 6000 }))
}

// Sound that is switched on later has its configuration then.
func lateSound(clip []flv.Tag) Encoder {
	const on = 3000
	config := configOf(clip, flv.Audio)
	var tags []flv.Tag
	told := false
	for _, t := range clip {
		if t.Type() == flv.Audio && t.Timestamp() < on {
			continue
		}
		if t.Type() == flv.Audio && !told {
			tags, told = append(tags, at(t.Timestamp(), config)), true
		}
		tags = append(tags, t)
	}
	return counted("sound from 3 s on", tags)
}

func leadingSound(clip []flv.Tag) Encoder {
	const lead = 300
	var tags []flv.Tag
	for _, t := range clip {
		if isFrame(t, flv.Video) {
			t = at(t.Timestamp()+lead, t)
		}
		tags = append(tags, t)
	}
	slices.SortStableFunc(tags, func(a, b flv.Tag) int { return int(a.Timestamp()) - int(b.Timestamp()) })
	return counted("sound 300 ms before the first picture", tags)
}

// Some encoders wrap what their chip gives, start codes and all.
func startCodes(clip []flv.Tag, config bool) Encoder {
	sets, _ := flv.ParameterSetsOf(configOf(clip, flv.Video))
	code := []byte{0, 0, 0, 1}
	var inBand []byte
	for _, u := range sets.Units {
		inBand = slices.Concat(inBand, code, u)
	}
	var tags []flv.Tag
	for _, t := range clip {
		if t.Type() != flv.Video {
			tags = append(tags, t)
			continue
		}
		body := slices.Clone(t.Body()[:5])
		switch {
		case isConfig(t, flv.Video) && !config:
			continue
		case isConfig(t, flv.Video):
			body = append(body, inBand...)
		default:
			if isKey(t) {
				body = append(body, inBand...)
			}
			for b := t.Body()[5:]; len(b) >= sets.LenSize; {
				n := binary.BigEndian.Uint32(b)
				body = slices.Concat(body, code, b[4:4+n])
				b = b[4+n:]
			}
		}
		tags = append(tags, flv.NewTag(flv.Video, t.Timestamp(), body))
	}
	e := counted("start codes, and a configuration of them", tags)
	if !config {
		e.Name = "start codes, and no configuration"
	}
	e.Pictures = counted("", clip).Pictures
	return e
}

// enhanced makes each video tag one of enhanced RTMP, with something behind its first byte.
func enhanced(clip []flv.Tag, wrap func(head, packet byte, rest []byte) []byte) []flv.Tag {
	var tags []flv.Tag
	for _, t := range clip {
		if b := t.Body(); t.Type() == flv.Video {
			frame := b[0] & 0x70
			body := wrap(0x80|frame, b[1], b[2:])
			if b[1] == 0 { // a configuration has no offset
				body = wrap(0x80|frame, 0, b[5:])
			}
			t = flv.NewTag(flv.Video, t.Timestamp(), body)
		}
		tags = append(tags, t)
	}
	return tags
}

// wrapped are encoders that put something in front of what their pictures are.
func wrapped(clip, other []flv.Tag) (all []Encoder) {
	for _, e := range []Encoder{clean(clip), startCodes(clip, false), anotherSize(clip, other)} {
		for _, w := range []struct {
			in   string
			wrap func(head, packet byte, rest []byte) []byte
		}{
			{"behind a nanosecond offset", func(head, packet byte, rest []byte) []byte {
				const modEx = 7
				return slices.Concat([]byte{head | modEx, 2, 0, 1, 2, packet}, []byte("avc1"), rest)
			}},
			{"in one track of many that might be", func(head, packet byte, rest []byte) []byte {
				const multitrack = 6
				return slices.Concat([]byte{head | multitrack, packet}, []byte("avc1\x00"), rest)
			}},
			{"in the first of two tracks", func(head, packet byte, rest []byte) []byte {
				const multitrack = 6
				track := slices.Concat([]byte{byte(len(rest) >> 16), byte(len(rest) >> 8), byte(len(rest))}, rest)
				return slices.Concat([]byte{head | multitrack, 0x10 | packet}, []byte("avc1\x00"), track, []byte{1}, track)
			}},
		} {
			if e.Name == "start codes, and no configuration" && w.in == "in the first of two tracks" {
				continue // as they are sent: nobody knows such an encoder
			}
			one := e
			one.Name, one.Tags = e.Name+", "+w.in, enhanced(e.Tags, w.wrap)
			one.Unread = "they are of enhanced RTMP, which it does not know yet"
			all = append(all, one)
		}
	}
	return all
}

// An encoder with intra refresh has one key frame, at its start.
func oneKeyFrame(clip []flv.Tag) Encoder {
	var tags []flv.Tag
	length := clip[len(clip)-1].Timestamp() + 33
	first := true
	for round := range uint32(3) {
		for _, t := range clip {
			if t.Type() == flv.Script || isConfig(t, t.Type()) {
				if round == 0 {
					tags = append(tags, t)
				}
				continue
			}
			t = at(t.Timestamp()+round*length, t)
			if isKey(t) && !first {
				t[flv.TagHeaderLen] = 0x27
			}
			first = first && !isKey(t)
			tags = append(tags, t)
		}
	}
	e := counted("one key frame and no other in 48 s", tags)
	e.Keyless, e.Late = true, 45_000 // what a ring holds then has no key frame
	return e
}

// When is when a tag is sent, in milliseconds.
func (e Encoder) When(i int) uint32 {
	if e.Sent != nil {
		return e.Sent[i]
	}
	return e.Tags[i].Timestamp()
}

// From counts the frames that are sent from a moment on, in milliseconds.
func (e Encoder) From(ms uint32) (pictures, sounds int) {
	var rest []flv.Tag
	for i, t := range e.Tags {
		if e.When(i) >= ms {
			rest = append(rest, t)
		}
	}
	c := counted("", rest)
	return c.Pictures, c.Sounds
}
