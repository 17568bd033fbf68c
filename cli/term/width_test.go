package term

import (
	"testing"

	"relay/cli/lang"
)

func TestWideCharactersTakeTwoColumns(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "LIVE": 4, "ライブ": 6, "直播": 4, "e\u0301": 1, "Größe": 5, "、。（）": 8, "│├─●…": 5, "한국": 4, "🎥": 2,
	} {
		if got := columns(text); got != want {
			t.Errorf("%q: %d columns, want %d", text, got, want)
		}
	}
	for w, want := range map[int]string{0: "", 1: "", 2: "直", 3: "直", 4: "直播", 5: "直播a", 9: "直播a"} {
		if got := cut("直播a", w); got != want {
			t.Errorf("cut to %d: %q, want %q", w, got, want)
		}
	}
}

// A line that is wider than the terminal takes it two rows, and is not redrawn in place.
func TestNoLineOfWideCharactersIsWiderThanTheTerminal(t *testing.T) {
	for _, code := range lang.Codes {
		l, err := lang.Open(code)
		if err != nil {
			t.Fatal(err)
		}
		line := StatusLine{
			{{Text: "WAITING for the first picture", Keep: Always}, {Text: "no node of the channel answers", Comma: true, Keep: 8}},
			{{Text: "1 direct, 14 watching", Keep: 9}},
			{{Text: "child of 放送局", Keep: 2}},
		}
		for w := 1; w < 120; w++ {
			if got := line.Draw(Style{Width: w, Lang: l}); columns(got) > max(1, w-1) {
				t.Errorf("%s: %d columns in a terminal of %d: %q", code, columns(got), w, got)
			}
			cells := []Cell{{Text: "放送局 \"living room\""}, {Text: l.In("cut off")}}
			if got := (Style{}).Fit(cells, w); Width(got...) != w {
				t.Errorf("%s: cells of %d columns, want %d: %v", code, Width(got...), w, got)
			}
		}
	}
}
