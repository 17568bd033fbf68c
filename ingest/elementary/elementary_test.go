package elementary

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// These tests need the real ffmpeg; without it they fail.

func clip(t testing.TB, name, args string) []byte {
	t.Helper()
	b, err := os.ReadFile(ingesttest.Clip(t, name, args))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSoundByItselfIsReadFrameByFrame compares with what ffprobe finds: how many frames, and how long.
func TestSoundByItselfIsReadFrameByFrame(t *testing.T) {
	for _, c := range []struct {
		name, file, args, codec string
		samples, rate           int
	}{
		{"MP3", "a.mp3", "-vn -c:a libmp3lame -b:a 128k", "mp3", 1152, 48000},
		{"MP3 of 44.1 kHz, variable, with a cover's worth of tags", "b.mp3", "-vn -c:a libmp3lame -q:a 4 -ar 44100 -id3v2_version 3 -metadata title=" + strings.Repeat("x", 40000), "mp3", 1152, 44100},
		{"MP3 of 24 kHz, one channel, no tags", "c.mp3", "-vn -c:a libmp3lame -ar 24000 -ac 1 -id3v2_version 0 -write_xing 0", "mp3", 576, 24000},
		{"AAC in ADTS", "d.aac", "-vn -c:a aac -b:a 96k", "aac", 1024, 48000},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ingesttest.Clip(t, c.file, c.args)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := Sniff(b[:min(len(b), SniffLen)]); !ok {
				t.Fatal("it is not taken for sound")
			}
			want := len(ingesttest.Probe(t, path)[flv.Audio])
			for name, from := range map[string]io.Reader{"whole": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b))} {
				r := NewReader(from, func(what convert.Trouble, _ string) { t.Error(name, what) })
				n, last := 0, uint32(0)
				for _, tag := range ingesttest.ReadAll(t, r, io.EOF) {
					coded, ok := flv.Decode(tag)
					if !ok || coded.Config {
						continue
					}
					if coded.Codec != c.codec || tag.Type() != flv.Audio {
						t.Fatalf("a tag of %s", coded.Codec)
					}
					last = tag.Timestamp()
					n++
				}
				// The frame that describes the others is one for us.
				if n != want && n != want+1 {
					t.Errorf("%s: %d frames of %d", name, n, want)
				}
				if should := 1000 + (n-1)*c.samples*1000/c.rate; int(last) < should-1 || int(last) > should+1 {
					t.Errorf("%s: the last at %d ms, want %d", name, last, should)
				}
			}
		})
	}
}

// TestWhoTunesInBeginsInTheMiddleOfAFrame cuts the beginning off at every place of two frames.
func TestWhoTunesInBeginsInTheMiddleOfAFrame(t *testing.T) {
	for file, args := range map[string]string{"a.mp3": "-vn -c:a libmp3lame -b:a 64k -id3v2_version 0 -write_xing 0", "b.aac": "-vn -c:a aac -b:a 64k"} {
		b := clip(t, file, args)
		count := func(b []byte) (n int) {
			for _, tag := range ingesttest.ReadAll(t, NewReader(bytes.NewReader(b), nil), io.EOF) {
				if c, ok := flv.Decode(tag); ok && !c.Config {
					n++
				}
			}
			return n
		}
		all := count(b)
		for cut := range 600 {
			if _, ok := Sniff(b[cut : cut+SniffLen]); !ok {
				t.Fatalf("%s: not seen %d bytes behind the beginning", file, cut)
			}
			if cut%7 == 0 {
				if got := count(b[cut:]); got < all-8 || got > all {
					t.Fatalf("%s: %d frames of %d from byte %d on", file, got, all, cut)
				}
			}
		}
	}
}

// TestWhatIsNoFrameIsPassedOver has garbage in the middle, and a tag at the end.
func TestWhatIsNoFrameIsPassedOver(t *testing.T) {
	b := clip(t, "a.mp3", "-vn -c:a libmp3lame -b:a 64k -id3v2_version 0 -write_xing 0")
	frames := strings.Count(ingesttest.Told(NewReader(bytes.NewReader(b), nil), 0), "s")
	half := len(b) / 2
	garbage := bytes.Repeat([]byte("garbage\xff "), 400)
	holed := append(append(append([]byte{}, b[:half]...), garbage...), b[half:]...)
	holed = append(holed, append([]byte("TAG"), make([]byte, 125)...)...)
	var told []convert.Trouble
	r := NewReader(bytes.NewReader(holed), func(what convert.Trouble, _ string) { told = append(told, what) })
	if got := strings.Count(ingesttest.Told(r, 0), "s"); got < frames-5 || got > frames+5 || len(told) != 1 || told[0] != convert.NoSound {
		t.Errorf("%d frames of %d, told %v", got, frames, told)
	}
}

