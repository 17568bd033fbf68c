package flv

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// file returns an FLV file of tags.
func file(tags ...Tag) []byte {
	b := (&Header{}).Payload()
	for _, t := range tags {
		b = append(b, t...)
	}
	return b
}

func readAll(r io.Reader) ([]Tag, error) {
	var tags []Tag
	for rd := NewReader(r); ; {
		t, err := rd.Next()
		if err != nil {
			return tags, err
		}
		tags = append(tags, t)
	}
}

func TestReaderReturnsEveryTagOfAnyTypeUntouched(t *testing.T) {
	want := []Tag{
		NewTag(Script, 0, []byte("x")),
		NewTag(Video, 40, bytes.Repeat([]byte{7}, 300_000)),
		NewTag(Audio, 1<<31+5, nil),
		NewTag(0x28, 50, []byte("filtered")),
		NewTag(15, 60, []byte("unheard of")),
	}
	got, err := readAll(iotest.OneByteReader(bytes.NewReader(file(want...))))
	if err != io.EOF {
		t.Fatalf("error %v, want EOF", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d tags, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("tag %d differs", i)
		}
	}
}

func TestReaderRewritesBackPointers(t *testing.T) {
	want := NewTag(Audio, 5, []byte("body"))
	b := file(want)
	clear(b[len(b)-TagTrailerLen:])
	for _, in := range [][]byte{b, b[:len(b)-1], b[:len(b)-TagTrailerLen]} {
		got, err := readAll(bytes.NewReader(in))
		if err != io.EOF || len(got) != 1 || !bytes.Equal(got[0], want) {
			t.Errorf("%d bytes: %x, %v", len(in), got, err)
		}
	}
}

func TestReaderSkipsALongFileHeader(t *testing.T) {
	tag := NewTag(Audio, 5, []byte("body"))
	b := append([]byte("FLV\x01\x05\x00\x00\x00\x0cxyz\x00\x00\x00\x00"), tag...)
	got, err := readAll(bytes.NewReader(b))
	if err != io.EOF || len(got) != 1 || !bytes.Equal(got[0], tag) {
		t.Errorf("%x, %v", got, err)
	}
}

// People join files with cat, and a file's own length of its header counts.
func TestReaderGoesOnWithTheNextFile(t *testing.T) {
	first, second := NewTag(Video, 5, []byte("\x17first")), NewTag(Audio, 0, []byte("second"))
	long := append([]byte("FLV\x01\x05\x00\x00\x00\x0cxyz\x00\x00\x00\x00"), second...)
	for name, in := range map[string][]byte{
		"two files":                  slices.Concat(file(first), file(second)),
		"one with a long header":     slices.Concat(file(first), long),
		"no tags in the one between": slices.Concat(file(first), file(), file(second)),
	} {
		got, err := readAll(iotest.OneByteReader(bytes.NewReader(in)))
		if err != io.EOF || len(got) != 2 || !bytes.Equal(got[0], first) || !bytes.Equal(got[1], second) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if got, err := readAll(bytes.NewReader(append(file(first), "FLV\x01\x05\x7f\x00\x00\x09\x00\x00\x00\x00"...))); len(got) != 1 || !errors.Is(err, ErrFormat) {
		t.Errorf("a second header that is too long: %x, %v", got, err)
	}
}

func TestReaderErrors(t *testing.T) {
	whole := file(NewTag(Audio, 5, []byte("body")))
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"cut in the file header": {whole[:7], io.ErrUnexpectedEOF},
		"cut in a tag header":    {whole[:FileHeaderLen+3], io.ErrUnexpectedEOF},
		"cut in a body":          {whole[:FileHeaderLen+TagHeaderLen+2], io.ErrUnexpectedEOF},
		"cut before a body":      {whole[:FileHeaderLen+TagHeaderLen], io.ErrUnexpectedEOF},
		"header too short":       {[]byte("FLV\x01\x05\x00\x00\x00\x04\x00\x00\x00\x00"), ErrFormat},
		"header too long":        {[]byte("FLV\x01\x05\x7f\x00\x00\x09\x00\x00\x00\x00"), ErrFormat},
	} {
		if _, err := readAll(bytes.NewReader(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := readAll(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken))); err != broken {
		t.Errorf("read error came out as %v", err)
	}
}

func TestOtherFormatsAreNamed(t *testing.T) {
	ts := append([]byte{tsSync}, make([]byte, 2*tsPacket)...)
	ts[tsPacket] = tsSync
	for looks, in := range map[string]string{
		"MP4":              "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00",
		"Matroska or WebM": "\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00",
		"MPEG-TS":          string(ts),
		"Ogg":              "OggS\x00\x02\x00\x00\x00\x00",
		"HTML":             "\n<!doctype html><title>404</title>",
		"an HLS playlist":  "#EXTM3U\n#EXT-X-VERSION:3\n",
		"text":             "hi",
		"nothing at all":   "",
		"":                 "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09",
	} {
		_, err := NewReader(strings.NewReader(in)).Next()
		e, ok := errors.AsType[*NotFLVError](err)
		if !ok || e.Looks != looks {
			t.Errorf("%q: %v, want it to look like %q", in[:min(len(in), 12)], err, looks)
		}
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// slack is what a reader may allocate whatever it is sent, in bytes: its buffer,
// the first step of a body and the noise of the runtime.
const slack = 4 * readAhead

func TestALengthThatIsNeverSentCostsLittle(t *testing.T) {
	for _, sent := range []int{0, 1, 1000, 100_000, 1_000_000, 8_000_000} {
		b := file(NewTag(Video, 0, make([]byte, sent)))
		b = b[:len(b)-TagTrailerLen]
		copy(b[FileHeaderLen+1:], "\xff\xff\xff")
		got := allocated(func() {
			if _, err := readAll(bytes.NewReader(b)); err != io.ErrUnexpectedEOF {
				t.Errorf("error %v", err)
			}
		})
		if got > uint64(4*sent+slack) {
			t.Errorf("%d bytes sent, %d allocated", sent, got)
		}
	}
}

func TestManyTinyTagsCostWhatTheyAre(t *testing.T) {
	const n = 100_000
	b := file()
	for range n {
		b = append(b, NewTag(Audio, 0, nil)...)
	}
	count := 0
	got := allocated(func() {
		for r := NewReader(bytes.NewReader(b)); ; count++ {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	})
	if count != n || got > uint64(4*len(b)+slack) {
		t.Errorf("%d tags, %d bytes, %d allocated", count, len(b), got)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(file(NewTag(Script, 0, onMetaData), NewTag(Video, 3, []byte{0x17, 0, 0, 0, 0}), NewTag(Audio, 9, []byte{0xaf, 1})))
	f.Add([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x09\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x20ftypisom"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		total := 0
		for r := NewReader(bytes.NewReader(b)); ; {
			tag, err := r.Next()
			if err != nil {
				break
			}
			if len(tag) != TagHeaderLen+BodyLen(tag)+TagTrailerLen {
				t.Fatalf("tag of %d bytes declares %d", len(tag), BodyLen(tag))
			}
			total += len(tag)
			h.Add(tag, Classify(tag))
		}
		if total > len(b) {
			t.Fatalf("%d bytes of tags from %d", total, len(b))
		}
		p := h.Payload()
		if len(p) > MaxHeader {
			t.Fatalf("header of %d bytes", len(p))
		}
		Describe(p)
		Describe(b)
	})
}
