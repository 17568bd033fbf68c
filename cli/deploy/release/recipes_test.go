package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pretended is a release whose files are there for all of the systems, with nothing in them but their names.
func pretended(t *testing.T, systems []system) *release {
	t.Helper()
	r := &release{out: t.TempDir(), url: "https://example.org/relay", version: "1.2.3", made: time.Unix(1_700_000_000, 0).UTC()}
	for _, s := range systems {
		end := ".tar.gz"
		if s.os == "windows" {
			end = ".zip"
		}
		name := "relay-1.2.3-" + s.os + "-" + s.arch + end
		if err := os.WriteFile(filepath.Join(r.out, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.recipes("../recipes"); err != nil {
		t.Fatal(err)
	}
	return r
}

// written returns all recipes, by their names.
func written(t *testing.T, r *release) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(filepath.Join(r.out, "recipes"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(r.out, path)
		all[filepath.ToSlash(rel)] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	address = regexp.MustCompile(`https://[^\s'"]+\.(?:tar\.gz|zip)`)
	digest  = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
)

// Every file that a recipe names is one of the release's, and every sum is that of the file beside it.
func TestRecipesAgreeWithTheRelease(t *testing.T) {
	all := written(t, pretended(t, targets))
	used := map[string]bool{}
	for name, text := range all {
		files := address.FindAllString(text, -1)
		sums := digest.FindAllString(text, -1)
		if strings.Contains(text, "@VERSION@") || strings.Contains(text, "@URL@") || strings.Contains(text, "@SHA256") || strings.Contains(text, "0.1.0") {
			t.Errorf("%s is not filled in:\n%s", name, text)
		}
		if len(files) != len(sums) {
			t.Fatalf("%s has %d files and %d sums", name, len(files), len(sums))
		}
		for i, f := range files {
			base := path.Base(f)
			if f != "https://example.org/relay/1.2.3/"+base {
				t.Errorf("%s: %s", name, f)
			}
			if want := fmt.Sprintf("%x", sha256.Sum256([]byte(base))); sums[i] != want {
				t.Errorf("%s: the sum of %s is another's", name, base)
			}
			used[base] = true
		}
	}
	if len(all) != 6 || len(used) != len(targets) {
		t.Errorf("%d recipes for %d files", len(all), len(used))
	}
	// Both say where in the archive the program is, and that is where it is put (see system).
	if !strings.Contains(all["recipes/winget/relay.relay.installer.yaml"], `relay-1.2.3-windows-amd64\relay.exe`) {
		t.Error("winget does not find the program")
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = strings.NewReader(all["recipes/aur/PKGBUILD"])
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("PKGBUILD: %v\n%s", err, out)
		}
	}
}

// .SRCINFO says what PKGBUILD says: the repository shows the one and builds the other.
func TestTheSourcesOfAnArchPackageAreSaidTwiceAlike(t *testing.T) {
	all := written(t, pretended(t, targets))
	for _, of := range []*regexp.Regexp{address, digest} {
		a, b := of.FindAllString(all["recipes/aur/PKGBUILD"], -1), of.FindAllString(all["recipes/aur/.SRCINFO"], -1)
		for _, x := range a {
			if !strings.Contains(strings.Join(b, " "), x) {
				t.Errorf("%s is not in .SRCINFO", x)
			}
		}
		if len(a) != 2 || len(b) != 2 {
			t.Errorf("%q, %q", a, b)
		}
	}
}

// A recipe with files that were not built would be wrong.
func TestOfARecipeWithoutFilesNothingIsWritten(t *testing.T) {
	all := written(t, pretended(t, []system{{"linux", "amd64"}, {"linux", "arm64"}}))
	for name := range all {
		if !strings.HasPrefix(name, "recipes/aur/") && address.MatchString(all[name]) {
			t.Errorf("%s is there", name)
		}
	}
	if all["recipes/aur/PKGBUILD"] == "" {
		t.Error("there is no PKGBUILD")
	}
}

// Docker is told the version by a line that nobody may forget.
func TestTheContainerIsOfThisVersion(t *testing.T) {
	app, err := os.ReadFile("../../app.go")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`const Version = "([^"]+)"`).FindStringSubmatch(string(app))
	b, err := os.ReadFile("../Dockerfile")
	if err != nil || version == nil {
		t.Fatal(err)
	}
	args := regexp.MustCompile(`(?m)^ARG VERSION=(.*)$`).FindAllStringSubmatch(string(b), -1)
	if len(args) != 2 || args[0][1] != version[1] || args[1][1] != version[1] {
		t.Errorf("%q, and the version is %s", args, version[1])
	}
	for _, rule := range []string{`(?m)^USER [1-9]`, `(?m)^ENTRYPOINT \["/relay"\]$`, `(?m)^HEALTHCHECK .* CMD \["/relay", "ready"\]$`, `(?m)^VOLUME /config$`, `7144/udp`} {
		if !regexp.MustCompile(rule).Match(b) {
			t.Errorf("nothing matches %s", rule)
		}
	}
	if regexp.MustCompile(`(?m)^(RUN|SHELL)|CMD [^\[]`).Match(b) {
		t.Error("it needs a shell, and there is none")
	}
}
