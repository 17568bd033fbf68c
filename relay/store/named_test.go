package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/relay/stream"
)

func TestWhatADomainHasNamedIsRemembered(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	if all, err := NamedChannels(dir); len(all) != 0 || err != nil {
		t.Fatalf("of no folder: %v, %v", all, err)
	}
	now := time.Unix(1_800_000_000, 0)
	for i, as := range []string{"example.org", "example.org/Table 3", "example.org", "example.com"} {
		if err := RememberNamed(dir, Named{as, stream.ChannelID{byte(i)}, now}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := NamedChannels(dir)
	want := []Named{{"example.com", stream.ChannelID{3}, now}, {"example.org", stream.ChannelID{2}, now}, {"example.org/Table 3", stream.ChannelID{1}, now}}
	if err != nil || fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("%v, %v; want %v", all, err, want)
	}
	for _, bad := range []string{"", "a\nb", strings.Repeat("a", maxNamedAs+1)} {
		if err := RememberNamed(dir, Named{bad, stream.ChannelID{}, now}); err == nil {
			t.Errorf("%.20q is remembered", bad)
		}
	}
	// What others could have read or changed, or is no such file, counts for nothing, and is not replaced.
	path := filepath.Join(dir, namedFile)
	for _, text := range []string{"hello\n", strings.Repeat("a", maxNamedFile+1), stream.ChannelID{}.String() + " x example.org\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := NamedChannels(dir); err == nil {
			t.Errorf("%.20q is read as %v", text, all)
		}
		if err := RememberNamed(dir, want[0]); err == nil {
			t.Errorf("%.20q was replaced", text)
		}
	}
}

func TestOfManyNamesTheLatestAreKept(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range maxNamed {
		fmt.Fprintf(&b, "%s 1 %d.example\n", stream.ChannelID{}, i)
	}
	if err := os.WriteFile(filepath.Join(dir, namedFile), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RememberNamed(dir, Named{"new.example", stream.ChannelID{1}, time.Unix(2, 0)}); err != nil {
		t.Fatal(err)
	}
	all, err := NamedChannels(dir)
	if err != nil || len(all) != maxNamed || all[0].As != "new.example" || all[maxNamed-1].As != fmt.Sprint(maxNamed-2, ".example") {
		t.Errorf("%d of them, %v", len(all), err)
	}
}
