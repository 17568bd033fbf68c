package flv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/nareix/joy4/format/flv/flvio"
)

const (
	// readAhead is the reader's buffer, and the first step in which memory is
	// given to a tag whose length is only declared yet. In bytes.
	readAhead = 64 << 10
	// maxFileHeader bounds the header length that a file may declare, in bytes:
	// version 1 has 9, and nothing larger than a page is worth skipping.
	maxFileHeader = 4096
)

// ErrFormat is wrapped by errors about a stream that begins as FLV and goes on as
// something else.
var ErrFormat = errors.New("malformed FLV")

// Reader reads the tags of an FLV file or stream. It belongs to one goroutine.
//
// It passes every tag on, of whatever type, also those of a file that follows directly. What it allocates is at most four
// times what it read, and a constant: a declared length is not believed until the
// bytes come.
type Reader struct {
	r     *bufio.Reader
	begun bool
}

// NewReader returns a reader of r. It reads ahead.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readAhead)}
}

// Next returns the next tag, which the caller may keep and change. Its back
// pointer is always right, whatever the file's was. The error is [io.EOF] at a
// clean end, [io.ErrUnexpectedEOF] in the middle of a tag, [*NotFLVError] or one
// that wraps [ErrFormat] for other input.
func (r *Reader) Next() (Tag, error) {
	for !r.begun || r.another() {
		if err := r.fileHeader(); err != nil {
			return nil, err
		}
		r.begun = true
	}
	var head [TagHeaderLen]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return nil, err
	}
	n := BodyLen(head[:])
	tag, err := r.fill(head[:], TagHeaderLen+n+TagTrailerLen)
	if err != nil {
		return nil, err
	}
	flvio.FillTagTrailer(tag[TagHeaderLen+n:], n)
	return tag, nil
}

// another reports whether another file begins where a tag should: people join files with cat. No
// type of tags begins with that byte.
func (r *Reader) another() bool {
	next, err := r.r.Peek(len(fileSignature))
	return err == nil && string(next) == fileSignature
}

// fileSignature begins a file (annex E.2), with the version that all have.
const fileSignature = "FLV\x01"

// fill reads the rest of a tag of size bytes. The room doubles as the bytes
// arrive.
func (r *Reader) fill(head []byte, size int) (Tag, error) {
	body := size - TagTrailerLen
	tag := make(Tag, len(head), min(size, readAhead))
	copy(tag, head)
	for len(tag) < body {
		if len(tag) == cap(tag) {
			grown := make(Tag, len(tag), min(size, 2*cap(tag)))
			copy(grown, tag)
			tag = grown
		}
		part := tag[len(tag):min(cap(tag), body)]
		n, err := io.ReadFull(r.r, part)
		tag = tag[:len(tag)+n]
		if err != nil {
			return nil, unexpected(err)
		}
	}
	if cap(tag) < size {
		grown := make(Tag, body, size)
		copy(grown, tag)
		tag = grown
	}
	tag = tag[:size]
	// A recording that was cut off right behind its last body is whole.
	if _, err := io.ReadFull(r.r, tag[body:]); err != nil && unexpected(err) != io.ErrUnexpectedEOF {
		return nil, err
	}
	return tag, nil
}

func (r *Reader) fileHeader() error {
	head, err := r.r.Peek(flvio.FileHeaderLength)
	if !bytes.HasPrefix(head, []byte("FLV")) {
		if err != nil && err != io.EOF {
			return err
		}
		return notFLV(r.r)
	}
	if err != nil {
		return unexpected(err)
	}
	_, skip, err := flvio.ParseFileHeader(head) // skip counts the first back pointer
	if err != nil {
		return fmt.Errorf("file header: %w", ErrFormat)
	}
	length := flvio.FileHeaderLength + skip
	if length > maxFileHeader+TagTrailerLen {
		return fmt.Errorf("file header of %d bytes, the most is %d: %w", length-TagTrailerLen, maxFileHeader, ErrFormat)
	}
	if _, err := r.r.Discard(length); err != nil {
		return unexpected(err)
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
