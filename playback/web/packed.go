package web

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
)

//go:generate go run ./pack

// packed is all of the page, made of the files here by pack: a third of their size, and unpacked when a browser comes.
//
//go:embed web.z
var packed []byte

// patterns say which files are part of the page.
var patterns = []string{"*.html", "*.css", "*.svg", "*.js", "lang/*.js"}

// Pack puts the page's files into one: before each a line with its name and its length in bytes.
func Pack(from fs.FS) ([]byte, error) {
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, p := range patterns {
		names, err := fs.Glob(from, p)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			body, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, err
			}
			if _, err := fmt.Fprintf(z, "%s %d\n%s", name, len(body), body); err != nil {
				return nil, err
			}
		}
	}
	err = z.Close()
	return out.Bytes(), err
}

// unpack returns what was packed, by name.
func unpack(b []byte) (map[string][]byte, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(b)))
	if err != nil {
		return nil, err
	}
	all := make(map[string][]byte)
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		var name string
		var size int
		if _, err := fmt.Sscanf(string(line), "%s %d", &name, &size); err != nil || size > len(rest) {
			return nil, fmt.Errorf("no file begins with %q", line)
		}
		all[name], text = rest[:size:size], rest[size:]
	}
	return all, nil
}
