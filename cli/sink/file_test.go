package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestRecordingIsNeverWrittenOverAnother(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "evening.mp4")
	for _, want := range []string{"evening.mp4", "evening-2.mp4", "evening-3.mp4"} {
		f, err := createRecording(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(f.Name()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if _, err := f.WriteString(want); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	for _, name := range []string{"evening.mp4", "evening-2.mp4", "evening-3.mp4"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != name {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
}

func TestRecordingGoesToADeviceAsItIs(t *testing.T) {
	f, err := createRecording(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Name() != os.DevNull {
		t.Errorf("got %s", f.Name())
	}
}

func TestRecordingIsCheckedWithoutTouchingIt(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full.flv")
	if err := os.WriteFile(full, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "new.flv")
	for path, want := range map[string]error{
		full:                                 nil,
		fresh:                                nil,
		dir:                                  errors.ErrUnsupported, // any
		filepath.Join(dir, "no", "x.flv"):    fs.ErrNotExist,
		filepath.Join(full, "below", "x.ts"): fs.ErrNotExist,
	} {
		switch err := checkRecording(path); {
		case want == nil && err != nil, want != nil && err == nil, want == fs.ErrNotExist && !errors.Is(err, want):
			t.Errorf("%s: %v", path, err)
		}
	}
	if b, err := os.ReadFile(full); err != nil || string(b) != "kept" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}
