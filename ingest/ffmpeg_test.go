package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
)

// steps checks that the timestamps of sound and of pictures go on, by no more than most milliseconds at a time.
func steps(t *testing.T, tags []flv.Tag, most int32) {
	t.Helper()
	last := map[flv.Type]uint32{}
	for i, tag := range tags {
		if flv.Classify(tag).Config || tag.Type() == flv.Script {
			continue
		}
		if before, ok := last[tag.Type()]; ok {
			if d := int32(tag.Timestamp() - before); d < 0 || d > most {
				t.Errorf("tag %d of %d, of type %d, comes %d ms after the one before", i, len(tags), tag.Type(), d)
			}
		}
		last[tag.Type()] = tag.Timestamp()
	}
}

// film is a stand-in for a device, which is unplugged after a second.
func film(p ffmpeg.Program, enc ffmpeg.Encoder) func(context.Context) (ffmpeg.Source, error) {
	return func(context.Context) (ffmpeg.Source, error) {
		in := []string{"-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1,realtime[out0];sine=d=1,arealtime[out1]"}
		return ffmpeg.Source{Live: true, Encoder: enc, Film: &ffmpeg.Film{Args: in, Sound: "a sine", Picture: "a test picture"}}, nil
	}
}

func encoder(t *testing.T, p ffmpeg.Program) ffmpeg.Encoder {
	t.Helper()
	all := p.Working(t.Context())
	if len(all) == 0 {
		t.Fatal("ffmpeg has no encoder")
	}
	return all[0]
}

func TestADeviceThatGoesComesAgainInTheSameStream(t *testing.T) {
	t.Parallel()
	p := installed(t)
	var got collected
	in := NewInput(newChannel(t).writer, got.take)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &FFmpeg{Program: p, Name: "test", Open: in.Open, Source: film(p, encoder(t, p))}
	ran := make(chan error, 1)
	go func() { ran <- f.Run(ctx) }()
	for in.Status().Sessions < 3 {
		select {
		case err := <-ran:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("it does not come again")
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if st := in.Status(); st.Info.VideoCodec != "h264" || st.Info.AudioCodec != "aac" {
		t.Errorf("%+v", st.Info)
	}
	steps(t, got.tags, 200)
}

func TestADeviceThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	p := installed(t)
	gone := &ffmpeg.Film{Args: []string{"-f", "lavfi", "-i", "nothing"}}
	f := &FFmpeg{Program: p, Name: "test", Open: NewInput(newChannel(t).writer, nil).Open, Source: func(context.Context) (ffmpeg.Source, error) {
		return ffmpeg.Source{Live: true, Film: gone, Encoder: encoder(t, p)}, nil
	}}
	if _, ok := errors.AsType[*ffmpeg.Error](f.Run(t.Context())); !ok {
		t.Error("it is none")
	}
}

func TestAFileOfFFmpegsIsRepeatedWithoutAJump(t *testing.T) {
	t.Parallel()
	p := installed(t)
	clip := filepath.Join(t.TempDir(), "in.mkv")
	run(t, "-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-bf", "2", "-c:a", "libopus", clip)
	var got collected
	in := NewInput(newChannel(t).writer, got.take)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e := &ffmpeg.Encoders{Program: p}
	f := &FFmpeg{Program: p, Name: clip, Loop: true, Open: in.Open, Source: func(ctx context.Context) (ffmpeg.Source, error) { return e.ReadFile(ctx, clip, false) }}
	ran := make(chan error, 1)
	go func() { ran <- f.Run(ctx) }()
	for in.Status().Tags < 3*80 { // 30 pictures and 50 frames of sound a round
		select {
		case err := <-ran:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	steps(t, got.tags, 120)
}

func TestHLSIsSentAtItsPaceToItsEnd(t *testing.T) {
	t.Parallel()
	p := installed(t)
	dir := t.TempDir()
	run(t, "-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=2", "-f", "lavfi", "-i", "sine=d=2", "-c:v", "libx264", "-g", "30", "-c:a", "aac", "-hls_time", "1", "-hls_list_size", "0", "-f", "hls", filepath.Join(dir, "a.m3u8"))
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer srv.Close()
	var got collected
	in := NewInput(newChannel(t).writer, got.take)
	e := &ffmpeg.Encoders{Program: p}
	of := func(path string) *FFmpeg {
		u, err := url.Parse(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return &FFmpeg{Program: p, Name: u.Host, Open: in.Open, Source: func(ctx context.Context) (ffmpeg.Source, error) { return e.ReadURL(ctx, u, false) }}
	}
	began := time.Now()
	if err := of("/a.m3u8").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 1500*time.Millisecond {
		t.Errorf("2 s took %v", took)
	}
	pictures := 0
	for _, tag := range got.tags {
		if k := flv.Classify(tag); tag.Type() == flv.Video && !k.Config {
			pictures++
		}
	}
	if st := in.Status(); pictures != 60 || len(st.Dropped) > 0 {
		t.Errorf("%d pictures of 60, %v were of no use", pictures, st.Dropped)
	}
	steps(t, got.tags, 100)
	err := of("/none.m3u8").Run(t.Context())
	if e, ok := errors.AsType[*ffmpeg.Error](err); !ok || e.Trouble != ffmpeg.NotFound {
		t.Error(err)
	}
}
