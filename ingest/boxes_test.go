package ingest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// recordings are what people have, and whether that can be read as a stream.
var recordings = []struct {
	name, args string
	streams    bool
}{
	{"a.mkv", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac", true},
	{"a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus", true},
	{"a.mp4", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac", false},
	{"a.mov", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags faststart", true},
	{"fragments.mp4", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags frag_keyframe+empty_moov", true},
}

func TestRecordingsComeInByEveryWay(t *testing.T) {
	for _, c := range recordings {
		path := ingesttest.Clip(t, c.name, c.args)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		packets := ingesttest.Probe(t, path)
		pictures, sounds := len(packets[flv.Video]), len(packets[flv.Audio])
		count := func(tags []flv.Tag) (v, a int) {
			return len(ingesttest.Frames(tags, flv.Video)), len(ingesttest.Frames(tags, flv.Audio))
		}
		synctest.Test(t, func(t *testing.T) { // a file has its own pace
			in := newChannel(t)
			start := time.Now()
			if err := (&File{Path: path, Open: in.Open}).Run(t.Context()); err != nil {
				t.Fatal(c.name, err)
			}
			if d := time.Since(start); d < 1900*time.Millisecond || d > 2200*time.Millisecond {
				t.Errorf("%s: 2 s of media took %v", c.name, d)
			}
			if v, a := count(in.arrived()); v != pictures || a != sounds {
				t.Errorf("%s: %d pictures and %d sounds, of %d and %d", c.name, v, a, pictures, sounds)
			}
			if st := in.Status(); len(st.Dropped) > 0 {
				t.Errorf("%s: dropped %v", c.name, st.Dropped)
			}
		})
		synctest.Test(t, func(t *testing.T) { // without a jump where it begins again
			in := newChannel(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := (&File{Path: path, Loop: true, Open: in.Open}).Run(ctx); err != nil {
				t.Fatal(c.name, err)
			}
			last := uint32(0)
			tags := ingesttest.Frames(in.arrived(), flv.Video)
			for i, tag := range tags {
				if step := int32(tag.Timestamp() - last); i > 0 && (step < 0 || step > 150) {
					t.Errorf("%s: a step of %d ms in front of picture %d", c.name, step, i)
				}
				last = tag.Timestamp()
			}
			if len(tags) < 115 {
				t.Errorf("%s: %d pictures in 5 s", c.name, len(tags))
			}
		})
		in := newChannel(t)
		err = (&Pipe{From: iotest.HalfReader(bytes.NewReader(content)), Open: in.Open}).Run(t.Context())
		if v, _ := count(in.arrived()); c.streams && (err != nil || v != pictures) {
			t.Errorf("%s from a pipe: %v, %d pictures", c.name, err, v)
		}
		if !c.streams && (err == nil || !strings.Contains(err.Error(), "cannot be read as a stream")) {
			t.Errorf("%s from a pipe: %v", c.name, err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in = newChannel(t)
		if err := (&Pipe{From: f, Open: in.Open}).Run(t.Context()); err != nil { // relay source - <a.mp4
			t.Errorf("%s as standard input: %v", c.name, err)
		}
		if v, _ := count(in.arrived()); v != pictures {
			t.Errorf("%s as standard input: %d pictures", c.name, v)
		}
		if c.streams {
			overHTTP(t, c.name, content, pictures)
		}
	}
}

// overHTTP has a server give a stream that it cuts off, and then once more.
func overHTTP(t *testing.T, name string, content []byte, pictures int) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(content) }))
	defer srv.Close()
	in := newChannel(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&HTTPPull{URL: ingesttest.ParseURL(t, srv.URL), Open: in.Open}).Run(ctx) }() // ends with ctx
	for n := 0; n < 2*pictures; {
		select {
		case tag := <-in.accepted:
			if tag.Type() == flv.Video && framesOf(tag) {
				n++
			}
		case err := <-done:
			t.Fatalf("%s over HTTP: %v", name, err)
		}
	}
	cancel()
	for {
		select {
		case <-in.accepted:
			continue
		case err := <-done:
			if err != nil && err != io.EOF {
				t.Errorf("%s over HTTP: %v", name, err)
			}
		}
		return
	}
}

func TestACrashCostsTheEndOfARecording(t *testing.T) {
	for _, c := range recordings {
		content, err := os.ReadFile(ingesttest.Clip(t, c.name, c.args))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			in := newChannel(t)
			err = (&File{Path: store(t, string(content[:len(content)*2/3])), Open: in.Open}).Run(t.Context())
			n := len(ingesttest.Frames(in.arrived(), flv.Video))
			if c.streams && (err != nil || n < 10) {
				t.Errorf("%s: %v, %d pictures", c.name, err, n)
			}
			if !c.streams && (err == nil || !strings.Contains(err.Error(), "written last")) {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}
