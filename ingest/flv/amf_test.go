package flv

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nareix/joy4/format/flv/flvio"
)

// metadata returns the body of an onMetaData.
func metadata(fields flvio.AMFMap) []byte {
	m := flvio.AMFECMAArray(fields)
	b := make([]byte, flvio.LenAMF0Val(m))
	flvio.FillAMF0Val(b, m)
	return append(bytes.Clone(onMetaData), b...)
}

func nested(depth int, open, end string) []byte {
	return []byte(strings.Repeat(open, depth) + "\x05" + strings.Repeat(end, depth))
}

func TestCheckAMF0(t *testing.T) {
	const (
		object = "\x03\x00\x01a"
		ecma   = "\x08\xff\xff\xff\xff\x00\x01a" // a count that means nothing
		strict = "\x0a\x00\x00\x00\x01"
		end    = "\x00\x00\x09"
	)
	for name, c := range map[string]struct {
		in []byte
		ok bool
	}{
		"nothing":               {nil, true},
		"two values":            {[]byte("\x01\x01\x02\x00\x02hi"), true},
		"date and long string":  {[]byte("\x0b12345678zz\x0c\x00\x00\x00\x01x"), true},
		"empty array":           {[]byte("\x0a\x00\x00\x00\x00\x05"), true},
		"real metadata":         {metadata(flvio.AMFMap{"width": 1.0, "o": flvio.AMFMap{"x": nil}}), true},
		"objects at the bound":  {nested(MaxAMFDepth, object, end), true},
		"objects beyond":        {nested(MaxAMFDepth+1, object, end), false},
		"ECMA at the bound":     {nested(MaxAMFDepth, ecma, end), true},
		"ECMA beyond":           {nested(MaxAMFDepth+1, ecma, end), false},
		"arrays at the bound":   {nested(MaxAMFDepth, strict, ""), true},
		"arrays beyond":         {nested(MaxAMFDepth+1, strict, ""), false},
		"values at the bound":   {bytes.Repeat([]byte{5}, MaxAMFValues), true},
		"values beyond":         {bytes.Repeat([]byte{5}, MaxAMFValues+1), false},
		"longer than its bytes": {[]byte("\x0a\xff\xff\xff\xff\x05"), false},
		"string cut short":      {[]byte("\x02\x00\x05abc"), false},
		"long string cut short": {[]byte("\x0c\xff\xff\xff\xffabc"), false},
		"number cut short":      {[]byte("\x00\x00"), false},
		"key cut short":         {[]byte("\x03\x00\x05abc"), false},
		"no end":                {[]byte("\x03\x00\x01a\x05"), false},
		"wrong end":             {[]byte("\x03\x00\x00\x08"), false},
		"an end as a value":     {[]byte("\x09\x00\x00"), false},
		"AMF3 marker":           {[]byte("\x11\x01"), false},
		"too long":              {make([]byte, MaxScript+1), false},
	} {
		if err := CheckAMF0(c.in); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAMF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainAMF0(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing to replace":       {"\x02\x00\x01a\x05", "\x02\x00\x01a\x05"},
		"a date":                   {"\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05", "\x06\x05"},
		"a reference":              {"\x05\x07\x00\x01\x05", "\x05\x06\x05"},
		"unsupported":              {"\x0d\x05", "\x06\x05"},
		"XML":                      {"\x0f\x00\x00\x00\x04<a/>\x05", "\x06\x05"},
		"an object of a class":     {"\x10\x00\x01C\x00\x01a\x05\x00\x00\x09\x05", "\x03\x00\x01a\x05\x00\x00\x09\x05"},
		"all of it in an object":   {"\x03\x00\x01a\x0d\x00\x01b\x10\x00\x00\x00\x01c\x07\x00\x00\x00\x00\x09\x00\x01d\x02\x00\x01x\x00\x00\x09", "\x03\x00\x01a\x06\x00\x01b\x03\x00\x01c\x06\x00\x00\x09\x00\x01d\x02\x00\x01x\x00\x00\x09"},
		"all of it in an array":    {"\x0a\x00\x00\x00\x02\x0d\x07\x00\x01\x05", "\x0a\x00\x00\x00\x02\x06\x06\x05"},
		"what goes on in AMF3":     {"\x05\x11\x0a\x0b\x01", "\x05\x06"},
		"AMF3 within an object":    {"\x03\x00\x01a\x11\x04\x01\x00\x00\x09", ""},
		"a movie clip":             {"\x04", ""},
		"a reference, cut short":   {"\x07\x00", ""},
		"XML that is not all here": {"\x0f\x00\x00\x00\x05<a/>", ""},
	} {
		got, err := PlainAMF0([]byte(c.in))
		if (err != nil) != (c.want == "") || err == nil && string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
		if err != nil {
			continue
		}
		if again, err := PlainAMF0(got); err != nil || string(again) != c.want {
			t.Errorf("%s, made plain again: %q, %v", name, again, err)
		}
	}
}

func TestDeepNestingIsRefusedWithoutDepth(t *testing.T) {
	for _, open := range []string{"\x03\x00\x01a", "\x08\x00\x00\x00\x01\x00\x01a", "\x0a\x00\x00\x00\x01"} {
		for _, depth := range []int{8_000, 1_000_000} {
			b := append(bytes.Clone(onMetaData), nested(depth, open, "\x00\x00\x09")...)
			if CheckAMF0(b) == nil {
				t.Error("accepted")
			}
			if _, ok := ParseMetadata(b); ok {
				t.Error("parsed")
			}
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(metadata(flvio.AMFMap{"width": 1280.0, "height": 720.0, "videocodecid": 7.0, "encoder": "x"}))
	f.Add(append(bytes.Clone(onMetaData), nested(20, "\x0a\x00\x00\x00\x01", "")...))
	f.Add([]byte("\x0a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseMetadata(b)
		ParseMetadata(append(bytes.Clone(onMetaData), b...))
		if CheckAMF0(b) != nil {
			return
		}
		// What passes is small enough for a recursive parser, which finds the
		// same end.
		values := 0
		for rest := b; len(rest) > 0; values++ {
			_, n, err := flvio.ParseAMF0Val(rest)
			if err != nil || n <= 0 {
				t.Fatalf("checked, but: %v", err)
			}
			rest = rest[n:]
		}
		if values > MaxAMFValues {
			t.Fatalf("%d values", values)
		}
	})
}
