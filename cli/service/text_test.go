package service

import (
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// nasty are arguments that mean something to those who read them, but should not.
var nasty = []string{"a b", `"q"`, `back\slash\`, "%n %% $HOME ${X} $$", "<&>'", "ünï", "line\nbreak", "", "-", ";", "a\tb"}

func TestSystemdReadsWhatIsMeant(t *testing.T) {
	for _, a := range nasty {
		if got := unquoted(t, quoted(a)); got != a {
			t.Errorf("%q became %q", a, got)
		}
	}
	unit := Unit(What{Program: "/opt/my relay/relay", Args: nasty, Folder: "/home/me/100%"})
	if !strings.Contains(unit, "\nExecStart=\"/opt/my relay/relay\" \"a b\"") || !strings.Contains(unit, "\nWorkingDirectory=-/home/me/100%%\n") {
		t.Errorf("%s", unit)
	}
}

// systemd itself, where it is, has nothing to say against either unit.
func TestSystemdTakesTheUnits(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("systemd-analyze is needed (make tools installs it):", err)
		}
		t.Skip(err)
	}
	packaged, err := os.ReadFile("../deploy/relay-user.service")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ours":         Unit(What{Program: "/bin/true", Args: nasty, Folder: "/"}),
		"the packages": strings.Replace(string(packaged), "/usr/bin/relay", "/bin/true", 1),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "relay.service"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(verify, "verify", "--user", "--man=no", filepath.Join(dir, "relay.service"))
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// unquoted reads one argument as systemd.service(5) says: escapes first, then specifiers and variables.
func unquoted(t *testing.T, s string) string {
	t.Helper()
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		t.Fatalf("%s has no quotes", s)
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"', c == '\n':
			t.Fatalf("it ends early: %s", s)
		case c == '\\' || c == '%' || c == '$':
			i++
			if i == len(s) {
				t.Fatalf("%s is cut", s)
			}
			switch {
			case c == '\\' && s[i] == 'n':
				b.WriteByte('\n')
			case c == '\\' && s[i] == 't':
				b.WriteByte('\t')
			case s[i] == c || c == '\\' && s[i] == '"':
				b.WriteByte(s[i])
			default:
				t.Fatalf("%c%c means something in %s", c, s[i], s)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestLaunchdReadsWhatIsMeant(t *testing.T) {
	text := Plist(What{Program: "/opt/my relay", Args: nasty, Folder: "/a&b"})
	dec := xml.NewDecoder(strings.NewReader(text))
	var got []string
	for in := false; ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if e.Name.Local == "array" {
				in = true
			}
			if in && e.Name.Local == "string" {
				var s string
				if err := dec.DecodeElement(&s, &e); err != nil {
					t.Fatal(err)
				}
				got = append(got, s)
			}
		case xml.EndElement:
			in = in && e.Name.Local != "array"
		}
	}
	if want := append([]string{"/opt/my relay"}, nasty...); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
	if !ours(text) {
		t.Error("it is not known as ours")
	}
}

// The rule is of CommandLineToArgvW, whose reference has these.
func TestWindowsReadsWhatIsMeant(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": `""`, "a b": `"a b"`, `a"b`: `"a\"b"`, `C:\x y\`: `"C:\x y\\"`, `C:\x\`: `C:\x\`, `a\"b c`: `"a\\\"b c"`,
	} {
		if got := quotedForWindows(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestAnyChangeIsSeen(t *testing.T) {
	unit := Unit(What{Program: "/usr/bin/relay", Args: []string{"serve", marker}})
	if !ours(unit) {
		t.Fatal("it is not known as ours")
	}
	for i := range unit {
		b := []byte(unit)
		b[i] ^= 1
		if ours(string(b)) {
			t.Fatalf("byte %d changed, and nobody sees it", i)
		}
	}
	for _, text := range []string{"", unit + "\n", unit[1:], marker, marker + "abc", "[Service]\nExecStart=/bin/true\n"} {
		if ours(text) {
			t.Errorf("%q is taken for ours", text)
		}
	}
}

// Package managers keep a program in a folder with its version, and a link to it on PATH.
func TestTheProgramIsTheOneThatStays(t *testing.T) {
	dir := t.TempDir()
	cellar, bin, other := filepath.Join(dir, "Cellar", "relay", "1.0", "relay"), filepath.Join(dir, "bin", "relay"), filepath.Join(dir, "other")
	for _, p := range []string{cellar, bin, other} {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{cellar, other} {
		if err := os.WriteFile(p, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(cellar, bin); err != nil {
		if runtime.GOOS != "windows" { // where it takes a right of its own
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for name, c := range map[string]struct{ own, found, want string }{
		"the link on PATH":     {cellar, bin, bin},
		"another one on PATH":  {cellar, other, cellar},
		"none on PATH":         {cellar, "", cellar},
		"what is gone on PATH": {cellar, filepath.Join(dir, "gone"), cellar},
	} {
		if got, err := lasting(c.own, c.found, filepath.EvalSymlinks); got != c.want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	run := func(string) (string, error) { return "/tmp/go-build123/b001/exe/relay", nil }
	if _, err := lasting("/tmp/go-build123/b001/exe/relay", "", run); !errors.Is(err, ErrTemporary) {
		t.Errorf("go run: %v", err)
	}
}

func TestTheFolderIsKeptForFilesInIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "channels"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"channels": dir, "--list=channels": dir, "@channels": dir, "--token=@channels": dir,
		"relay://x@h:1": "", "--upload": "", "20M": "", filepath.Join(dir, "channels"): "", "": "", "gone": "",
	} {
		if got := FolderFor([]string{"serve", arg}, dir); got != want {
			t.Errorf("%q: %q", arg, got)
		}
	}
}

func TestALogStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "relay.log")
	l, err := OpenLog(path, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.most = 1000
	for range 1000 {
		if n, err := l.Write([]byte("a line of this log\n")); n != 19 || err != nil {
			t.Fatal(n, err)
		}
	}
	for _, p := range []string{path, path + ".old"} {
		if fi, err := os.Stat(p); err != nil || fi.Size() > 1000 || fi.Size() < 100 {
			t.Errorf("%s: %v, %v", p, fi.Size(), err)
		}
	}
	if got := newestOf(path); len(got) != newestLines || got[0] != "a line of this log" {
		t.Errorf("%q", got)
	}
	if newestOf(path+".gone") != nil || newest(" \n") != nil {
		t.Error("lines of nothing")
	}
}

// TestALogOutlivesWhatIsInItsWay has the older log's place taken, and then the folder gone for a while.
func TestALogOutlivesWhatIsInItsWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "relay.log")
	l, err := OpenLog(path, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.most = 1000
	fill := func() {
		for range 100 {
			if _, err := l.Write([]byte("a line of this log\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(path+".old", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	fill()
	if fi, err := os.Stat(path); err != nil || fi.Size() > 1000 || fi.Size() == 0 {
		t.Errorf("without a place for the older one: %v, %v", fi, err)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Skip(err) // Windows keeps what is open
	}
	fill()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	fill()
	if fi, err := os.Stat(path); err != nil || fi.Size() > 1000 || fi.Size() == 0 {
		t.Errorf("when its folder is there again: %v, %v", fi, err)
	}
}

// Whichever of the two units a user has, the service is treated alike.
func TestThePackagesUnitIsLikeOurs(t *testing.T) {
	b, err := os.ReadFile("../deploy/relay-user.service")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(b), "\nExecReload=/bin/kill -HUP $MAINPID\n"+unitRest) {
		t.Errorf("it ends otherwise than\n%s", unitRest)
	}
}
