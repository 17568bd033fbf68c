package term

import (
	"slices"
	"testing"
)

func TestCellsStandInColumns(t *testing.T) {
	got := Table([]Column{{Least: 4}, {}, {Least: 5, Right: true}, {}}, [][]string{
		{"ID", "TITLE", "RATE", "AT"},
		{"a", "日本語チャンネル", "3.0M", "h:1"},
		{"longer", "é", "", ""},
	})
	want := []string{
		"ID      TITLE              RATE  AT",
		"a       日本語チャンネル   3.0M  h:1",
		"longer  é                        ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}
