package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
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
		t.Fatal(err)
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

// has reports whether sound of about a moment, in milliseconds, has gone out: some is still with the encoder.
func (c *collected) has(ms uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range slices.Backward(c.tags) {
		if t.Type() == flv.Audio {
			return int32(t.Timestamp()-ms) > -200
		}
	}
	return false
}

// send sends a file at its pace, in a session that stays, and returns when its last sound is.
func send(t *testing.T, in *Input, path string) (last uint32) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	var pace pacer
	for r := newOrigin(path, 0, nil).read(f); ; {
		tag, err := r.Next()
		if err == io.EOF {
			return last
		}
		if err != nil || pace.wait(t.Context(), tag) != nil {
			t.Fatal(err)
		}
		if err := s.Write(tag); err != nil { // it has its place now
			t.Fatal(err)
		}
		if tag.Type() == flv.Audio {
			last = tag.Timestamp()
		}
	}
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
		{"opus", "libopus", "ts"}, {"mp3", "libmp3lame", "flv"}, {"ac3", "ac3", "ts"}, {"pcm", "pcm_s16le", "flv"}, {"speex", "libspeex", "flv"},
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
			aac := &AAC{Program: p, Log: zaptest.NewLogger(t)}
			in.MakeAAC(aac)
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- aac.Run(ctx) }()
			last := send(t, in, clip)
			for !got.has(last) {
				time.Sleep(10 * time.Millisecond)
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

// silences are frames of Opus, 20 ms each.
func silences(n int) (tags []flv.Tag) {
	tags = append(tags, flv.NewTag(flv.Audio, 0, []byte("\x90OpusOpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00")))
	for i := range n {
		tags = append(tags, flv.NewTag(flv.Audio, uint32(20*i), []byte("\x91Opus\xfc\xff\xfe"))) // silence
	}
	return tags
}

func TestSoundIsSentAsItComesWhereFFmpegDoesNotRun(t *testing.T) {
	no, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		core, logs := observer.New(zap.WarnLevel)
		aac := &AAC{Program: ffmpeg.Program{Path: no}, Log: zap.New(core)}
		c.MakeAAC(aac)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- aac.Run(ctx) }()
		s := c.open(t)
		for _, tag := range silences(1500) { // half a minute
			write(t, s, tag)
			time.Sleep(20 * time.Millisecond)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if n := logs.FilterMessage("sound is not made AAC now").Len(); n != soundTries-1 {
			t.Errorf("%d times it is told that ffmpeg is started again", n)
		}
		if n := logs.FilterMessage("sound is sent as it comes").Len(); n != 1 {
			t.Errorf("%d times it is told that sound is as it comes", n)
		}
		if st := c.Status(); st.Info.AudioCodec != "opus" || st.MadeAAC != "" {
			t.Errorf("the header says %s, and AAC is made of %q", st.Info.AudioCodec, st.MadeAAC)
		}
		var codecs []string
		for len(c.accepted) > 0 {
			tag := <-c.accepted
			if k := flv.Classify(tag); len(codecs) == 0 || codecs[len(codecs)-1] != k.Codec {
				if codecs = append(codecs, k.Codec); k.Codec == "opus" && !k.Config {
					t.Error("Opus begins without its configuration")
				}
			}
		}
		if fmt.Sprint(codecs) != "[aac opus]" {
			t.Error(codecs)
		}
	})
}

func TestAnFFmpegThatIsKilledIsStartedAgain(t *testing.T) {
	t.Parallel()
	p := installed(t)
	core, logs := observer.New(zap.InfoLevel)
	var got collected
	in := NewInput(newChannel(t).writer, got.take)
	aac := &AAC{Program: p, Log: zap.New(core)}
	in.MakeAAC(aac)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- aac.Run(ctx) }()
	s, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	pids := func() (all []int) {
		for _, e := range logs.FilterMessage("ffmpeg makes sound AAC").All() {
			all = append(all, int(e.ContextMap()["pid"].(int64)))
		}
		return all
	}
	frames := func() int {
		got.mu.Lock()
		defer got.mu.Unlock()
		return len(got.tags)
	}
	killed, before := false, 0
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for _, tag := range silences(100_000) {
		write(t, s, tag)
		<-pace.C
		if !killed && frames() > 20 {
			if proc, err := os.FindProcess(pids()[0]); err != nil || proc.Kill() != nil {
				t.Fatal(err)
			}
			killed = true
		}
		if len(pids()) == 1 {
			before = frames()
		} else if killed && frames() > before+20 {
			break
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if n := len(pids()); n != 2 || logs.FilterMessage("sound is not made AAC now").Len() != 1 {
		t.Errorf("ffmpeg was started %d times", n)
	}
}

func TestAACAndPicturesAreLeftAlone(t *testing.T) {
	c := newChannel(t)
	c.MakeAAC(&AAC{Program: ffmpeg.Program{Path: "/nonexistent"}})
	s := c.open(t)
	tags := []flv.Tag{video(0, avcConfig), audio(0, aacConfig), video(40, avcKey), audio(23, aacFrame), audio(90, "\xd0?")}
	write(t, s, tags...)
	if _, got := c.stored(t); !bytes.Equal(got, bytes.Join(asBytes(tags), nil)) {
		t.Errorf("%q", got)
	}
	if st := c.Status(); st.MadeAAC != "" {
		t.Errorf("AAC is made of %s", st.MadeAAC)
	}
}
