package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// small makes the program a third smaller, as SMALL in the Makefile says, and has nothing in it that
// is different in another folder.
var small = func() []string {
	flags := []string{"-trimpath", "-ldflags=-s -w -buildid=", "-tags=urfave_cli_no_docs,nethttpomithttp2"}
	for p := range strings.FieldsSeq(cold) {
		flags = append(flags, "-gcflags="+p+"=-l")
	}
	return flags
}()

// cold are the packages that do nothing for each tag.
//
//go:embed cold.txt
var cold string

// build returns the program for a system, without symbols and without the paths of this machine. If
// this is a checkout, `relay version` tells its commit.
func build(s system, url string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "relay-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, programName(s))
	cmd := exec.Command("go", slices.Concat([]string{"build", "-buildvcs=auto"}, small, asks(url), []string{"-o", path, "./cli/relay"})...)
	// What the machine's own settings say of processors or linking must not go in.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+s.os, "GOARCH="+s.arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(path)
}

// asks returns the flag with which the program knows where to look for newer releases, if they are anywhere.
func asks(url string) []string {
	if url == nowhere {
		return nil
	}
	return []string{"-ldflags=-s -w -buildid= -X relay/cli/update.From=" + url + "/latest.json"} // the last of them counts
}

func programName(s system) string {
	if s.os == "windows" {
		return "relay.exe"
	}
	return "relay"
}

// commitTime returns what SOURCE_DATE_EPOCH says (reproducible-builds.org), or else the time of the
// newest commit, or else, outside a checkout, 1 January 2026.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		var failed *exec.ExitError
		switch {
		case errors.As(err, &failed), errors.Is(err, exec.ErrNotFound): // no checkout
			return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil
		case err != nil:
			return time.Time{}, err
		}
		text = strings.TrimSpace(string(out))
	}
	s, err := strconv.ParseInt(text, 10, 64)
	if err != nil || s < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is no number of seconds since 1970", text)
	}
	return time.Unix(s, 0).UTC(), nil
}
