package ingesttest

import (
	"bytes"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"relay/ingest/flv"
)

// FFmpeg runs ffmpeg, which has to be there, and returns what it writes to standard output.
func FFmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-nostdin", "-y", "-hide_banner", "-loglevel", "error"}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return out.Bytes()
}

// Clip has ffmpeg make a file of a picture that moves, 192x108 at 25 Hz, and a tone of 48 kHz, 2 s long,
// as args say, which are split at blanks.
func Clip(t testing.TB, name, args string) string { return ClipOf(t, "192x108", name, args) }

// ClipOf is [Clip] with a picture of another size.
func ClipOf(t testing.TB, size, name, args string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	FFmpeg(t, append(append(strings.Fields("-f lavfi -i testsrc2=size="+size+":rate=25:duration=2 -f lavfi -i sine=frequency=440:duration=2:sample_rate=48000"),
		strings.Fields(args)...), path)...)
	return path
}

// Packet is when a packet is shown and decoded, in milliseconds, as ffprobe sees it; NaN for what it
// does not know.
type Packet struct{ PTS, DTS float64 }

// Probe returns the packets of the first pictures and sound in a file.
func Probe(t *testing.T, path string, args ...string) map[flv.Type][]Packet {
	t.Helper()
	all := append(append([]string{"-v", "error"}, args...), "-show_entries", "packet=stream_index,codec_type,pts_time,dts_time", "-of", "csv=p=0", path)
	out, err := exec.CommandContext(t.Context(), "ffprobe", all...).Output()
	if err != nil {
		t.Fatal(err)
	}
	found, first := make(map[flv.Type][]Packet), make(map[flv.Type]string)
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), ",")
		typ := map[string]flv.Type{"video": flv.Video, "audio": flv.Audio}[f[0]]
		if len(f) < 4 || typ == 0 {
			continue
		}
		if first[typ] == "" {
			first[typ] = f[1]
		}
		if first[typ] == f[1] {
			found[typ] = append(found[typ], Packet{millis(f[2]), millis(f[3])})
		}
	}
	return found
}

func millis(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v * 1000
}

// Frames are the tags of one kind, without what describes them.
func Frames(tags []flv.Tag, typ flv.Type) (found []flv.Tag) {
	for _, tag := range tags {
		if c, ok := flv.Decode(tag); ok && !c.Config && tag.Type() == typ {
			found = append(found, tag)
		}
	}
	return found
}

// ReadAll returns the tags of a reader up to the end, which has to be that error.
func ReadAll(t testing.TB, r interface{ Next() (flv.Tag, error) }, end error) (tags []flv.Tag) {
	t.Helper()
	for {
		tag, err := r.Next()
		if err != nil {
			if err != end {
				t.Fatalf("it ends with %v, want %v", err, end)
			}
			return tags
		}
		tags = append(tags, tag)
	}
}

// CompareTimes compares the times of all frames with those of packets, to the millisecond. Tags are later
// by origin, in milliseconds. Where decoding is false, a frame need only be decoded in order, and not
// after it is shown.
func CompareTimes(t *testing.T, tags []flv.Tag, packets map[flv.Type][]Packet, origin float64, decoding bool) {
	t.Helper()
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		want, got := packets[typ], Frames(tags, typ)
		if len(want) != len(got) {
			t.Errorf("%d frames of type %d, want %d", len(got), typ, len(want))
			continue
		}
		last := -math.MaxFloat64
		for i, tag := range got {
			c, _ := flv.Decode(tag)
			dts := float64(tag.Timestamp()) - origin
			pts := dts + float64(c.Offset)
			wrong := math.Abs(pts-want[i].PTS) > 1 || dts < last || c.Offset < 0
			if decoding && typ == flv.Video {
				wrong = wrong || math.Abs(dts-want[i].DTS) > 1
			}
			if wrong {
				t.Errorf("frame %d of type %d is at %v/%v ms, want %v/%v", i, typ, pts, dts, want[i].PTS, want[i].DTS)
				break
			}
			last = dts
		}
	}
}

// CompareBytes compares each frame with what ffmpeg puts into FLV, which has H.264, AAC and MP3 alone.
func CompareBytes(t *testing.T, path string, tags []flv.Tag) {
	t.Helper()
	r := flv.NewReader(bytes.NewReader(FFmpeg(t, "-i", path, "-c", "copy", "-f", "flv", "-")))
	theirs := ReadAll(t, r, io.EOF)
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		want, got := Frames(theirs, typ), Frames(tags, typ)
		if len(want) != len(got) {
			t.Errorf("%d frames of type %d, ffmpeg has %d", len(got), typ, len(want))
			continue
		}
		for i := range got {
			w, _ := flv.Decode(want[i])
			g, _ := flv.Decode(got[i])
			if !bytes.HasSuffix(w.Data, g.Data) || w.Key != g.Key {
				t.Errorf("frame %d of type %d has %d bytes, key %v, ffmpeg's has %d, %v", i, typ, len(g.Data), g.Key, len(w.Data), w.Key)
				break
			}
		}
	}
}
