//go:build e2e

package flv

import (
	"errors"
	"io"
	"testing"
)

// recording is a file of as many tags with bodies of 8 MiB as one wants, of which it keeps one.
type recording struct {
	tag, rest []byte
	left      int
}

func (r *recording) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.tag
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Nothing counts in 32 bits that could pass 4 GiB.
func TestAFileOfMoreThan4GiBIsReadToItsEnd(t *testing.T) {
	const tags = 560
	body := make([]byte, 8<<20)
	body[0], body[1] = 0x27, 1
	file := &recording{tag: NewTag(Video, 40, body), rest: []byte("FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00"), left: tags}
	r := NewReader(file)
	n, size := 0, int64(0)
	for {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("after %d bytes: %v", size, err)
		}
		n, size = n+1, size+int64(len(tag))
	}
	if n != tags || size < 1<<32 {
		t.Errorf("%d tags of %d bytes, want %d", n, size, tags)
	}
}
