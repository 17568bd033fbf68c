package ffmpeg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
)

func found(t *testing.T) Program {
	t.Helper()
	p, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARunEndsWithWhatItHasMade(t *testing.T) {
	pr, err := found(t).Start(t.Context(), Job{Args: []string{"-f", "lavfi", "-i", "sine=d=1", "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	if b, err := io.ReadAll(pr); err != nil || len(b) != 2*8000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestARunThatFailsSaysWhy(t *testing.T) {
	p := found(t)
	for trouble, args := range map[Trouble][]string{
		Missing:   fromFile("none.mp4"),
		NoMedia:   fromFile("process_test.go"),
		Elsewhere: {"-protocol_whitelist", "file", "-i", "concat:a"},
		NoFormat:  {"-f", "nothing", "-i", "x"},
		NoEncoder: {"-f", "lavfi", "-i", "sine", "-c:a", "nothing"},
		NoOption:  {"-nothing", "1"},
	} {
		pr, err := p.Start(t.Context(), Job{Args: append(args, "-f", "s16le", "pipe:1")})
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(pr)
		pr.Close()
		if e, ok := errors.AsType[*Error](err); !ok || e.Trouble != trouble || len(b) > 0 {
			t.Errorf("%v: %d bytes, %#v, want %s", args, len(b), err, trouble)
		}
	}
	if _, err := (Program{Path: "/nonexistent"}).Start(t.Context(), Job{}); err == nil || err.Error() != sentences[Broken] {
		t.Error(err)
	}
}

// endless is a run that nobody reads, so that it waits for ever.
var endless = []string{"-f", "lavfi", "-i", "testsrc2", "-f", "rawvideo", "pipe:1"}

func TestARunEndsWhenItIsToldTo(t *testing.T) {
	p := found(t)
	ctx, cancel := context.WithCancel(t.Context())
	pr, err := p.Start(ctx, Job{Args: endless})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(pr, make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
	cancel()
	<-pr.Done()
	pr.Close()
	pr.Close() // again does nothing
	again, err := p.Start(t.Context(), Job{Args: endless, In: true})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if _, err := again.In.Write(bytes.Repeat([]byte("x"), 1<<20)); err == nil {
		t.Error("an ffmpeg that has ended takes more")
	}
}

func TestOnlyTheDesktopsOfThisMachineAreLookedAt(t *testing.T) {
	p := found(t)
	t.Setenv("DISPLAY", ":77")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("XDG_SESSION_TYPE", "")
	s := p.Look(t.Context())
	if s.OS == "linux" && (len(s.Of(Screen)) != 1 || s.Wayland) {
		t.Errorf("%+v", s)
	}
	enc := &Encoders{Program: p}
	if _, err := enc.Film(t.Context(), Wish{Kind: Camera, Name: "there is no such camera"}); err == nil {
		t.Error("it films")
	}
}

func TestAFileIsLookedInto(t *testing.T) {
	p := found(t)
	path := t.TempDir() + "/-i $(x).mp4"
	if !p.Works(t.Context(), "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "mpeg4", "-f", "mp4", "file:"+path) {
		t.Fatal("no clip was made")
	}
	src, err := (&Encoders{Program: p}).ReadFile(t.Context(), path, false)
	if err != nil || src.Live || src.Output.CopyVideo || src.Encoder.Name == "" || src.Output.Sound != nil {
		t.Fatalf("%+v, %v", src, err)
	}
	if err := os.Truncate(path, 2000); err != nil {
		t.Fatal(err)
	}
	_, err = (&Encoders{Program: p}).ReadFile(t.Context(), path, false)
	if e, ok := errors.AsType[*Error](err); !ok || e.Trouble != Cut {
		t.Error(err)
	}
}
