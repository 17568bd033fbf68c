package flv

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nareix/joy4/format/flv/flvio"
)

// object is an onMetaData whose value is a plain object, as some encoders send it.
func object(properties string) []byte {
	return append(bytes.Clone(onMetaData), "\x03"+properties+"\x00\x00\x09"...)
}

func TestSetTitleKeepsWhatElseThereIs(t *testing.T) {
	const width = "\x00\x05width\x00\x40\x94\x00\x00\x00\x00\x00\x00" // 1280
	const title = "\x00\x05title\x02\x00\x03new"
	const array = "\x00\x04list\x0a\x00\x00\x00\x02\x05\x03\x00\x01x\x05\x00\x00\x09"
	for name, c := range map[string]struct{ body, want []byte }{
		"added":       {object(width), object(width + title)},
		"replaced":    {object("\x00\x05title\x02\x00\x03old" + width), object(width + title)},
		"of a kind":   {object("\x00\x05title\x0a\x00\x00\x00\x00" + array), object(array + title)},
		"nothing yet": {object(""), object(title)},
		"ECMA array": {
			append(bytes.Clone(onMetaData), "\x08\x00\x00\x00\x02"+width+"\x00\x05title\x05"+array+"\x00\x00\x09"...),
			append(bytes.Clone(onMetaData), "\x08\x00\x00\x00\x03"+width+array+title+"\x00\x00\x09"...),
		},
		"cut short":    {object(width)[:30], SetTitle(nil, "new")},
		"no object":    {append(bytes.Clone(onMetaData), 5), SetTitle(nil, "new")},
		"no value":     {onMetaData, SetTitle(nil, "new")},
		"not metadata": {[]byte("\x02\x00\x06onText\x05"), SetTitle(nil, "new")},
		"no room":      {object("\x00\x01x\x0c\x00\x00\xff\xe0" + strings.Repeat("x", 0xffe0)), SetTitle(nil, "new")},
	} {
		was := bytes.Clone(c.body)
		if got := SetTitle(c.body, "new"); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %.200q, want %.200q", name, got, c.want)
		}
		if !bytes.Equal(c.body, was) {
			t.Errorf("%s: the body was changed", name)
		}
	}
}

func TestSetUnlistedKeepsWhatElseThereIs(t *testing.T) {
	for name, body := range map[string][]byte{
		"a title": SetTitle(nil, "new"),
		"twice":   SetUnlisted(SetTitle(nil, "new")),
		"denied":  setProperty(SetTitle(nil, "new"), unlistedField, []byte{amfBoolean, 0}),
	} {
		if got, ok := ParseMetadata(SetUnlisted(body)); !ok || got != (Metadata{Title: "new", Unlisted: true}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, body := range map[string][]byte{"nothing": nil, "not metadata": []byte("\x02\x00\x06onText\x05")} {
		if got, ok := ParseMetadata(SetUnlisted(body)); !ok || got != (Metadata{Unlisted: true}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got, _ := ParseMetadata(setProperty(SetTitle(nil, "new"), unlistedField, amfText("true"))); got.Unlisted {
		t.Error("a text is taken for true")
	}
}

// Files that other tools have indexed hold thousands of positions.
func TestSetTitleDropsAnIndexOfKeyframes(t *testing.T) {
	index := make(flvio.AMFArray, MaxAMFValues)
	for i := range index {
		index[i] = float64(i)
	}
	body := SetTitle(metadata(flvio.AMFMap{"width": 640.0, "height": 480.0, "keyframes": flvio.AMFMap{"times": index}}), "new")
	want := Metadata{HasVideo: true, Width: 640, Height: 480, Title: "new"}
	if got, _ := ParseMetadata(body); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestATitleIsOneLineOfText(t *testing.T) {
	for in, want := range map[string]string{
		"Finals":                        "Finals",
		"  two\n lines\tof\x1b[31m it ": "two lines of[31m it",
		"\xff\x00":                      "",
		"\u202egpj\u200b.\u2028x\u3164": "gpj. x",
		"ビデオ 🎥":                         "ビデオ 🎥",
		strings.Repeat("ü", 200):        strings.Repeat("ü", MaxTitle),
	} {
		if got := CleanTitle(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		m, _ := ParseMetadata(SetTitle(nil, in))
		if m.Title != want {
			t.Errorf("%q: said as %q, want %q", in, m.Title, want)
		}
		if m, _ := ParseMetadata(metadata(flvio.AMFMap{"title": in})); m.Title != want {
			t.Errorf("%q: read as %q, want %q", in, m.Title, want)
		}
	}
	if m, _ := ParseMetadata(metadata(flvio.AMFMap{"title": 7.0})); m.Title != "" {
		t.Errorf("a number is the title %q", m.Title)
	}
}

func FuzzSetTitle(f *testing.F) {
	f.Add(metadata(flvio.AMFMap{"width": 1.0, "title": "x", "list": flvio.AMFArray{nil, 1.0}}), "new")
	f.Add(object("\x00\x00\x08"), "\n")
	f.Fuzz(func(t *testing.T, body []byte, title string) {
		got := SetTitle(body, title)
		if err := CheckAMF0(got); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if m, _ := ParseMetadata(got); m.Title != CleanTitle(title) {
			t.Fatalf("%q: title %q, want %q", got, m.Title, CleanTitle(title))
		}
	})
}
