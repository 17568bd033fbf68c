//go:build e2e

// Package taglog reads what relay source --tag-log writes.
package taglog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"relay/ingest/flv"
)

// Tag is one line: a tag that the source took in.
type Tag struct {
	Type flv.Type
	Ms   uint32            // timestamp
	Sum  [sha256.Size]byte // of the body
}

// Of describes a tag as the log does.
func Of(t flv.Tag) Tag { return Tag{t.Type(), t.Timestamp(), sha256.Sum256(t.Body())} }

// Parse reads a line without its end.
func Parse(line string) (Tag, error) {
	var g Tag
	var sum string
	if _, err := fmt.Sscanf(line, "%d %d %s", &g.Type, &g.Ms, &sum); err != nil {
		return Tag{}, fmt.Errorf("tag log line %q: %w", line, err)
	}
	if n, err := hex.Decode(g.Sum[:], []byte(sum)); err != nil || n != len(g.Sum) {
		return Tag{}, fmt.Errorf("tag log line %q: no SHA-256: %v", line, err)
	}
	return g, nil
}
