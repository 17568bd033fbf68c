package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestAListIsChangedAsAWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	l := Follow(dir, 100)
	if b, err := l.Read(); len(b) != 0 || err != nil {
		t.Fatalf("of no folder: %q, %v", b, err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := l.Change(func(b []byte) ([]byte, error) { return append(b, '.'), nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	no := errors.New("no")
	if err := l.Change(func([]byte) ([]byte, error) { return nil, no }); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if err := l.Change(func([]byte) ([]byte, error) { return make([]byte, 101), nil }); err == nil {
		t.Error("a list that is too long is written")
	}
	if b, err := l.Read(); string(b) != strings.Repeat(".", 20) || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	path, _ := l.Path()
	if err := os.WriteFile(path, make([]byte, 101), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(); err == nil {
		t.Error("a list that is too long is read")
	}
}

// Those who have their settings elsewhere have links here.
func TestAListMayBeALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links take a privilege there")
	}
	dir, mine := t.TempDir(), filepath.Join(t.TempDir(), "mine")
	if err := errors.Join(os.Chmod(dir, 0o700), os.WriteFile(mine, []byte("a"), 0o644), os.Symlink(mine, filepath.Join(dir, "follow"))); err != nil {
		t.Fatal(err)
	}
	if err := Follow(dir, 9).Change(func(b []byte) ([]byte, error) { return append(b, 'b'), nil }); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(mine); string(b) != "ab" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
