package ingest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// store writes an FLV file and returns its path.
func store(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.flv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileIsPacedByItsTimestamps(t *testing.T) {
	path := store(t, fileOf(video(1000, avcConfig), video(1000, avcKey), audio(1020, aacFrame), video(3000, avcInter)))
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		start := time.Now()
		if err := (&File{Path: path, Open: c.Open}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("2 s of media took %v", d)
		}
		if st := c.Status(); st.Tags != 4 || st.Live {
			t.Errorf("%+v", st)
		}
	})
}

func TestAFileIsRepeatedWithoutAJump(t *testing.T) {
	path := store(t, fileOf(video(0, avcConfig), video(0, avcKey), video(40, avcInter), video(80, avcInter)))
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		start := time.Now()
		go func() { done <- (&File{Path: path, Loop: true, Open: c.Open}).Run(ctx) }()
		var got []uint32
		for range 10 {
			got = append(got, (<-c.accepted).Timestamp())
		}
		if want := []uint32{0, 0, 40, 80, 80, 113, 153, 193, 193, 226}; !slices.Equal(got, want) {
			t.Errorf("%d, want %d", got, want)
		}
		if d := time.Since(start); d != 226*time.Millisecond {
			t.Errorf("took %v", d)
		}
		if gen := c.ring.Header().Gen(); gen > 1 {
			t.Errorf("header generation %d: repeating is no new stream", gen)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAPausedFileDoesNotCatchUpInABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pacer
		ctx := t.Context()
		p.wait(ctx, video(0, avcKey))
		time.Sleep(time.Minute) // the machine slept
		p.wait(ctx, video(40, avcInter))
		start := time.Now()
		p.wait(ctx, video(80, avcInter))
		if d := time.Since(start); d != 40*time.Millisecond {
			t.Errorf("waited %v", d)
		}
	})
}

func TestBadFilesAreErrors(t *testing.T) {
	c := newChannel(t)
	for content, want := range map[string]string{
		"\x00\x00\x00\x20ftypisom": "no table of its pictures",
		fileOf():                   "holds no tags",
		"FLV":                      "unexpected EOF",
	} {
		for _, loop := range []bool{false, true} {
			err := (&File{Path: store(t, content), Loop: loop, Open: c.Open}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", content, err)
			}
		}
	}
	if err := (&File{Path: "/no/such/file", Open: c.Open}).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	cut := fileOf(audio(0, aacFrame), audio(0, aacFrame))
	if err := (&File{Path: store(t, cut[:len(cut)-8]), Open: c.Open}).Run(t.Context()); err != nil {
		t.Errorf("a recording that was cut off: %v", err)
	}
}

func TestPipeTakesWhatComes(t *testing.T) {
	c := newChannel(t)
	in := fileOf(video(0, avcConfig), video(0, avcKey), video(3_600_000, avcInter))
	if err := (&Pipe{From: iotest.HalfReader(strings.NewReader(in)), Open: c.Open}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := c.Status(); st.Tags != 3 || st.Live {
		t.Errorf("%+v", st)
	}
	for content, want := range map[string]string{
		"":                    "looks like nothing at all",
		"hello":               "looks like text",
		fileOf():              "holds no tags",
		in[:len(in)-8]:        "unexpected EOF",
		"FLV\x01\x05\xff\xff": "unexpected EOF",
	} {
		err := (&Pipe{From: strings.NewReader(content), Open: c.Open}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", content, err)
		}
	}
}

func TestPipeEndsWithItsContext(t *testing.T) {
	c := newChannel(t)
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&Pipe{From: r, Open: c.Open}).Run(ctx) }()
	io.WriteString(w, fileOf(audio(0, aacFrame)))
	<-c.accepted
	cancel() // while the read blocks
	if err := <-done; err != nil {
		t.Error(err)
	}
}
