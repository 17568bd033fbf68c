package remux

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"

	"relay/ingest/flv"
)

// clip returns the bytes and the tags of a sample stream: H.264 with B-frames or
// without, and AAC.
func clip(t testing.TB, name string) ([]byte, []flv.Tag) {
	t.Helper()
	path := filepath.Join("..", "..", "testdata", "flv", name)
	if name == "demo.flv" {
		path = filepath.Join("..", "..", "cli", "demo", name)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := flv.NewReader(bytes.NewReader(b))
	var tags []flv.Tag
	for {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b, tags
		} else if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
}

// pieces makes batches of a stream's tags: some in each, in pieces of any length up to
// most.
func pieces(rnd *rand.Rand, tags []flv.Tag, most int) (all []flv.Batch) {
	for len(tags) > 0 {
		n := min(1+rnd.IntN(4), len(tags))
		batch := flv.BatchOf(tags[:n]...)
		rest := bytes.Join(batch.Parts, nil)
		batch.Parts = nil
		for len(rest) > 0 {
			n := min(1+rnd.IntN(most), len(rest))
			batch.Parts = append(batch.Parts, rest[:n])
			rest = rest[n:]
		}
		all = append(all, batch)
		tags = tags[n:]
	}
	return all
}

// joined is one slice of several.
func joined(all [][]byte) []byte { return bytes.Join(all, nil) }

// media are the frames of tags, in order.
func media(tags []flv.Tag, typ flv.Type) (all []flv.Coded, ts []uint32) {
	for _, t := range tags {
		if c, ok := flv.Decode(t); ok && t.Type() == typ && !c.Config {
			all, ts = append(all, c), append(ts, t.Timestamp())
		}
	}
	return all, ts
}

func TestMP4HoldsEveryFrameAtItsTime(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	_, tags := clip(t, "demo.flv")
	m := NewMP4()
	var out bytes.Buffer
	for _, batch := range pieces(rnd, tags, 4000) {
		got, err := m.Convert(batch)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteTo(&out)
	}

	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(out.Bytes())); err != nil {
		t.Fatal(err)
	}
	if len(init.Tracks) != 2 || !init.Tracks[0].Codec.IsVideo() || init.Tracks[1].Codec.IsVideo() {
		t.Fatalf("%d tracks, want video and then audio", len(init.Tracks))
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	for i, typ := range []flv.Type{flv.Video, flv.Audio} {
		want, ts := media(tags, typ)
		rate := int64(init.Tracks[i].TimeScale)
		n, end := 0, int64(-1)
		for _, p := range parts {
			for _, tr := range p.Tracks {
				if tr.ID != i+1 {
					continue
				}
				at := int64(tr.BaseTime)
				for _, s := range tr.Samples {
					if n >= len(want) || !bytes.Equal(s.Payload, want[n].Data) {
						t.Fatalf("track %d, frame %d is not the one that was sent", i+1, n)
					}
					if d := at*1000/rate - int64(ts[n]); d < -40 || d > 40 || i == 0 && d != 0 {
						t.Errorf("track %d, frame %d is %d ms off", i+1, n, d)
					}
					if i == 0 && (int64(s.PTSOffset) != int64(want[n].Offset)*rate/1000 || s.IsNonSyncSample == want[n].Key) {
						t.Errorf("frame %d has offset %d, key %v", n, s.PTSOffset, !s.IsNonSyncSample)
					}
					if i == 1 && end >= 0 && at != end {
						t.Errorf("audio frame %d begins at %d, the one before ends at %d", n, at, end)
					}
					n++
					at += int64(s.Duration)
					end = at
				}
			}
		}
		if n != len(want) || n == 0 {
			t.Errorf("track %d has %d frames, want %d", i+1, n, len(want))
		}
	}
}

func TestMPEGTSHoldsEveryFrame(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	ts := NewTS()
	var out bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, batch := range pieces(rnd, tags, 4000) {
		got, err := ts.Convert(batch)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteTo(&out)
	}
	r := &mpegts.Reader{R: &out}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	video, times := media(tags, flv.Video)
	audio, _ := media(tags, flv.Audio)
	var pictures, sounds int
	for _, tr := range r.Tracks() {
		if tr.Codec.IsVideo() {
			r.OnDataH264(tr, func(pts, dts int64, au [][]byte) error {
				if want := (int64(times[pictures]) + 1000) * 90; dts != want || pts != want+int64(video[pictures].Offset)*90 {
					t.Errorf("picture %d is decoded at %d and shown at %d, want %d", pictures, dts, pts, want)
				}
				if key := h264.IsRandomAccess(au); key != video[pictures].Key {
					t.Errorf("picture %d: key %v, want %v", pictures, key, video[pictures].Key)
				}
				sps := false
				for _, u := range au {
					sps = sps || h264.NALUType(u[0]&0x1f) == h264.NALUTypeSPS
				}
				if video[pictures].Key && !sps {
					t.Errorf("picture %d is one to start at and has no parameter sets", pictures)
				}
				pictures++
				return nil
			})
		} else {
			r.OnDataMPEG4Audio(tr, func(_ int64, aus [][]byte) error {
				for _, au := range aus {
					if !bytes.Equal(au, audio[sounds].Data) {
						t.Errorf("audio frame %d is another one", sounds)
					}
					sounds++
				}
				return nil
			})
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	// A reader gives a frame out when the next one begins.
	if pictures < len(video)-1 || sounds < len(audio)-1 {
		t.Errorf("%d pictures and %d audio frames, want %d and %d", pictures, sounds, len(video), len(audio))
	}
}

func TestMP4BeginsAnewWhenParametersChange(t *testing.T) {
	_, small := clip(t, "demo.flv")
	_, other := clip(t, "video.flv")
	m := NewMP4()
	var out bytes.Buffer
	for _, tags := range [][]flv.Tag{small, other} {
		for _, tag := range tags {
			got, err := m.Convert(flv.BatchOf(tag))
			if err != nil {
				t.Fatal(err)
			}
			got.WriteTo(&out)
		}
	}
	if n := bytes.Count(out.Bytes(), []byte("ftyp")); n != 2 {
		t.Errorf("%d ftyp boxes, want 2", n)
	}
	at := bytes.LastIndex(out.Bytes(), []byte("ftyp")) - 4
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(out.Bytes()[at:])); err != nil {
		t.Fatal(err)
	}
	c, ok := init.Tracks[0].Codec.(*codecs.H264)
	video, _ := flv.Decode(firstConfig(other))
	sets, _ := video.ParameterSets()
	if !ok || !bytes.Equal(c.SPS, sets.Units[0]) {
		t.Error("the second one has not the second clip's parameters")
	}
	// Who passes over it finds them in the pictures to start at.
	keys, _ := media(other, flv.Video)
	for i, c := range keys {
		inBand := bytes.Contains(out.Bytes()[at:], slices.Concat(sets.Framed(), c.Data))
		if inBand != c.Key {
			t.Errorf("picture %d, to start at %v, has them: %v", i, c.Key, inBand)
		}
	}
}

func firstConfig(tags []flv.Tag) flv.Tag {
	for _, t := range tags {
		if c, ok := flv.Decode(t); ok && c.Config && t.Type() == flv.Video {
			return t
		}
	}
	return nil
}

func TestWhatCannotBeCarriedIsRefused(t *testing.T) {
	av1 := flv.NewTag(flv.Video, 0, append([]byte{0x90, 'a', 'v', '0', '1', 0x81, 8, 12, 0}, av1Sequence...))
	var refused *CodecError
	if _, err := NewTS().Convert(flv.BatchOf(av1)); !errors.As(err, &refused) || refused.Codec != "av1" {
		t.Errorf("AV1 in MPEG-TS: %v", err)
	}
	if _, err := NewMP4().Convert(flv.BatchOf(av1)); err != nil {
		t.Errorf("AV1 in MP4: %v", err)
	}
	h263 := flv.NewTag(flv.Video, 0, []byte{0x12, 1, 2, 3, 4, 5})
	for name, convert := range map[string]converter{"MP4": NewMP4().Convert, "MPEG-TS": NewTS().Convert} {
		if _, err := convert(flv.BatchOf(h263)); !errors.As(err, &refused) || refused.Codec != "h263" {
			t.Errorf("H.263 in %s: %v", name, err)
		}
	}
}

// av1Sequence is a sequence header OBU with its size, 640x360 (AV1, 5.5).
var av1Sequence = []byte{0x0a, 0x0b, 0x00, 0x00, 0x00, 0x42, 0xa7, 0xbf, 0xe4, 0x60, 0x0d, 0x00, 0x40}

func TestSoundThatCannotBeCarriedIsLeftOut(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	m := NewMP4()
	var out bytes.Buffer
	for _, tag := range tags {
		if tag.Type() == flv.Audio {
			tag = flv.NewTag(flv.Audio, tag.Timestamp(), []byte{0xb2, 1, 2, 3}) // Speex
		}
		got, err := m.Convert(flv.BatchOf(tag))
		if err != nil {
			t.Fatal(err)
		}
		got.WriteTo(&out)
	}
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(out.Bytes())); err != nil {
		t.Fatal(err)
	}
	if len(init.Tracks) != 1 || !init.Tracks[0].Codec.IsVideo() {
		t.Errorf("%d tracks, want video alone", len(init.Tracks))
	}
}

func TestClockGoesOnWhereMillisecondsWrap(t *testing.T) {
	var w wrap
	var c clock
	last := c.video(w.at(1<<32 - 20))
	for i := range uint32(5) {
		at := c.video(w.at(1<<32 - 10 + 10*i))
		if at != last+10*videoRate/1000 {
			t.Fatalf("step %d goes from %d to %d", i, last, at)
		}
		last = at
	}
}

// A track that begins later than the other is in time with it, also after the 49 days that 32 bits
// of milliseconds last.
func TestALateTrackIsInTimeAfterTheWrap(t *testing.T) {
	var tags []flv.Tag
	for _, tag := range []flv.Tag{avc, key(0), inter(40), asc, heardAt(40), heardAt(61), key(80), heardAt(82)} {
		ts := tag.Timestamp() - 30
		tags = append(tags, flv.NewTag(tag.Type(), ts, tag.Body()))
	}
	got := noted(t, tags...)
	want := []string{
		"open true false", "h264 4294967266 true", "h264 4294967306 false",
		"open true true", "aac 4294967306 true", "aac 4294967327 true", "h264 4294967346 true", "aac 4294967348 true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAudioIsJoinedWithoutGaps(t *testing.T) {
	const rate = 44100
	var c clock
	end := int64(-1)
	for i := range 1000 {
		ts := int64(i * aacFrame * 1000 / rate) // rounded, as FLV has it
		at := c.audio(ts, rate, aacFrame)
		if end >= 0 && at != end {
			t.Fatalf("frame %d begins at %d, the one before ends at %d", i, at, end)
		}
		end = at + aacFrame
	}
	if at := c.audio(end*1000/rate+500, rate, aacFrame); at < end+rate/3 {
		t.Errorf("after a pause of 0.5 s the next frame begins %d samples later", at-end)
	}
}

// FuzzConvert gives the containers tags of a hostile source. The seeds are small: what
// is found is made smaller first, and that takes its time.
func FuzzConvert(f *testing.F) {
	for _, name := range []string{"demo.flv", "audio.flv", "video.flv"} {
		_, tags := clip(f, name)
		var seed []byte
		for _, tag := range tags {
			if len(seed)+len(tag) < 1500 {
				seed = append(seed, tag...)
			}
		}
		key := []byte{0x17, 1, 0, 0, 80, 0, 0, 0, 3, 0x65, 0x88, 0x84}
		seed = append(seed, flv.NewTag(flv.Video, 40, key)...)
		f.Add(append(seed, flv.NewTag(flv.Audio, 40, []byte{0xaf, 1, 0x21, 0x10})...))
	}
	f.Add([]byte(flv.NewTag(flv.Video, 0, append([]byte{0x90, 'a', 'v', '0', '1', 0x81, 8, 12, 0}, av1Sequence...))))
	f.Add([]byte(flv.NewTag(flv.Video, 0, []byte("\x90vp09\x01\x00\x00\x00"))))
	f.Add([]byte(flv.NewTag(flv.Video, 0, []byte("\x90hvc1\x01\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x5d\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f\x00"))))
	f.Add([]byte(flv.NewTag(flv.Audio, 0, []byte("\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		tags := slices.Collect(flv.Tags(b))
		half := len(tags) / 2
		for _, c := range []joinable{NewMP4(), NewTS()} {
			for _, part := range [][]flv.Tag{tags[:half], tags[half:]} {
				batch := flv.BatchOf(part...)
				batch.Start = true
				if _, err := c.Convert(batch); err != nil {
					break
				}
				if _, err := c.Join(true); err != nil {
					t.Fatal(err)
				}
			}
		}
		h := NewHLS()
		h.Write(flv.BatchOf(tags...))
		h.Close()
	})
}

// BenchmarkConvert is the work of one viewer of MP4 or MPEG-TS for one second of the
// demo clip, frame by frame.
func BenchmarkConvert(b *testing.B) {
	data, tags := clip(b, "demo.flv")
	seconds := float64(tags[len(tags)-1].Timestamp()) / 1000
	var batches []flv.Batch // whose lists a reader keeps
	for _, tag := range tags {
		batches = append(batches, flv.BatchOf(tag))
	}
	for name, start := range map[string]func() converter{
		"MP4":    func() converter { return NewMP4().Convert },
		"MPEGTS": func() converter { return NewTS().Convert },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				convert := start()
				for _, batch := range batches {
					if _, err := convert(batch); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/seconds, "ns/media-s")
		})
	}
}

// BenchmarkConvertGB is the work of a second of 12 Mb/s, 30 Hz, with sound, a batch a tag: its MB/s
// are what a gigabyte costs.
func BenchmarkConvertGB(b *testing.B) {
	_, tags := clip(b, "demo.flv")
	var batches []flv.Batch
	for i := range uint32(30) {
		unit := make([]byte, 50_000)
		rand.NewChaCha8([32]byte{1}).Read(unit)
		head := byte(0x27)
		if unit[0] = 0x41; i == 0 {
			head, unit[0] = 0x17, 0x65
			batches = append(batches, flv.BatchOf(firstConfig(tags)), flv.BatchOf(asc))
		}
		body := slices.Concat([]byte{head, 1, 0, 0, 0, 0, 0, byte(len(unit) >> 8), byte(len(unit))}, unit)
		batches = append(batches, flv.BatchOf(flv.NewTag(flv.Video, i*33, body)))
		batches = append(batches, flv.BatchOf(flv.NewTag(flv.Audio, i*33, append([]byte{0xaf, 1}, make([]byte, 300)...))))
	}
	size := 0
	for _, batch := range batches {
		size += batch.Lens[0]
	}
	for name, start := range map[string]func() converter{
		"MP4":    func() converter { return NewMP4().Convert },
		"MPEGTS": func() converter { return NewTS().Convert },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				convert := start()
				for _, batch := range batches {
					if _, err := convert(batch); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
