//go:build e2e && linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"relay/ingest/flv"
)

// parser takes a viewer's bytes apart as they come, and keeps none of them. It hands all to a
// check, and calls whole with the number of each tag that the check lets pass.
type parser interface {
	feed(p []byte, whole func(number int)) error
}

// flvParser is the parser of FLV, without the head of HTTP.
type flvParser struct {
	check *check
	part  flvPart
	buf   [flv.FileHeaderLen]byte // of the part, unless that is a body
	have  int
	left  int // of the body
	size  int // of the body
}

// flvPart is what comes next.
type flvPart int

const (
	fileHead flvPart = iota
	tagHead
	tagBody
	tagTrailer
)

var errNotFLV = errors.New("it does not begin like FLV")

func (f *flvParser) feed(p []byte, whole func(int)) error {
	for len(p) > 0 {
		if f.part == tagBody {
			n := min(f.left, len(p))
			f.check.body(p[:n])
			p, f.left = p[n:], f.left-n
			if f.left == 0 {
				f.part = tagTrailer
			}
			continue
		}
		size := [...]int{fileHead: flv.FileHeaderLen, tagHead: flv.TagHeaderLen, tagTrailer: flv.TagTrailerLen}[f.part]
		n := copy(f.buf[f.have:size], p)
		p, f.have = p[n:], f.have+n
		if f.have < size {
			return nil
		}
		f.have = 0
		if err := f.read(f.buf[:size], whole); err != nil {
			return err
		}
	}
	return nil
}

// read takes a part that is whole.
func (f *flvParser) read(b []byte, whole func(int)) error {
	switch f.part {
	case fileHead:
		if string(b[:3]) != "FLV" {
			return errNotFLV
		}
		f.part = tagHead
	case tagHead:
		f.size = flv.BodyLen(b)
		f.check.begin(flv.Type(b[0]), flv.Timestamp(b), f.size)
		if f.left, f.part = f.size, tagBody; f.size == 0 {
			f.part = tagTrailer
		}
	case tagTrailer:
		if n := int(binary.BigEndian.Uint32(b)); n != flv.TagHeaderLen+f.size {
			return fmt.Errorf("%d bytes behind a tag of %d are said to be its length", n, flv.TagHeaderLen+f.size)
		}
		if number, ok := f.check.end(); ok {
			whole(number)
		}
		f.part = tagHead
	}
	return nil
}
