package cli

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"

	"relay/cli/fault"
	"relay/ingest/flv"
)

// tagLog returns a function that writes one line per tag to the file: type byte,
// timestamp in milliseconds, SHA-256 of the body. Without a file it is nil. Lines
// are written at once, so that what a killed source took in is known.
func tagLog(path string) (onTag func(flv.Tag), closeLog func() error, err error) {
	if path == "" {
		return nil, func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, fault.Fail("", "--tag-log: %w", err)
	}
	w := bufio.NewWriter(f)
	return func(t flv.Tag) {
		fmt.Fprintf(w, "%d %d %x\n", t.Type(), t.Timestamp(), sha256.Sum256(t.Body()))
		w.Flush() // an error shows in the log's length; the stream matters more
	}, f.Close, nil
}
