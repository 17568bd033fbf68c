package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// system is what a program is built for, in Go's words.
type system struct{ os, arch string }

var targets = []system{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
}

func main() {
	out := flag.String("out", "bin/release", "`FOLDER` to write to")
	url := flag.String("url", nowhere, "`ADDRESS`, by https, below which the files will be, in a folder of the version's name; ADDRESS/latest.json is asked by relay update --check")
	here := flag.Bool("here", false, "for this machine's system alone")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "release: %q is no flag: see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	chosen := targets
	if *here {
		chosen = []system{{runtime.GOOS, runtime.GOARCH}}
	}
	if err := run(*out, *url, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is what all files of one have in common.
type release struct {
	out     string // folder
	url     string // where the files will be
	version string
	made    time.Time
	docs    []file
	notices []notice // what libraries want to be said with them
}

// run builds for all of chosen. It is run in the module's root.
func run(out, url string, chosen []system) error {
	if !strings.HasPrefix(url, "https://") || strings.HasSuffix(url, "/") {
		return fmt.Errorf("-url %q: as in https://example.org/relay", url)
	}
	r := release{out: out, url: url}
	said, err := says("version")
	if err != nil {
		return err
	}
	r.version = strings.Fields(string(said))[1]
	if r.made, err = commitTime(); err != nil {
		return err
	}
	if r.docs, err = documents(); err != nil {
		return err
	}
	if r.notices, err = notices(chosen); err != nil {
		return err
	}
	r.docs = append(r.docs, file{"NOTICES.txt", noticesText(r.notices, false), 0o644})
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, s := range chosen {
		if err := r.system(s); err != nil {
			return fmt.Errorf("%s/%s: %w", s.os, s.arch, err)
		}
	}
	if err := r.latest(); err != nil {
		return err
	}
	if err := r.recipes("cli/deploy/recipes"); err != nil {
		return err
	}
	for _, name := range []string{"Dockerfile", "compose.yaml"} {
		b, err := os.ReadFile(filepath.Join("cli/deploy", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, name), b, 0o644); err != nil {
			return err
		}
	}
	return sum(out)
}

// system builds for one system.
func (r *release) system(s system) error {
	program, err := build(s, r.url)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("relay-%s-%s-%s", r.version, s.os, s.arch)
	parts, err := sbom(program, r.version)
	if err != nil {
		return err
	}
	packed := append([]file{{name: programName(s), data: program, mode: 0o755}}, r.docs...)
	files := map[string]func() ([]byte, error){
		name + ".cdx.json": func() ([]byte, error) { return parts, nil },
	}
	if s.os == "windows" {
		files[name+".zip"] = func() ([]byte, error) { return zipOf(within(name, packed), r.made) }
	} else {
		files[name+".tar.gz"] = func() ([]byte, error) { return tarOf(within(name, packed), r.made) }
	}
	if s.os == "linux" {
		files[fmt.Sprintf("relay_%s_%s.deb", r.version, s.arch)] = func() ([]byte, error) {
			return r.deb(s.arch, program)
		}
	}
	for name, bytes := range files {
		b, err := bytes()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(r.out, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sum writes SHA256SUMS, for `sha256sum -c`.
func sum(out string) error {
	files, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range files { // by name
		if f.IsDir() { // recipes have sums in them, and are for others to change
			continue
		}
		b, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(b), f.Name())
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
