package store

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"relay/relay/stream"
)

func openStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fillStore uses every kind of file in a new store and returns its folder.
func fillStore(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "config", "relay")
	s := openStore(t, dir)
	for _, open := range []func() (*Key, error){s.NodeKey, func() (*Key, error) { return s.ChannelKey("main") }} {
		k, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.NextEpoch("main", time.Unix(1000, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StreamKey("main"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// useFile returns what a new process says that has to read one file of the store.
func useFile(dir, name string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	var k *Key
	switch filepath.Base(name) {
	case "node.key":
		k, err = s.NodeKey()
	case "main.key":
		k, err = s.ChannelKey("main")
	case "main.epoch":
		_, err = s.NextEpoch("main", time.Unix(1000, 0))
	case "main.stream":
		_, err = s.StreamKey("main")
	}
	if k != nil {
		return errors.Join(err, k.Close())
	}
	return err
}

var storeFiles = []string{"node.key", "channels/main.key", "channels/main.epoch", "channels/main.stream"}

func TestStoreIsReadableByItsOwnerAlone(t *testing.T) {
	dir := fillStore(t)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := fi.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
		files++
		return nil
	})
	if err != nil || files < 2+len(storeFiles) {
		t.Errorf("%d files and folders, %v", files, err)
	}
}

func TestWhatOthersCanReadIsRefusedWithAHint(t *testing.T) {
	for _, name := range append([]string{".", "channels"}, storeFiles...) {
		for _, others := range []fs.FileMode{0o040, 0o004, 0o020, 0o002, 0o010, 0o001} {
			dir := fillStore(t)
			path := filepath.Join(dir, name)
			right := fs.FileMode(0o600)
			if name == "." || name == "channels" {
				right = 0o700
			}
			if err := os.Chmod(path, right|others); err != nil {
				t.Fatal(err)
			}
			hint := fmt.Sprintf("(mode %04o); if nobody has copied it, run: chmod %o %s", right|others, right, path)
			if err := useFile(dir, name); err == nil || !strings.Contains(err.Error(), hint) {
				t.Errorf("%s of mode %04o: %v; want %q", name, right|others, err, hint)
			}
			if err := os.Chmod(path, right); err != nil {
				t.Fatal(err)
			}
			if err := useFile(dir, name); err != nil {
				t.Errorf("%s after the hint was followed: %v", name, err)
			}
		}
	}
}

func TestKeysStayTheSame(t *testing.T) {
	dir := t.TempDir()
	dir = filepath.Join(dir, "relay")
	seen := map[string]string{}
	for range 3 {
		s := openStore(t, dir)
		for name, open := range map[string]func() (*Key, error){
			"node":  s.NodeKey,
			"one":   func() (*Key, error) { return s.ChannelKey("one") },
			"other": func() (*Key, error) { return s.ChannelKey("other") },
		} {
			k, err := open()
			if err != nil {
				t.Fatal(err)
			}
			id := stream.IDOf(k.PrivateKey).String()
			if was, ok := seen[name]; ok && was != id {
				t.Errorf("key %s was %s, is %s", name, was, id)
			}
			seen[name] = id
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen["node"] == seen["one"] || seen["one"] == seen["other"] || seen["node"] == seen["other"] {
		t.Errorf("keys are not all different: %v", seen)
	}
}

func TestKeyInUseIsNotGivenTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	for name, open := range map[string]func(*Store) (*Key, error){
		"node.key": (*Store).NodeKey,
		"main.key": func(s *Store) (*Key, error) { return s.ChannelKey("main") },
	} {
		held, err := open(openStore(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			k, err := open(openStore(t, dir))
			if k != nil || !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s, while it is held: %v", name, err)
			}
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		k, err := open(openStore(t, dir))
		if err != nil {
			t.Fatalf("%s, once it is free: %v", name, err)
		}
		if !k.Equal(held.PrivateKey) {
			t.Errorf("%s has changed", name)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEpochsRiseEvenWhenTheClockGoesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	start := time.UnixMilli(1_700_000_000_000)
	var last stream.Epoch
	for i, now := range []time.Time{
		start, start, start.Add(time.Hour), start, start.Add(-24 * 365 * time.Hour), time.Unix(0, 0), start.Add(2 * time.Hour),
	} {
		e, err := openStore(t, dir).NextEpoch("main", now)
		if err != nil {
			t.Fatal(err)
		}
		if e.Ms <= last.Ms || e.Ms < uint64(now.UnixMilli()) {
			t.Errorf("epoch %d, at %v, is %v after %v", i, now.UTC(), e, last)
		}
		if e.Rand == last.Rand {
			t.Errorf("epoch %d has the random part of the one before, %x", i, e.Rand)
		}
		last = e
	}
	if want := uint64(start.Add(2 * time.Hour).UnixMilli()); last.Ms != want {
		t.Errorf("epoch is %d once the clock is right again, want %d", last.Ms, want)
	}
	other, err := openStore(t, dir).NextEpoch("other", start)
	if err != nil || other.Ms != uint64(start.UnixMilli()) {
		t.Errorf("another channel's first epoch is %v, %v", other, err)
	}
}

func TestWriteCutShortDoesNotStopTheNextEpoch(t *testing.T) {
	dir := fillStore(t)
	if err := os.WriteFile(filepath.Join(dir, "channels", "main.epoch.new"), []byte("17"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	for want := uint64(1_000_001); want < 1_000_004; want++ {
		if e, err := s.NextEpoch("main", time.Unix(0, 0)); err != nil || e.Ms != want {
			t.Errorf("epoch %v, %v; want %d", e, err, want)
		}
	}
}

func TestStreamKeyStaysTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	first, err := openStore(t, dir).StreamKey("main")
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 16 || strings.Trim(first, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("stream key %q is not 16 characters of base32", first)
	}
	if again, err := openStore(t, dir).StreamKey("main"); err != nil || again != first {
		t.Errorf("stream key was %q, is %q, %v", first, again, err)
	}
	if other, err := openStore(t, dir).StreamKey("other"); err != nil || other == first {
		t.Errorf("another channel's stream key is %q, %v", other, err)
	}
}

func TestBadFileIsNamedAndNotReplaced(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	anotherKind := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	nonsense := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("nonsense")})
	long := bytes.Repeat([]byte("1"), 5000)
	var ofNode, ofChannel []byte
	filled := fillStore(t)
	for name, b := range map[string]*[]byte{"node.key": &ofNode, "channels/main.key": &ofChannel} {
		if *b, err = os.ReadFile(filepath.Join(filled, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		b     []byte
		words string
	}{
		{"node.key", nil, "is no key file; move it away to get a new key"},
		{"node.key", []byte("nonsense"), "is no key file; move it away to get a new key"},
		{"node.key", nonsense, "holds no Ed25519 key; move it away to get a new one"},
		{"node.key", anotherKind, "holds no Ed25519 key; move it away to get a new one"},
		{"node.key", long, "is no key file"},
		{"node.key", ofChannel, "is the key of a channel, and not of a node; move it away to get a new one"},
		{"channels/main.key", []byte("nonsense"), "is no key file; move it away to get a new key"},
		{"channels/main.key", ofNode, "is the key of a node, and not of a channel; move it away to get a new one"},
		{"channels/main.epoch", nil, "holds no epoch"},
		{"channels/main.epoch", []byte("soon\n"), "holds no epoch"},
		{"channels/main.epoch", []byte("-1\n"), "holds no epoch"},
		{"channels/main.epoch", []byte("18446744073709551615\n"), "holds no epoch"},
		{"channels/main.epoch", long, "is no key file"},
		{"channels/main.stream", []byte(" \n"), "is empty; remove it to get a new stream key"},
		{"channels/main.stream", long, "is no key file"},
	} {
		dir := fillStore(t)
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.b, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time shows that no lock was left
			if err := useFile(dir, c.name); err == nil || !strings.Contains(err.Error(), path+" "+c.words) {
				t.Errorf("%s of %.20q: %v; want %q", c.name, c.b, err, c.words)
			}
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, c.b) {
			t.Errorf("%s of %.20q was changed to %.20q, %v", c.name, c.b, b, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := useFile(dir, c.name); err != nil {
			t.Errorf("%s after it was moved away: %v", c.name, err)
		}
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	for _, name := range storeFiles {
		dir := fillStore(t)
		path := filepath.Join(dir, name)
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path+".away", path); err != nil {
			t.Fatal(err)
		}
		if err := useFile(dir, name); err == nil || !strings.Contains(err.Error(), path+" is no key file") {
			t.Errorf("%s is a symbolic link: %v", name, err)
		}
		if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		if err := useFile(dir, name); err == nil || !strings.Contains(err.Error(), path+" is no key file") {
			t.Errorf("%s is a folder: %v", name, err)
		}
	}
}

func TestStoreThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "relay")); err == nil || !strings.Contains(err.Error(), "make the configuration folder") {
		t.Errorf("store below a file: %v", err)
	}
}

func TestEmptyFolderStandsForTheUsersOwn(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	base, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	openStore(t, "")
	if _, err := os.Stat(filepath.Join(base, "relay", "channels")); err != nil || !strings.HasPrefix(base, home) {
		t.Errorf("store is not in %s: %v", base, err)
	}
}

func TestChannelNamesAreFileNamesEverywhere(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	for _, name := range []string{"a", "my-channel_2", strings.Repeat("a", 64)} {
		k, err := s.ChannelKey(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "A", "a b", "a/b", `a\b`, "..", ".", "a.key", "\u00fc", "a\x00", "a\n", strings.Repeat("a", 65)} {
		k, err := s.ChannelKey(name)
		if k != nil || err == nil || !strings.Contains(err.Error(), "use up to 64 of the characters a-z, 0-9, - and _") || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestOnlyChannelNamesReachTheFileSystem(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "keys"))
	for _, name := range []string{"", "..", "../node", "a/b", "A", "a b", "a.b", strings.Repeat("a", maxChannelName+1)} {
		if k, err := s.ChannelKey(name); err == nil {
			k.Close()
			t.Errorf("%q has a channel key", name)
		}
		if _, err := s.NextEpoch(name, time.Unix(0, 0)); err == nil {
			t.Errorf("%q has an epoch", name)
		}
		if _, err := s.StreamKey(name); err == nil {
			t.Errorf("%q has a stream key", name)
		}
	}
}
