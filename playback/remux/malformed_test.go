package remux

import (
	"bytes"
	"net"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"relay/ingest/flv"
)

// converter is a container's Convert.
type converter func(flv.Batch) (net.Buffers, error)

// converters are those of all containers here.
func converters() map[string]converter {
	return map[string]converter{"MP4": NewMP4().Convert, "MPEG-TS": NewTS().Convert}
}

// converted is what one makes of tags.
func converted(t *testing.T, convert converter, tags []flv.Tag) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, tag := range tags {
		got, err := convert(flv.BatchOf(tag))
		if err != nil {
			t.Fatalf("% x: %v", tag.Body()[:min(8, len(tag.Body()))], err)
		}
		if _, err := got.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// A tag that is empty or cut short is left out, and nothing else.
func TestAMalformedTagCostsNoMoreThanItself(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	bad := map[string][]byte{
		"a key frame without a body":                  {0x17},
		"a key frame of which the type is left":       {0x17, 1},
		"a key frame with half an offset":             {0x17, 1, 0, 0},
		"a key frame with nothing in it":              {0x17, 1, 0, 0, 0},
		"a frame with nothing in it":                  {0x27, 1, 0, 0, 0},
		"a key frame of a packet type nobody knows":   {0x17, 9, 0, 0, 0, 1, 2, 3},
		"an enhanced key frame without a codec":       {0x91, 'h', 'v'},
		"an enhanced key frame with nothing in it":    []byte("\x91hvc1\x00\x00\x00"),
		"an enhanced key frame cut within its offset": []byte("\x91hvc1\x00"),
		"nothing": {},
	}
	for container := range converters() {
		want := converted(t, converters()[container], tags)
		for name, body := range bad {
			var all []flv.Tag
			for _, tag := range tags {
				all = append(all, tag, flv.NewTag(flv.Video, tag.Timestamp(), body))
			}
			for _, sound := range [][]byte{{}, {0xaf}, {0xaf, 1}} {
				all = append(all, flv.NewTag(flv.Audio, all[len(all)-1].Timestamp(), sound))
			}
			if got := converted(t, converters()[container], all); !bytes.Equal(got, want) {
				t.Errorf("%s in %s: %d bytes, without it %d", name, container, len(got), len(want))
			}
		}
	}
}

// As some cameras send it: the first configuration has no parameter sets, and the right one
// comes with a later key frame.
func TestAConfigurationMayComeLater(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	config := firstConfig(tags)
	empty := flv.NewTag(flv.Video, 0, []byte{0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe0, 0})
	var first []flv.Tag
	for _, tag := range tags {
		if !bytes.Equal(tag, config) {
			first = append(first, tag)
		}
	}
	first = append([]flv.Tag{empty}, first...)
	for name, convert := range converters() {
		out := converted(t, convert, first)
		if name == "MP4" {
			var init fmp4.Init
			if err := init.Unmarshal(bytes.NewReader(out)); err != nil || len(init.Tracks) != 1 || init.Tracks[0].Codec.IsVideo() {
				t.Errorf("before the right configuration: %v, %+v; want sound alone", err, init.Tracks)
			}
		}
		if len(out) == 0 {
			t.Errorf("%s: the sound does not play", name)
		}
		out = converted(t, convert, append([]flv.Tag{config}, tags...))
		if name == "MP4" {
			var init fmp4.Init
			if err := init.Unmarshal(bytes.NewReader(out[bytes.Index(out, []byte("ftyp"))-4:])); err != nil || len(init.Tracks) != 2 {
				t.Errorf("after the right configuration: %v, %+v; want both", err, init.Tracks)
			}
		}
		if len(out) < 100_000 {
			t.Errorf("%s: %d bytes after the right configuration", name, len(out))
		}
	}
}
