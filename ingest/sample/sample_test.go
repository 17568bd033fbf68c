package sample

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"relay/ingest/convert"
)

const (
	record   = "\x01\x42\xc0\x28\xff\xe1\x00\x03\x67\x42\xc0\x01\x00\x02\x68\xcb"
	sequence = "\x0a\x02\x01\x02"
	picture  = "\x32\x02\xaa\xbb"
)

func TestSamplesBecomeUnits(t *testing.T) {
	of := func(f convert.Format, record string) Codec { return Pictures(f, []byte(record)) }
	short := []byte(record)
	short[4] = 0xfd // two bytes of length
	stripped := of(convert.H264, record)
	stripped.Prefix = []byte("\x00\x00\x00\x02")
	for _, c := range []struct {
		name   string
		codec  Codec
		sample string
		key    bool
		data   string
		nals   []string
	}{
		{"lengths", of(convert.H264, record), "\x00\x00\x00\x02ab\x00\x00\x00\x01c", false, "", []string{"ab", "c"}},
		{"lengths of two bytes", of(convert.H264, string(short)), "\x00\x02ab\x00\x01c", false, "", []string{"ab", "c"}},
		{"cut short", of(convert.H264, record), "\x00\x00\x00\x02ab\x00\x00\x00\x09c", false, "", []string{"ab"}},
		{"a length of 4294967295", of(convert.H264, record), "\xff\xff\xff\xffab", false, "", []string{}},
		{"what was stripped", stripped, "ab\x00\x00\x00\x01c", false, "", []string{"ab", "c"}},
		{"start codes, without a record", of(convert.H264, ""), "\x00\x00\x00\x01ab", false, "\x00\x00\x00\x01ab", nil},
		{"lengths, without a record", of(convert.HEVC, ""), "\x00\x00\x00\x02ab", false, "", []string{"ab"}},
		{"a key frame of AV1 without its sequence", of(convert.AV1, "\x81\x00\x0c\x00"+sequence), picture, true, sequence + picture, nil},
		{"one with it", of(convert.AV1, "\x81\x00\x0c\x00"+sequence), sequence + picture, true, sequence + picture, nil},
		{"one with it behind a delimiter", of(convert.AV1, "\x81\x00\x0c\x00"+sequence), "\x12\x00" + sequence + picture, true, "\x12\x00" + sequence + picture, nil},
		{"no key frame", of(convert.AV1, "\x81\x00\x0c\x00"+sequence), picture, false, picture, nil},
		{"no sequence", of(convert.AV1, "\x81\x00\x0c\x00"), picture, true, picture, nil},
	} {
		u := c.codec.Unit([]byte(c.sample), c.key)
		var nals []string
		for _, n := range u.NALs {
			nals = append(nals, string(n))
		}
		if string(u.Data) != c.data || !slices.Equal(nals, c.nals) {
			t.Errorf("%s: %q %q", c.name, u.Data, nals)
		}
	}
	many := of(convert.H264, record)
	if n := len(many.Unit(bytes.Repeat([]byte("\x00\x00\x00\x00\x00"), 5000), false).NALs); n > mostUnits {
		t.Errorf("%d NAL units", n)
	}
	if got := of(convert.H264, record).Track.Config; got != "\x00\x00\x00\x01\x67\x42\xc0\x00\x00\x00\x01\x68\xcb" {
		t.Errorf("%q", got)
	}
}

func TestAACIsDescribed(t *testing.T) {
	for _, c := range []struct {
		config         string
		rate, channels int
		want           string
		ok             bool
	}{
		{"\x11\x90", 8000, 1, "\x11\x90", true},
		{"", 48000, 2, "\x11\x90", true},
		{"", 44100, 8, "\x12\x38", true},
		{"", 0, 2, "", false},
		{"\xf9\x48", 48000, 2, "\xf9\x48", false}, // xHE-AAC
	} {
		got, ok := AAC([]byte(c.config), c.rate, c.channels)
		if ok != c.ok || ok && got.Track.Config != c.want {
			t.Errorf("%q at %d Hz: %v %x", c.config, c.rate, ok, got.Track.Config)
		}
	}
}

func TestCodecsHaveNames(t *testing.T) {
	const known = "A_PCM=PCM·sound A_P=else"
	for code, want := range map[string]string{"A_PCM/INT": "PCM sound", "A_PX": "else", "B\x1b\x00 ": "B\ufffd\ufffd", "": "", strings.Repeat("x", 99): strings.Repeat("x", mostName-1) + "…"} {
		if got := Name(known, code); got != want && !strings.HasPrefix(got, "xxxx") {
			t.Errorf("%q is %q, want %q", code, got, want)
		}
	}
	if n := len([]rune(Name(known, strings.Repeat("x", 99)))); n > mostName {
		t.Errorf("a name of %d characters", n)
	}
	e := &CodecError{In: "MP4", Has: make([]string, 99)}
	if n := strings.Count(e.Error(), "and"); n >= mostNamed {
		t.Errorf("%d names", n)
	}
}

func TestMemoryIsTakenAsBytesCome(t *testing.T) {
	b, err := Read(strings.NewReader("abc"), nil, 1<<30)
	if err != io.ErrUnexpectedEOF || cap(b) > 2*step || string(b) != "abc" {
		t.Errorf("%v, %d bytes", err, cap(b))
	}
	all := strings.Repeat("0123456789", 100_000)
	for _, into := range [][]byte{nil, make([]byte, 0, 100), make([]byte, 5, 2_000_000)} {
		b, err := Read(iotest.HalfReader(strings.NewReader(all+"more")), into, len(all))
		if err != nil || string(b) != all {
			t.Errorf("%v, %d bytes", err, len(b))
		}
	}
}

func TestATroubleIsToldOnce(t *testing.T) {
	n := 0
	told := Once(func(convert.Trouble, string) { n++ })
	told(Damaged, "")
	told(Damaged, "")
	told(Turned, "")
	Once(nil)(Cut, "")
	if n != 2 {
		t.Errorf("told %d times", n)
	}
}
