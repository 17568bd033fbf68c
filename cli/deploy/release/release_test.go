//go:build e2e

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

var made = time.Unix(1_700_000_000, 0).UTC()

// tool runs a program, in dir, and returns what it printed.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(made.Unix(), 10))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// copyTree copies the module to a folder of another name and depth.
func copyTree(t *testing.T, to string) {
	t.Helper()
	const root = "../../.."
	if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (rel == ".git" || rel == "bin"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	}); err != nil {
		t.Fatal(err)
	}
}

// One of the systems shows it for all: what could differ is the folder, not the compiler.
func TestAReleaseIsTheSameInAnyFolder(t *testing.T) {
	var sums []string
	var out string
	for _, folder := range []string{"a", "another/folder"} {
		dir := filepath.Join(t.TempDir(), folder)
		copyTree(t, dir)
		out = filepath.Join(dir, "bin", "release")
		tool(t, dir, "go", "run", "./cli/deploy/release", "-here")
		b, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(b))
	}
	version := strings.Fields(tool(t, ".", "go", "run", "../../relay", "version"))[1]
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") < 3 {
		t.Fatalf("one folder:\n%sanother:\n%s", sums[0], sums[1])
	}
	tool(t, out, "sha256sum", "--check", "--strict", "SHA256SUMS")

	packages, _ := filepath.Glob(filepath.Join(out, "*.deb"))
	if len(packages) != 1 {
		t.Fatalf("%d Debian packages", len(packages))
	}
	if field := tool(t, out, "dpkg-deb", "--field", packages[0], "Version"); strings.TrimSpace(field) != version {
		t.Errorf("the package is version %q", field)
	}
	listed := tool(t, out, "dpkg-deb", "--contents", packages[0])
	if !regexp.MustCompile(`(?m)^-rw-r----- root/root .* \./etc/relay/channels$`).MatchString(listed) {
		t.Errorf("others can read the links, which may have secrets:\n%s", listed)
	}
	control := t.TempDir()
	tool(t, out, "dpkg-deb", "--control", packages[0], control)
	if b, err := os.ReadFile(filepath.Join(control, "postinst")); err != nil || string(b) != afterInstall {
		t.Errorf("the package runs another script: %v", err)
	}
	root := t.TempDir()
	tool(t, out, "dpkg-deb", "--extract", packages[0], root)
	if said := tool(t, root, filepath.Join(root, "usr/bin/relay"), "version"); !strings.Contains(said, version) {
		t.Errorf("the package's program says %q", said)
	}
	unit := filepath.Join(root, serviceFile)
	said := tool(t, root, "systemd-analyze", "security", "--offline=true", "--no-pager", unit)
	m := regexp.MustCompile(`exposure level for relay.service: ([0-9.]+)`).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("systemd-analyze says:\n%s", said)
	}
	if level, _ := strconv.ParseFloat(m[1], 64); level > 2 {
		t.Errorf("the service is exposed %s, more than 2.0", m[1])
	}
	if os.Getuid() == 0 { // namespaces are root's
		script, err := filepath.Abs("../firstrun.sh")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("with nothing but what the package has:\n%s", tool(t, root, "sh", script, root))
	}

	bill, err := os.ReadFile(filepath.Join(out, "relay-"+version+"-linux-"+runtime.GOARCH+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for line := range strings.Lines(tool(t, root, "go", "version", "-m", filepath.Join(root, "usr/bin/relay"))) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] != "dep" {
			continue
		}
		modules++
		if !bytes.Contains(bill, []byte(`"pkg:golang/`+f[1]+"@"+f[2]+`"`)) {
			t.Errorf("%s %s is not in the bill of materials", f[1], f[2])
		}
	}
	if modules < 10 {
		t.Errorf("%d modules", modules)
	}
}

func TestATruncatedProgramHasNoBill(t *testing.T) {
	if b, err := sbom([]byte("\x7fELF"), "1.0"); err == nil {
		t.Errorf("%s", b)
	}
}
