package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relay/relay/stream"
)

func TestOwnChannelsAreFoundWithoutTouchingThem(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "relay")
	if own, err := OwnChannels(missing); len(own) > 0 || err != nil {
		t.Errorf("a folder that is not there: %v, %v", own, err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("it was made")
	}

	dir := fillStore(t)
	s := openStore(t, dir)
	want := map[string]stream.ChannelID{}
	for _, name := range []string{"main", "second"} { // held, as while they are broadcast
		k, err := s.ChannelKey(name)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		want[name] = stream.IDOf(k.PrivateKey)
	}
	own, err := OwnChannels(dir)
	if err != nil || len(own) != len(want) || own[0].Name != "main" {
		t.Fatalf("%v, %v", own, err)
	}
	for _, c := range own {
		if c.ID != want[c.Name] {
			t.Errorf("%s is %s, want %s", c.Name, c.ID, want[c.Name])
		}
	}

	// One that cannot be used hides none of the others.
	bad := filepath.Join(dir, "channels", "main.key")
	if err := os.WriteFile(bad, []byte("no key"), fileMode); err != nil {
		t.Fatal(err)
	}
	own, err = OwnChannels(dir)
	if len(own) != 1 || own[0].Name != "second" || err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("%v, %v", own, err)
	}

	// A file in the place of the folder.
	if _, err := OwnChannels(bad); err == nil {
		t.Error("a file passes for a folder")
	}
}
