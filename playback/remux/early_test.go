package remux

import (
	"fmt"
	"slices"
	"testing"

	"relay/ingest/flv"
)

// notes is a container that notes what it gets.
type notes struct{ all []string }

func (n *notes) open(video, audio *track) error {
	n.all = append(n.all, fmt.Sprintf("open %t %t", video != nil, audio != nil))
	return nil
}

func (n *notes) write(t *track, f frame) error {
	n.all = append(n.all, fmt.Sprintf("%s %d %t", t.name, f.at*1000/t.rate, f.key))
	return nil
}

func (n *notes) carries(*track) bool { return true }
func (n *notes) soundWaits() uint32  { return 100 }
func (n *notes) patience() uint32    { return 3000 }
func (n *notes) name() string        { return "notes" }

// noted gives tags to such a container.
func noted(t *testing.T, tags ...flv.Tag) []string {
	t.Helper()
	var n notes
	d := demuxer{to: &n}
	if err := d.add(flv.BatchOf(tags...)); err != nil {
		t.Fatal(err)
	}
	return n.all
}

var (
	avc = flv.NewTag(flv.Video, 0, []byte("\x17\x00\x00\x00\x00\x01\x42\xc0\x1e\xff\xe1\x00\x18\x67\x42\xc0\x1e\xd9\x00\xa0\x5b\xa1\x00\x00\x03\x00\x01\x00\x00\x03\x00\x32\x0f\x16\x2e\x48\x00\x01\x00\x05\x68\xcb\x83\xcb\x20"))
	asc = flv.NewTag(flv.Audio, 0, []byte("\xaf\x00\x11\x90")) // 48 kHz
)

func key(ts uint32) flv.Tag {
	return flv.NewTag(flv.Video, ts, []byte("\x17\x01\x00\x00\x00\x00\x00\x00\x01\x65"))
}

func inter(ts uint32) flv.Tag {
	return flv.NewTag(flv.Video, ts, []byte("\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41"))
}
func heardAt(ts uint32) flv.Tag { return flv.NewTag(flv.Audio, ts, []byte("\xaf\x01\x21")) }

// line are frames at a step, in a time.
func line(make func(uint32) flv.Tag, from, to, step uint32) (tags []flv.Tag) {
	for ts := from; ts < to; ts += step {
		tags = append(tags, make(ts))
	}
	return tags
}

