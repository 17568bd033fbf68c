package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// within lists what is in a folder and below it.
func within(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestInspectionLeavesAFolderAsItIs(t *testing.T) {
	above := t.TempDir()
	missing := filepath.Join(above, "config", "relay")
	if got, want := Inspect(missing), (Contents{Dir: missing}); !reflect.DeepEqual(got, want) {
		t.Errorf("a folder that is not there: %+v", got)
	}
	if left := within(t, above); len(left) > 1 {
		t.Errorf("it makes %q", left)
	}

	dir := fillStore(t)
	held, err := openStore(t, dir).ChannelKey("main") // as while it is broadcast
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	before := within(t, dir)
	got := Inspect(dir)
	own, err := OwnChannels(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Contents{
		Dir: dir, Exists: true, Channels: own,
		Starts: []Start{{"main", time.Unix(1000, 0), filepath.Join(dir, "channels", "main.epoch")}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if after := within(t, dir); !reflect.DeepEqual(after, before) {
		t.Errorf("there was %q, there is %q", before, after)
	}
}

func TestInspectionTellsWhyThereCanBeNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "relay")} {
		if c := Inspect(dir); c.Err == nil || !strings.Contains(c.Err.Error(), file) || c.Exists || c.Dir != dir {
			t.Errorf("%s: %+v", dir, c)
		}
	}
	for _, v := range []string{"HOME", "XDG_CONFIG_HOME", "AppData", "home"} {
		t.Setenv(v, "")
	}
	if c := Inspect(""); !errors.Is(c.Err, ErrNoFolder) || c.Dir != "" {
		t.Errorf("no home: %+v", c)
	}
}

func TestInspectionShowsWhatWouldBeRefusedBecauseOthersCanReadIt(t *testing.T) {
	members := filepath.Join("channels", rememberChannel.String()+membersExt)
	for name, want := range map[string]fs.FileMode{
		".": 0o700, "channels": 0o700, "node.key": 0o600, "channels/main.key": 0o600,
		"channels/main.epoch": 0o600, "channels/main.stream": 0o600, members: 0o600,
		"node.lock": 0, "channels/main.lock": 0, "notes": 0, // nothing in these is private
	} {
		dir := fillStore(t)
		if err := openStore(t, dir).Remember(rememberChannel, places(1, 2), rememberAt); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if name == "notes" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := Inspect(dir); len(got.Exposed) > 0 || got.Unusable != nil {
			t.Errorf("nothing is exposed: %+v", got)
		}
		if err := os.Chmod(path, 0o644|want); err != nil {
			t.Fatal(err)
		}
		var exposed []Exposed
		if want != 0 {
			exposed = []Exposed{{path, 0o644 | want, want}}
		}
		got := Inspect(dir)
		if !reflect.DeepEqual(got.Exposed, exposed) {
			t.Errorf("%s: %+v, want %+v", name, got.Exposed, exposed)
		}
		if (got.Unusable != nil) != (name == "channels/main.key") || len(got.Starts) != len(got.Channels) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Only the folder itself and its folder of channels are used: what else somebody keeps
// beside them is not the store's to judge.
func TestInspectionLeavesOtherFoldersAlone(t *testing.T) {
	dir := fillStore(t)
	other := filepath.Join(dir, "backup.key") // comes before channels
	for _, d := range []string{other, filepath.Join(dir, "channels", "old")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "main.key"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{d, filepath.Join(d, "main.key")} { // whatever the umask is
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := Inspect(dir).Exposed; len(got) > 0 {
		t.Errorf("others can read %+v", got)
	}

	main := filepath.Join(dir, "channels", "main.key")
	for _, change := range []struct {
		path string
		mode fs.FileMode
	}{{main, 0o644}, {other, 0}} { // a folder that cannot be read hides nothing behind it
		if err := os.Chmod(change.path, change.mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(other, 0o700) }) // so that it can be removed
	if got, want := Inspect(dir).Exposed, []Exposed{{main, 0o644, 0o600}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestInspectionReadsTheLastStartOrLeavesItOut(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"1000000\n", true},
		{"1000000", true},
		{"", false},
		{"soon\n", false},
		{"-1\n", false},
		{"18446744073709551615\n", false},
		{strings.Repeat("1", 5000), false},
	} {
		dir := fillStore(t)
		if err := os.WriteFile(epochPath(dir, "main"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := Inspect(dir).Starts
		if c.ok != (len(got) == 1 && got[0].At.Equal(time.Unix(1000, 0))) || !c.ok && len(got) > 0 {
			t.Errorf("%.20q: %+v", c.text, got)
		}
	}
}
