package ingesttest

import (
	"errors"
	"io"
	"os"
	"testing"

	"relay/ingest/flv"
)

// ReadFile returns the tags of an FLV file.
func ReadFile(t testing.TB, path string) (tags []flv.Tag) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tags
		} else if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
}
