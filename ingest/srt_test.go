//go:build !lean

package ingest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/ingest/srt"
)

const srtKey = "0123456789"

// overSRT has a channel take encoders over SRT.
func overSRT(t *testing.T, c *channel) (addr string, refused <-chan error) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	whys := make(chan error, 100)
	s := &srt.Server{Socket: pc, Key: srtKey, Publish: OverSRT(c.Await, nil), Refused: func(why error) { whys <- why }}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return pc.LocalAddr().String(), whys
}

// sendTS has ffmpeg send a file of MPEG-TS to an address, at a multiple of its pace, until stop is called, as if
// the machine had failed.
func sendTS(t *testing.T, ts, to string) (stop func()) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("there is no ffmpeg")
	}
	var out bytes.Buffer
	cmd := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-readrate", "2", "-i", ts, "-c", "copy", "-f", "mpegts", to)
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	stop = func() {
		cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("ffmpeg: %s", out.Bytes())
		}
	})
	return stop
}

var srtFor = flag.Duration("srt", 2*time.Second, "for how long a stream comes over SRT whose sound is held against its pictures")

// Pictures are 40 ms apart and frames of sound 64/3 ms, from a common beginning: however many have come, their times must say so.
func TestSoundStaysWithThePictureOverSRT(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("there is no ffmpeg")
	}
	c := newChannel(t)
	to, _ := overSRT(t, c)
	cmd := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=25", "-re", "-f", "lavfi", "-i", "sine=sample_rate=48000",
		"-t", fmt.Sprint(srtFor.Seconds()), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-f", "mpegts", "srt://"+to+"?passphrase="+srtKey+"&latency=300000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var off, most float64 // of sound against pictures, in ms
	var pictures, sounds int
	var first, picture uint32 // times of pictures
	for late := time.After(*srtFor + 30*time.Second); ; {
		var tag flv.Tag
		select {
		case tag = <-c.accepted:
		case <-time.After(50 * time.Millisecond):
			if st := c.Status(); st.Sessions == 1 && !st.Live {
				t.Logf("%d pictures and %d frames of sound: the sound is %.1f ms off at the end, %.1f at most", pictures, sounds, off, most)
				if pictures < int(srtFor.Seconds()*25)*3/4 || most > 40 {
					t.Error("that is too far, or too few")
				}
				return
			}
			continue
		case <-late:
			t.Fatal("it does not end")
		}
		if !framesOf(tag) {
			continue
		}
		switch tag.Type() {
		case flv.Video:
			if pictures == 0 {
				first = tag.Timestamp()
			}
			picture = tag.Timestamp() - first - uint32(40*pictures) // how late it is
			pictures++
		case flv.Audio:
			if pictures > 0 {
				if sounds == 0 {
					sounds = int((float64(int32(tag.Timestamp()-first)) + 32/3.0) * 3 / 64)
				}
				off = float64(int32(tag.Timestamp()-first)) - float64(sounds)*64/3 - float64(int32(picture))
				most = max(most, math.Abs(off))
				sounds++
			}
		}
	}
}

// clipFile is the demo's clip in a file of MPEG-TS.
func clipFile(t *testing.T) string {
	t.Helper()
	ts, _ := transport(t)
	path := filepath.Join(t.TempDir(), "in.ts")
	if err := os.WriteFile(path, ts, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// until waits until the input is as wanted.
func (c *channel) until(t *testing.T, what string, is func(Status) bool) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); !is(c.Status()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%s: not after 30 s: %+v", what, c.Status())
		}
	}
}

func TestEveryFrameComesOverSRT(t *testing.T) {
	t.Parallel()
	_, want := transport(t)
	c := newChannel(t)
	to, _ := overSRT(t, c)
	sendTS(t, clipFile(t), "srt://"+to+"?passphrase="+srtKey+"&latency=300000")
	c.until(t, "the end", func(s Status) bool { return s.Sessions == 1 && !s.Live })
	got := c.arrived()
	// ffmpeg does not wait until all is acknowledged: of the last half second some may be missing.
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		is := func(t flv.Tag) bool { return t.Type() == typ }
		n := 0
		for _, t := range got {
			if is(t) {
				n++
			}
		}
		all := 0
		want = slices.DeleteFunc(want, func(t flv.Tag) bool {
			if is(t) {
				all++
			}
			return is(t) && all > n
		})
		if n < all*9/10 {
			t.Errorf("%d of %d frames of type %d", n, all, typ)
		}
	}
	same(t, got, want)
}

func TestOfTwoEncodersOverSRTTheFirstGoesOn(t *testing.T) {
	t.Parallel()
	c := newChannel(t)
	to, refused := overSRT(t, c)
	clip, addr := clipFile(t), "srt://"+to+"?latency=1000000&passphrase="+srtKey // for which media are held once nobody sends any more
	stop := sendTS(t, clip, addr)
	c.until(t, "the first", func(s Status) bool { return s.Tags > 10 })
	sendTS(t, clip, addr)
	if why := <-refused; !errors.Is(why, srt.ErrBusy) {
		t.Error(why)
	}
	stop() // without a word
	sendTS(t, clip, addr)
	c.until(t, "the third", func(s Status) bool { return s.Sessions == 2 && s.Live })
	before := c.Status().Tags
	c.until(t, "its media", func(s Status) bool { return s.Tags > before+10 })
}

func TestSRTPullConnectsAgain(t *testing.T) {
	t.Parallel()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.LocalAddr().String()
	free.Close()
	c := newChannel(t)
	clip, listens := clipFile(t), "srt://"+at+"?mode=listener&passphrase="+srtKey
	stop := sendTS(t, clip, listens)
	p := &SRTPull{Target: srt.Target{Addr: at, Passphrase: srtKey, KeyLen: 16, Latency: srt.MinLatency}, Open: c.Open}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	c.until(t, "media", func(s Status) bool { return s.Tags > 10 })
	stop()
	sendTS(t, clip, listens)
	c.until(t, "media again", func(s Status) bool { return s.Sessions == 2 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnSRTPullThatNeverWorkedIsAnError(t *testing.T) {
	t.Parallel()
	to, _ := overSRT(t, newChannel(t))
	for name, target := range map[string]srt.Target{
		"a wrong passphrase": {Addr: to, Passphrase: "another one", KeyLen: 16, StreamID: "read:x"},
		"nothing to play":    {Addr: to, StreamID: "read:x"},
	} {
		err := (&SRTPull{Target: target, Open: newChannel(t).Open}).Run(t.Context())
		if _, ok := errors.AsType[*srt.CodeError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
