package ingest

import (
	"slices"
	"testing"

	"relay/ingest/flv"
)

// startsOf returns the timestamps of the tags at which viewers may start.
func startsOf(hasVideo bool, tags ...flv.Tag) []uint32 {
	var s starts
	var j flv.Judge
	var at []uint32
	for _, t := range tags {
		if s.at(t, j.Next(t), hasVideo) {
			at = append(at, t.Timestamp())
		}
	}
	return at
}

// sounds are frames of sound, 20 ms apart, in a time.
func sounds(from, to uint32) (tags []flv.Tag) {
	for ts := from; ts < to; ts += 20 {
		tags = append(tags, audio(ts, aacFrame))
	}
	return tags
}

// pictures are frames of one body, 40 ms apart, in a time.
func pictures(body string, from, to uint32) (tags []flv.Tag) {
	for ts := from; ts < to; ts += 40 {
		tags = append(tags, video(ts, body))
	}
	return tags
}

// recovery is a picture with a recovery point message in front (H.264, D.2.8).
const recovery = "\x27\x01\x00\x00\x00\x00\x00\x00\x05\x06\x06\x01\x84\x80\x00\x00\x00\x02\x41\x9a"

func TestViewersStartWhereTheyGetSomething(t *testing.T) {
	every := func(from, to, step uint32) (at []uint32) {
		for ts := from; ts < to; ts += step {
			at = append(at, ts)
		}
		return at
	}
	join := func(lists ...[]flv.Tag) []flv.Tag {
		all := append([]flv.Tag{video(0, avcConfig), audio(0, aacConfig)}, slices.Concat(lists...)...)
		slices.SortStableFunc(all, func(a, b flv.Tag) int { return int(a.Timestamp()) - int(b.Timestamp()) })
		return all
	}
	for name, c := range map[string]struct {
		tags []flv.Tag
		want []uint32
	}{
		"key frames": {
			join(pictures(avcInter, 0, 12_000), []flv.Tag{video(10, avcKey), video(9_990, avcKey)}, sounds(10, 12_000)),
			[]uint32{10, 9_990},
		},
		"sound before the first picture": {
			join(sounds(100, 400), []flv.Tag{video(400, avcKey)}, pictures(avcInter, 440, 800)),
			[]uint32{100, 400},
		},
		"no picture for 20 s": {
			join(sounds(0, 20_000), []flv.Tag{video(20_000, avcKey)}, sounds(20_000, 20_500)),
			slices.Concat([]uint32{0}, every(2000, 20_000, 20), []uint32{20_000}),
		},
		"pictures pause": {
			join([]flv.Tag{video(0, avcKey)}, pictures(avcInter, 40, 5000), sounds(0, 8000), []flv.Tag{video(8000, avcInter)}, sounds(8000, 8500)),
			slices.Concat([]uint32{0}, every(6960, 8000, 20)),
		},
		"one key frame and no other": {
			join([]flv.Tag{video(0, avcKey)}, pictures(avcInter, 40, 27_000), sounds(0, 27_000)),
			[]uint32{0, 20_000, 22_000, 24_000, 26_000},
		},
		"one key frame and intra refresh": {
			join([]flv.Tag{video(0, avcKey)}, pictures(avcInter, 40, 27_000), pictures(recovery, 19_000, 19_010), pictures(recovery, 21_010, 21_020), pictures(recovery, 26_010, 26_020)),
			[]uint32{0, 21_010, 26_010},
		},
		"no key frame at all": {
			join(pictures(avcInter, 0, 23_000)),
			[]uint32{20_000, 22_000},
		},
	} {
		if got := startsOf(true, c.tags...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := startsOf(false, sounds(0, 100)...); len(got) != 5 {
		t.Errorf("without video %v", got)
	}
}

func TestStartsGoByTimestampsThatWrap(t *testing.T) {
	const before = 1<<32 - 1000
	tags := append([]flv.Tag{video(before, avcConfig), video(before, avcKey)}, sounds(before, before+980)...)
	tags = append(tags, sounds(0, 1100)...)
	if got := startsOf(true, tags...); len(got) != 1+5 || got[1] != 1000 {
		t.Errorf("%v", got)
	}
}

func TestSourceIsToldThatKeyFramesHaveCeased(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, video(0, avcConfig), video(0, avcKey))
	for _, tag := range pictures(avcInter, 40, 19_960) {
		if write(t, s, tag); c.Status().Keyless {
			t.Fatalf("at %d ms", tag.Timestamp())
		}
	}
	write(t, s, video(20_000, avcInter))
	if !c.Status().Keyless {
		t.Error("not after 20 s")
	}
	write(t, s, video(20_040, avcKey))
	if c.Status().Keyless {
		t.Error("still after a key frame")
	}
}
