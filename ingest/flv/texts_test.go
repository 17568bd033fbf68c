package flv

import (
	"strings"
	"testing"

	"github.com/nareix/joy4/format/flv/flvio"
)

// described is what a header says with this body of onMetaData.
func described(body []byte) Texts {
	var h Header
	t := NewTag(Script, 0, body)
	h.Add(t, Classify(t))
	return DescribeTexts(h.Payload())
}

func TestTextsAreLinesOfText(t *testing.T) {
	body := SetTitle(metadata(flvio.AMFMap{"width": 640.0, "genre": "old", "comment": "stays", "contact": 7.0}), "new")
	got := described(SetTexts(body, Texts{Genre: "  a\x1b[31m\nb ", Description: strings.Repeat("ü", 300)}))
	if want := (Texts{"a[31m b", strings.Repeat("ü", MaxText), "stays", ""}); got != want {
		t.Errorf("%q", got)
	}
	if m, _ := ParseMetadata(SetTexts(body, got)); m.Title != "new" || m.Width != 640 {
		t.Errorf("%+v", m)
	}
	if got := described(metadata(flvio.AMFMap{"genre": "x\u202ey\xff"})); got != (Texts{Genre: "xy"}) {
		t.Errorf("%q", got)
	}
	if got := described(SetTexts(nil, Texts{Contact: "https://example.org/"})); got != (Texts{Contact: "https://example.org/"}) {
		t.Errorf("%q", got)
	}
	for _, malformed := range [][]byte{nil, onMetaData, append(onMetaData[:len(onMetaData):len(onMetaData)], 8, 0, 0)} {
		if got := described(malformed); got != (Texts{}) || string(SetTexts(malformed, Texts{})) != string(malformed) {
			t.Errorf("%q: %q", malformed, got)
		}
	}
}

func TestWhatIsSaidIsNotFilledIn(t *testing.T) {
	var h Header
	tag := NewTag(Script, 0, SetTexts(nil, Texts{Genre: "theirs", Comment: "theirs"}))
	h.Add(tag, Classify(tag))
	got := Texts{Genre: "ours", Contact: "ours"}
	if got.FillIn(h.Payload()); got != (Texts{"ours", "", "theirs", "ours"}) {
		t.Errorf("%q", got)
	}
}
