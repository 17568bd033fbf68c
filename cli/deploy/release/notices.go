package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// legal are the files of a library that have to come along with it.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// notice is a text that has to come along, and the libraries that want it.
type notice struct {
	who  []string
	text string
}

// notices returns those of all libraries that the program has on any of the systems, and of Go's own. A text
// that several have is there once.
func notices(systems []system) ([]notice, error) {
	libraries := map[string]string{}
	for _, s := range systems {
		cmd := exec.Command("go", "list", "-deps", "-tags=urfave_cli_no_docs,nethttpomithttp2", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cli/relay")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+s.os, "GOARCH="+s.arch, "GOFLAGS=-mod=readonly", "GOWORK=off")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for line := range strings.Lines(string(out)) {
			if name, folder, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				libraries[name] = folder
			}
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	libraries["Go "+strings.TrimPrefix(runtime.Version(), "go")] = strings.TrimSpace(string(root))
	who := map[string][]string{} // of each text
	for _, name := range slices.Sorted(maps.Keys(libraries)) {
		files, err := os.ReadDir(libraries[name])
		if err != nil {
			return nil, err
		}
		found := false
		for _, f := range files {
			if f.IsDir() || !legal.MatchString(f.Name()) {
				continue
			}
			b, err := os.ReadFile(filepath.Join(libraries[name], f.Name()))
			if err != nil {
				return nil, err
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
			who[text] = append(who[text], name)
			found = true
		}
		if !found {
			return nil, fmt.Errorf("%s has no licence in %s", name, libraries[name])
		}
	}
	var all []notice
	for text, libraries := range who {
		all = append(all, notice{libraries, text})
	}
	slices.SortFunc(all, func(a, b notice) int {
		return cmp.Or(cmp.Compare(a.who[0], b.who[0]), cmp.Compare(a.text, b.text))
	})
	return all, nil
}

// noticesText is all of them as a file. On Debian a licence that is there anyhow is named instead.
func noticesText(all []notice, debian bool) []byte {
	var b strings.Builder
	b.WriteString("The program relay contains these libraries, under these licences.\n")
	for _, n := range all {
		text := n.text
		if debian && strings.HasPrefix(text, "Apache License") && strings.Contains(text, "Version 2.0, January 2004") {
			text = "Apache License 2.0: see /usr/share/common-licenses/Apache-2.0"
		}
		b.WriteString("\n" + strings.Repeat("-", 72) + "\n" + strings.Join(n.who, "\n") + "\n\n" + text + "\n")
	}
	return []byte(b.String())
}
