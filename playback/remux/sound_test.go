package remux

import (
	"bytes"
	"errors"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/nareix/joy4/format/flv/flvio"

	"relay/ingest/flv"
)

// mp3Frame is the start of a frame of MPEG-1 layer III, 128 kb/s, 44.1 kHz, mono.
var mp3Frame = []byte{0x2f, 0xff, 0xfb, 0x90, 0xc4, 0, 0, 0, 0}

// announcing is the metadata of a stream with MP3.
func announcing(fields flvio.AMFMap) flv.Tag {
	fields["audiocodecid"] = 2.0
	body := make([]byte, flvio.LenAMF0Val("onMetaData")+flvio.LenAMF0Val(fields))
	n := flvio.FillAMF0Val(body, "onMetaData")
	flvio.FillAMF0Val(body[n:], fields)
	return flv.NewTag(flv.Script, 0, body)
}

// TestMP3IsThereFromTheFirstPictureOn: it has no configuration that could come before
// its first frame, and players take no track that comes later.
func TestMP3IsThereFromTheFirstPictureOn(t *testing.T) {
	_, tags := clip(t, "video.flv")
	m := NewMP4()
	var out bytes.Buffer
	convert := func(tag flv.Tag) {
		got, err := m.Convert(flv.BatchOf(tag))
		if err != nil {
			t.Fatal(err)
		}
		got.WriteTo(&out)
	}
	convert(announcing(flvio.AMFMap{"audiosamplerate": 44100.0, "stereo": false}))
	for _, tag := range tags {
		if tag.Type() != flv.Video {
			continue
		}
		convert(tag)
		if !flv.Classify(tag).Config {
			convert(flv.NewTag(flv.Audio, tag.Timestamp(), mp3Frame))
		}
	}
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(out.Bytes())); err != nil {
		t.Fatal(err)
	}
	if len(init.Tracks) != 2 || init.Tracks[1].TimeScale != 44100 {
		t.Errorf("%d tracks, want video and MP3", len(init.Tracks))
	}
	if n := bytes.Count(out.Bytes(), []byte("moov")); n != 1 {
		t.Errorf("the tracks are described %d times", n)
	}
}

// TestTransportStreamCountsOn checks the continuity counters of a stream to which sound
// comes later.
func TestTransportStreamCountsOn(t *testing.T) {
	_, tags := clip(t, "video.flv")
	ts := NewTS()
	var out bytes.Buffer
	for i, tag := range append(tags, tags...) {
		batch := []flv.Tag{tag}
		if i >= len(tags) {
			batch = append(batch, flv.NewTag(flv.Audio, tag.Timestamp(), mp3Frame))
		}
		got, err := ts.Convert(flv.BatchOf(batch...))
		if err != nil {
			t.Fatal(err)
		}
		got.WriteTo(&out)
	}
	last := make(map[int]byte)
	for b := out.Bytes(); len(b) > 0; b = b[tsPacket:] {
		pid, n := int(b[1]&0x1f)<<8|int(b[2]), b[3]&0x0f
		if was, ok := last[pid]; ok && b[3]&0x10 != 0 && n != (was+1)&0x0f {
			t.Fatalf("PID %d: packet %d comes after %d", pid, n, was)
		}
		last[pid] = n
	}
	if len(last) != 4 { // two tables, pictures, sound
		t.Errorf("%d PIDs, want 4", len(last))
	}
}

// TestVP9IsRefusedByItsConfiguration: who asks is told before there is a frame.
func TestVP9IsRefusedByItsConfiguration(t *testing.T) {
	config := flv.NewTag(flv.Video, 0, append([]byte("\x90vp09"), 1, 0, 0, 0, 0, 10, 0x80, 1, 1, 1, 0, 0))
	var refused *CodecError
	if _, err := NewTS().Convert(flv.BatchOf(config)); !errors.As(err, &refused) || refused.Codec != "vp9" {
		t.Errorf("in MPEG-TS: %v", err)
	}
	if _, err := NewMP4().Convert(flv.BatchOf(config)); err != nil {
		t.Errorf("in MP4: %v", err)
	}
}

func TestSoundAloneThatNothingCarriesIsRefused(t *testing.T) {
	speex := flv.NewTag(flv.Audio, 0, []byte{0xb2, 1, 2, 3})
	told := announcing(flvio.AMFMap{"hasAudio": true, "hasVideo": false})
	body := bytes.Replace(told.Body(), []byte{0x40, 0, 0, 0, 0, 0, 0, 0}, []byte{0x40, 0x26, 0, 0, 0, 0, 0, 0}, 1) // 2 to 11
	for name, tag := range map[string]flv.Tag{"its frames": speex, "its metadata": flv.NewTag(flv.Script, 0, body)} {
		for container, convert := range map[string]converter{"MP4": NewMP4().Convert, "MPEG-TS": NewTS().Convert} {
			var refused *CodecError
			if _, err := convert(flv.BatchOf(tag)); !errors.As(err, &refused) || refused.Codec != "speex" {
				t.Errorf("Speex by %s in %s: %v", name, container, err)
			}
		}
	}
}
