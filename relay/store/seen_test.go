package store

import (
	"os"
	"path/filepath"
	"testing"

	"relay/relay/stream"
)

func TestTheLatestEpochOfAChannelIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	s := openStore(t, dir)
	id := stream.ChannelID{1}
	wants := func(want stream.Epoch) {
		t.Helper()
		if e, err := openStore(t, dir).SeenEpoch(id); e != want || err != nil {
			t.Errorf("%v, %v, want %v", e, err, want)
		}
	}
	wants(stream.Epoch{})
	first, later := stream.Epoch{Ms: 5, Rand: 1<<64 - 1}, stream.Epoch{Ms: 6}
	for _, e := range []stream.Epoch{first, later, first} {
		if err := s.SawEpoch(id, e); err != nil {
			t.Fatal(err)
		}
	}
	wants(later)
	if err := os.WriteFile(s.seenPath(id), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := s.SeenEpoch(id); err == nil {
		t.Errorf("nonsense is read as %v", e)
	}
	if err := s.SawEpoch(id, first); err != nil {
		t.Fatal(err)
	}
	wants(first)
}
