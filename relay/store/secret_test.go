package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relay/relay/seal"
	"relay/relay/stream"
)

func TestSecretsAreKeptForWhoOwnsThem(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.ChannelKey("live")
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	own, watched := stream.IDOf(key.PrivateKey), stream.ChannelID{7}
	for _, id := range []stream.ChannelID{own, watched} {
		if a, err := SecretOf(dir, id); err != nil || a.Private() {
			t.Fatalf("there is one: %v", err)
		}
	}
	first, second, phrase := seal.New(), seal.New(), seal.OfPassphrase([seal.SecretLen]byte{1})
	for name, a := range map[string]seal.Access{"live": first, watched.String(): phrase} {
		if err := s.KeepSecret(name, a); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := SecretOf(dir, own); err != nil || a != first {
		t.Errorf("own: %v", err)
	}
	if a, err := SecretOf(dir, watched); err != nil || a != phrase {
		t.Errorf("watched: %v", err)
	}
	if err := s.KeepSecret("live", second); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Secret("live"); err != nil || a != second {
		t.Errorf("replaced: %v", err)
	}
	path := filepath.Join(dir, "channels", "live.secret")
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret("live"); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("%v", err)
	}
	if n := len(Inspect(dir).Exposed); n != 1 {
		t.Errorf("%d files are said to be exposed", n)
	}
	if err := os.WriteFile(path, []byte(second.Fragment()+"x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret("live"); err == nil || strings.Contains(err.Error(), second.Fragment()) {
		t.Errorf("%v", err)
	}
	if _, err := s.Secret("../live"); err == nil {
		t.Error("a path is a name")
	}
}
