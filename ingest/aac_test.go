package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
)

var soundFor = flag.Duration("sound", 3*time.Second, "how long sound is made AAC in each test")

// installed returns the ffmpeg of this machine.
func installed(t *testing.T) ffmpeg.Program {
	t.Helper()
	p, err := ffmpeg.Find(t.Context())
	if err != nil {
		t.Skip(err)
	}
	return p
}

func run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v", args, err)
	}
	return out
}

// beeps are where in sound, in milliseconds, something is heard after half a second of silence. It is asked with what
// ffmpeg reads.
func beeps(t *testing.T, args ...string) (at []int) {
	t.Helper()
	const rate = 8000
	args = append([]string{"-copyts"}, args...)
	pcm := run(t, append(args, "-vn", "-af", "aresample=async=1:first_pts=0:min_hard_comp=0.005", "-ar", strconv.Itoa(rate), "-ac", "1", "-f", "s16le", "-")...)
	silent := rate
	for i := 0; i+1 < len(pcm); i += 2 {
		v := int16(binary.LittleEndian.Uint16(pcm[i:]))
		if v > -3000 && v < 3000 {
			silent++
			continue
		}
		if silent > rate/2 {
			at = append(at, i/2*1000/rate)
		}
		silent = 0
	}
	return at
}

// collected are tags that a channel has been sent, and when.
type collected struct {
	mu   sync.Mutex
	tags []flv.Tag
	when []time.Time
}

func (c *collected) take(t flv.Tag) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tags, c.when = append(c.tags, slices.Clone(t)), append(c.when, time.Now())
}

func (c *collected) file(t *testing.T) string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	b := bytes.NewBufferString("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, tag := range c.tags {
		b.Write(tag)
	}
	path := filepath.Join(t.TempDir(), "out.flv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// delays are how long after their moment tags of a type went out, in order of length: the first picture went at its
// moment.
func (c *collected) delays(typ flv.Type) (all []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var zero time.Time
	for i, tag := range c.tags {
		k := flv.Classify(tag)
		at := c.when[i].Add(-time.Duration(tag.Timestamp()) * time.Millisecond)
		if zero.IsZero() && tag.Type() == flv.Video && !k.Config {
			zero = at
		}
		if tag.Type() == typ && !k.Config && !zero.IsZero() && tag.Timestamp() > 1500+c.tags[0].Timestamp() {
			all = append(all, at.Sub(zero))
		}
	}
	slices.Sort(all)
	return all
}

// TestSoundIsMadeAACWhereItWas has a beep at each second, and compares where it is heard.
func TestSoundIsMadeAACWhereItWas(t *testing.T) {
	p := installed(t)
	for _, c := range []struct{ codec, name, format string }{
		{"opus", "libopus", "ts"}, {"mp3", "libmp3lame", "flv"}, {"ac3", "ac3", "ts"}, {"eac3", "eac3", "ts"}, {"pcm", "pcm_s16le", "flv"}, {"speex", "libspeex", "flv"},
	} {
		t.Run(c.codec, func(t *testing.T) {
			t.Parallel()
			clip := filepath.Join(t.TempDir(), "in."+c.format)
			length := fmt.Sprint(soundFor.Seconds())
			rate, channels := "48000", "2"
			switch c.codec {
			case "speex":
				rate, channels = "16000", "1"
			case "pcm":
				rate = "44100"
			}
			run(t, "-f", "lavfi", "-i", "color=black:s=64x64:r=30:d="+length, "-f", "lavfi", "-i", "aevalsrc='if(between(mod(t,1),0.5,0.55),0.7*sin(2*PI*1000*t),0)':s=48000:d="+length,
				"-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-c:a", c.name, "-ar", rate, "-ac", channels, clip)
			var got collected
			ch := newChannel(t)
			in := NewInput(ch.writer, got.take)
			aac := &AAC{Program: p}
			in.MakeAAC(aac)
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- aac.Run(ctx) }()
			if err := (&File{Path: clip, Open: in.Open}).Run(ctx); err != nil {
				t.Fatal(err)
			}
			if st := in.Status(); st.MadeAAC != c.codec || st.Info.AudioCodec != "aac" {
				t.Errorf("AAC is made of %q, and the header says %q", st.MadeAAC, st.Info.AudioCodec)
			}
			cancel()
			if err := <-ran; err != nil {
				t.Error(err)
			}
			was, is := beeps(t, "-i", clip), beeps(t, "-i", got.file(t))
			if len(is) != len(was) || len(is) < int(soundFor.Seconds())-1 {
				t.Fatalf("beeps are heard at %v, and were at %v", is, was)
			}
			most := 0
			for i := range is {
				most = max(most, max(is[i]-was[i], was[i]-is[i]))
			}
			if most > 40 {
				t.Errorf("sound is up to %d ms from where it was: %v, was %v", most, is, was)
			}
			for _, tag := range got.tags {
				if k := flv.Classify(tag); tag.Type() == flv.Audio && k.Codec != "aac" {
					t.Fatalf("a tag of %s went out", k.Codec)
				}
			}
			if d := got.delays(flv.Audio); len(d) > 0 {
				t.Logf("%d beeps, %d ms apart from where they were at most (%v, was %v); AAC went out %v (median), %v (most) after its moment", len(is), most, is, was, d[len(d)/2], d[len(d)-1])
			}
		})
	}
}

var _ = zap.NewNop
var _ = observer.New
