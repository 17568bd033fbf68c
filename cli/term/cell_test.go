package term

import (
	"strings"
	"testing"
)

func TestWrapWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"a b", -4, "a b"},
		{"", 20, ""},
		{"one two three four five", 16, "one two three|four five"},
		{"one two three four five", 3, "one two three|four five"},
		{"x aVeryLongWordThatDoesNotFit y", 16, "x|aVeryLongWordThatDoesNotFit|y"},
		{"é é é é é é é é é", 16, "é é é é é é é é|é"},
		{"ケーブル、Wi-Fi、ルーターを確認", 16, "ケーブル、|Wi-Fi、ルーター|を確認"},
		{"検索中です。次", 13, "検索中です。次"},
		{"12345678901234です。", 16, "12345678901234で|す。"},
	} {
		if got := strings.Join(WrapWords(c.text, c.width), "|"); got != c.want {
			t.Errorf("%q in %d: %s, want %s", c.text, c.width, got, c.want)
		}
	}
}
