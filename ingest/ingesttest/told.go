package ingesttest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"relay/ingest/flv"
)

// Told are the tags of a reader: k and i for pictures, s for sounds, each with when it is shown, in milliseconds
// behind origin; then how it ends.
func Told(r interface{ Next() (flv.Tag, error) }, origin int32) string {
	var said []string
	for {
		tag, err := r.Next()
		if err != nil {
			if err != io.EOF {
				said = append(said, err.Error())
			}
			return strings.Join(said, " ")
		}
		c, ok := flv.Decode(tag)
		if !ok || c.Config {
			continue
		}
		kind := "i"
		switch {
		case tag.Type() == flv.Audio:
			kind = "s"
		case c.Key:
			kind = "k"
		}
		said = append(said, fmt.Sprint(kind, int32(tag.Timestamp())+c.Offset-origin))
	}
}

// Plausible checks what a reader makes of any bytes: no more tags than that and no more bytes of frames than most,
// and metadata that can be read.
func Plausible(t *testing.T, r interface{ Next() (flv.Tag, error) }, tags, most int) {
	t.Helper()
	size := 0
	for n := 0; ; n++ {
		tag, err := r.Next()
		if err != nil {
			break
		}
		if n >= tags {
			t.Fatal("there is no end")
		}
		if c, ok := flv.Decode(tag); ok && !c.Config {
			size += len(c.Data)
		}
		if tag.Type() == flv.Script {
			if _, ok := flv.ParseMetadata(tag.Body()); !ok {
				t.Fatalf("metadata %x", tag.Body())
			}
		}
	}
	if size > most {
		t.Fatalf("%d bytes of frames, at most %d were right", size, most)
	}
}
