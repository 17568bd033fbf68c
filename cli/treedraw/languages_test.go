package treedraw

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"relay/cli/lang"
	"relay/cli/term"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

// The words of the tables are translated, and stand above their columns, however wide their letters are.
func TestTablesStandInColumnsInEveryLanguage(t *testing.T) {
	apart := regexp.MustCompile(` {2,}`)
	for _, code := range lang.Codes {
		l, err := lang.Open(code)
		if err != nil {
			t.Fatal(err)
		}
		st := term.Style{Lang: l}
		for name, c := range map[string]struct {
			header string
			lines  []string
			rights int // how many columns behind the first are aligned to the right
		}{
			"tree": {header, Drawing{Style: st}.Draw(drawtest.Sample())[2:7], 6},
			"top":  {topHeader, Top{Style: st, Channels: sampleTop()}.Lines()[3:], 8},
		} {
			heads, english := strings.Fields(l.In(c.header)), strings.Fields(c.header)
			if len(heads) != len(english) {
				t.Fatalf("%s: %d words for %d columns: %q", code, len(heads), len(english), heads)
			}
			if code != lang.English && slices.Equal(heads, english) {
				t.Errorf("%s: the headings of relay %s are English", code, name)
			}
			var ends [][]int
			for _, line := range c.lines {
				var at []int
				for _, m := range apart.FindAllStringIndex(line, -1) {
					at = append(at, term.Width(term.Cell{Text: line[:m[0]]}))
				}
				ends = append(ends, at[len(at)-c.rights:]) // branches have blanks, too
			}
			for _, at := range ends {
				if !slices.Equal(at, ends[0]) {
					t.Errorf("%s: columns end at %v, those of the headings at %v:\n%s", code, at, ends[0], strings.Join(c.lines, "\n"))
					break
				}
			}
			if all := strings.Join(c.lines, "\n"); name == "top" && (code == lang.English) != (strings.Contains(all, "TLS near") && strings.Contains(all, "TLS far")) {
				t.Errorf("%s: what LINK says is in another language:\n%s", code, all)
			}
		}
		for _, is := range api.Situations {
			if code != lang.English && l.In(situations[is]) == situations[is] {
				t.Errorf("%s: %q is English", code, situations[is])
			}
		}
	}
}

// In 80 columns a tree has room for its columns in each language.
func TestHeadingsFitInEveryLanguage(t *testing.T) {
	for _, code := range lang.Codes {
		l, err := lang.Open(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range (Drawing{Style: term.Style{Lang: l, Width: 80}}).Draw(drawtest.Sample())[3:] {
			if strings.HasSuffix(line, "…") {
				t.Errorf("%s: what is right is cut off: %s", code, line)
			}
		}
	}
}

// Wide heads take nothing of what a node calls itself: on a screen of the usual width there is room for some of it beside
// its ID and a mark.
func TestWideHeadsLeaveRoomForNames(t *testing.T) {
	widths := make([]int, len(columns))
	for i := range widths {
		widths[i] = 9 // wider than any head is
	}
	top := Top{Style: term.Style{Width: usual}}
	if name, shown := top.fitColumns(nameMost, widths); name < nameFair || !shown[0] {
		t.Errorf("names have %d columns of the terminal, and beside them are %v", name, shown)
	}
}