func TestSoundBeforeTheFirstPictureIsAllThere(t *testing.T) {
	got := noted(t, avc, asc, heardAt(0), heardAt(21), heardAt(43), key(64), heardAt(64))
	want := []string{"open true true", "aac 0 true", "aac 21 true", "aac 42 true", "h264 64 true", "aac 64 true"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSoundPlaysWherePicturesDoNotCome(t *testing.T) {
	const frames = 234 // 5 s
	tags := []flv.Tag{avc, asc}
	for i := range uint32(frames) {
		tags = append(tags, heardAt(i*64/3))
	}
	tags = append(tags, key(5000), heardAt(frames*64/3), inter(5040))
	got := noted(t, tags...)
	if len(got) < 1+frames || got[0] != "open false true" || got[1] != "aac 0 true" {
		t.Fatalf("%d: %q…", len(got), got[:min(3, len(got))])
	}
	if want := []string{"open true true", "h264 5000 true", "aac 4992 true", "h264 5040 false"}; !slices.Equal(got[1+frames:], want) {
		t.Errorf("%q, want %q", got[1+frames:], want)
	}
}

func TestAStreamWithoutKeyFramesIsPlayedFromSomewhere(t *testing.T) {
	// A reader begins at a place to start, so what comes first is one.
	got := noted(t, append([]flv.Tag{avc}, line(inter, 40, 2000, 40)...)...)
	if want := []string{"open true false", "h264 40 true", "h264 80 false"}; !slices.Equal(got[:3], want) || len(got) != 1+49 {
		t.Errorf("%d: %q, want %q", len(got), got[:3], want)
	}
	soundFirst := append([]flv.Tag{avc, asc, heardAt(0)}, line(inter, 40, 2000, 40)...)
	got = noted(t, soundFirst...)
	if want := []string{"open true true", "aac 0 true", "h264 1040 true", "h264 1080 false"}; !slices.Equal(got[:4], want) || len(got) != 2+24 {
		t.Errorf("%d: %q, want %q", len(got), got[:4], want)
	}
	got = noted(t, append(soundFirst[:20:20], key(900), inter(940))...)
	if want := []string{"open true true", "aac 0 true", "h264 900 true", "h264 940 false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A key frame would do, but a stream with intra refresh has none.
func TestAPlaceToStartIsMarkedAsSuch(t *testing.T) {
	var n notes
	d := demuxer{to: &n}
	for _, b := range []struct {
		start bool
		tags  []flv.Tag
	}{
		{false, []flv.Tag{avc, asc, key(0), inter(40)}},
		{true, []flv.Tag{avc, inter(80), inter(120)}}, // a configuration need not be a batch of its own
		{true, []flv.Tag{avc}},
		{false, []flv.Tag{inter(160), inter(200)}},
		{true, []flv.Tag{heardAt(200), inter(240)}}, // where sound starts, pictures need not
	} {
		batch := flv.BatchOf(b.tags...)
		batch.Start = b.start
		if err := d.add(batch); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"open true true", "h264 0 true", "h264 40 false", "h264 80 true", "h264 120 false", "h264 160 true", "h264 200 false", "aac 200 true",
		"h264 240 false",
	}
	if !slices.Equal(n.all, want) {
		t.Errorf("%q, want %q", n.all, want)
	}
}

// The container that notes waits 100 ms for a key frame.
func TestSoundThatIsSwitchedOnLaterJoins(t *testing.T) {
	tags := append([]flv.Tag{avc, key(0)}, line(inter, 40, 1000, 40)...)
	tags = append(tags, asc, heardAt(1000), inter(1000), heardAt(1021), inter(1040))
	got := noted(t, append(tags[:len(tags):len(tags)], key(1080), heardAt(1080))...)
	if want := []string{"h264 1000 false", "h264 1040 false", "open true true", "aac 1000 true", "aac 1021 true", "h264 1080 true", "aac 1042 true"}; !slices.Equal(got[len(got)-7:], want) {
		t.Errorf("%q, want %q", got[len(got)-7:], want)
	}
	got = noted(t, append(tags[:len(tags):len(tags)], heardAt(1042), inter(1080), heardAt(1100), inter(1120))...)
	if want := []string{"h264 1080 false", "open true true", "aac 1000 true", "aac 1021 true", "aac 1042 true", "aac 1064 true", "h264 1120 false"}; !slices.Equal(got[len(got)-7:], want) {
		t.Errorf("%q, want %q", got[len(got)-7:], want)
	}
}

// between leaves out the frames of a time.
func between(tags []flv.Tag, typ flv.Type, from, to uint32) []flv.Tag {
	return slices.DeleteFunc(tags, func(t flv.Tag) bool { return t.Type() == typ && t.Timestamp() >= from && t.Timestamp() < to })
}

// TestATrackThatCeasesIsLeftOut takes away the sound of some seconds, and the pictures of some
// others. A browser would stop where they do.
func TestATrackThatCeasesIsLeftOut(t *testing.T) {
	var tags []flv.Tag
	for ts := uint32(0); ts < 30_000; ts += 40 {
		picture := inter(ts)
		if ts%2000 == 0 {
			picture = key(ts)
		}
		tags = append(tags, picture, heardAt(ts))
	}
	opens := func(tags []flv.Tag) (all []string) {
		got := noted(t, slices.Concat([]flv.Tag{avc, asc}, tags)...)
		for i, g := range got[:len(got)-1] {
			if g[:4] == "open" {
				all = append(all, g+", "+got[i+1])
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		tags []flv.Tag
		want []string
	}{
		"both go on":    {tags, []string{"open true true, h264 0 true"}},
		"a short pause": {between(slices.Clone(tags), flv.Audio, 5000, 7500), []string{"open true true, h264 0 true"}},
		"no sound for a while": {
			between(slices.Clone(tags), flv.Audio, 5000, 15_000),
			// It joins after 100 ms, as this container has it.
			[]string{"open true true, h264 0 true", "open true false, h264 8000 true", "open true true, aac 15000 true"},
		},
		"no sound from the beginning on": {between(slices.Clone(tags), flv.Audio, 0, 30_000), []string{"open true true, h264 0 true", "open true false, h264 4000 true"}},
		"no pictures for a while": {
			between(slices.Clone(tags), flv.Video, 5000, 15_000),
			[]string{"open true true, h264 0 true", "open false true, aac 7941 true", "open true true, h264 16000 true"},
		},
		"nothing at all for a while": {
			between(between(slices.Clone(tags), flv.Video, 5000, 15_000), flv.Audio, 5000, 15_000),
			[]string{"open true true, h264 0 true"},
		},
	} {
		if got := opens(c.tags); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestHeldSoundIsBounded(t *testing.T) {
	var e early
	for i := range maxEarly {
		if !e.hold(7, []byte{byte(i)}, 1000) {
			t.Fatalf("%d frames are held", i)
		}
	}
	if e.hold(7, nil, 1000) {
		t.Errorf("%d frames are held", len(e.sound))
	}
	if got := e.release(); len(got) != maxEarly || len(e.release()) != 0 {
		t.Errorf("%d released", len(got))
	}
}
