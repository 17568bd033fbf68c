package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// nowhere is the place of the files as long as nobody has said where they will be: a name that can never be
// one (RFC 2606).
const nowhere = "https://releases.invalid/relay"

// blank is what is filled in: the version, the day, the address of the files and of the page, and the sum of a
// file, in hex.
var blank = regexp.MustCompile(`@(VERSION|DATE|URL|PAGE|SHA256 [^@\n]+)@`)

// recipes fills in what other systems' package managers are told, from the folder from into
// the folder recipes of the release. A recipe for a file that was not built is left out.
func (r *release) recipes(from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := r.fill(string(b))
		if os.IsNotExist(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if filepath.Base(rel) == "SRCINFO" { // it is hidden only where it is used
			rel = filepath.Join(filepath.Dir(rel), ".SRCINFO")
		}
		to := filepath.Join(r.out, "recipes", rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, []byte(text), 0o644)
	})
}

// fill fills in one text.
func (r *release) fill(text string) (string, error) {
	var failed error
	text = strings.ReplaceAll(text, "@VERSION@", r.version) // first: it is in the names of files, too
	text = blank.ReplaceAllStringFunc(text, func(s string) string {
		switch name := strings.Trim(s, "@"); name {
		case "DATE":
			return r.made.Format("2006-01-02")
		case "URL":
			return r.url + "/" + r.version
		case "PAGE":
			return r.url
		default:
			b, err := os.ReadFile(filepath.Join(r.out, strings.TrimPrefix(name, "SHA256 ")))
			if err != nil {
				failed = err
			}
			return fmt.Sprintf("%x", sha256.Sum256(b))
		}
	})
	return text, failed
}

// latest writes what `relay update --check` reads: which release is the newest, once it is the newest.
func (r *release) latest() error {
	l := struct {
		Version string `json:"version"`
		Date    string `json:"date"`
		Page    string `json:"page,omitempty"`
	}{r.version, r.made.Format("2006-01-02"), ""}
	if r.url != nowhere {
		l.Page = r.url
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "latest.json"), append(b, '\n'), 0o644)
}