func TestWhatIsNoSound(t *testing.T) {
	mp3 := clip(t, "a.mp3", "-vn -c:a libmp3lame -b:a 64k -id3v2_version 0 -write_xing 0")[:SniffLen]
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"text":                 []byte(strings.Repeat("text ", 2000)),
		"zeros":                make([]byte, SniffLen),
		"ones":                 bytes.Repeat([]byte{0xff}, SniffLen),
		"a head":               []byte("\xff\xfb\x90\x00"),
		"two frames":           mp3[:380],
		"FLV":                  append([]byte("FLV\x01"), mp3...),
		"WAV with MP3 in it":   append([]byte("RIFF\x24\x08\x00\x00WAVEfmt "), mp3...),
		"AVI with MP3 in it":   append(append([]byte("RIFF"), make([]byte, 900)...), mp3...),
		"Ogg":                  append([]byte("OggS\x00\x02"), mp3...),
		"frames, then zeros":   append(append([]byte{}, mp3[:3000]...), make([]byte, 2764)...),
		"an ID3 tag, and text": append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05hello"), bytes.Repeat([]byte("text "), 2000)...),
		"MP4 with MP3 in it":   append([]byte("\x00\x00\x00\x18ftypisom"), mp3...),
	} {
		if f, ok := Sniff(b[:min(len(b), SniffLen)]); ok {
			t.Errorf("%s is taken for %v", name, f)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := make([]byte, SniffLen)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		if f, ok := Sniff(b); ok {
			t.Fatalf("noise is taken for %v", f)
		}
	}
	// A tag in front that is longer than what is looked at may have anything behind it.
	long := append([]byte("ID3\x04\x00\x00\x00\x01\x00\x00"), make([]byte, 1<<14)...)
	if _, ok := Sniff(long[:SniffLen]); !ok {
		t.Error("a long tag is not taken for one")
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing behind a tag":   {long, ErrNothing},
		"a tag that is cut":      {long[:900], ErrNothing},
		"something else behind":  {append(bytes.Clone(long), bytes.Repeat([]byte("fLaC"), 100_000)...), ErrNothing},
		"tags without end":       {bytes.Repeat([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), 100_000), ErrNothing},
		"and no stream's length": {append([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), mp3...), ErrNothing},
	} {
		_, err := NewReader(bytes.NewReader(c.b), nil).Next()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	mp3, aac := clip(f, "a.mp3", "-vn -t 1 -c:a libmp3lame -b:a 64k"), clip(f, "b.aac", "-vn -t 1 -c:a aac")
	mp3, aac = mp3[len(mp3)-1500:], aac[len(aac)-1500:] // small ones are changed more often
	f.Add(mp3)
	f.Add(aac)
	f.Add(append(bytes.Clone(mp3), aac...))
	f.Add(append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05hello"), mp3[5:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		Sniff(b[:min(len(b), SniffLen)])
		ingesttest.Plausible(t, NewReader(bytes.NewReader(b), nil), len(b)+100, len(b))
	})
}

// TestLargeInputCostsInProportion has streams that are large in one way each: what is allocated may not grow faster than they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	frame := clip(t, "a.mp3", "-vn -c:a libmp3lame -b:a 64k -id3v2_version 0 -write_xing 0")[:SniffLen]
	for name, unit := range map[string]string{"tags": "ID3\x04\x00\x00\x00\x00\x00\x00", "heads": "\xff\xfb\x90\x00", "ones": "\xff", "frames": string(frame)} {
		ingesttest.InProportion(t, name, 256<<10, 16<<20, func(n int) []byte { return bytes.Repeat([]byte(unit), n/len(unit)+1) }, func(b []byte) {
			r := NewReader(bytes.NewReader(b), nil)
			for err := error(nil); err == nil; {
				_, err = r.Next()
			}
		})
	}
}
