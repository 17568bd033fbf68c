package term

import "strings"

// WrapWords breaks a text into lines of at most w columns, but never narrower than 16: between words, and where words are
// written without blanks between their letters. What a person copies as a whole stays in one line, which may exceed that:
// a word, a link, a command. A negative w means one line.
func WrapWords(s string, w int) []string {
	if w < 0 {
		return []string{s}
	}
	return wrap(s, w, w)
}

// wrap has another width for the first line than for those behind it.
func wrap(s string, first, rest int) []string {
	const narrowest = 16
	w := max(first, narrowest)
	var lines []string
	for _, unit := range units(s) {
		blank := " "
		for _, part := range parts(unit) {
			if n := len(lines); n > 0 && columns(lines[n-1])+len(blank)+columns(part) <= w {
				lines[n-1] += blank + part
			} else {
				if n > 0 {
					w = max(rest, narrowest)
				}
				lines = append(lines, part)
			}
			blank = ""
		}
	}
	return lines
}

// These are marks that no line begins with, as the rules of Japanese and Chinese have it, and those that none ends with. Of the ASCII
// ones it is those beside a wide character; what is quoted cannot be told to begin or to end.
const (
	bound = "。、，．：；？！）」』”’〉》】〕］｝・…‥ー々ゝゞぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～％" + `),.:;?!]}%"'`
	opens = "（「『“‘〈《【〔［｛" + `([{"'`
)

// parts breaks a text where a line may end in it without a blank: beside wide characters.
func parts(s string) []string {
	all := []string{""}
	before := rune(0)
	for _, r := range s {
		near := columnsOf(before) == 2 || columnsOf(r) == 2
		if before != 0 && near && !strings.ContainsRune(bound, r) && !strings.ContainsRune(opens, before) && columnsOf(r) > 0 {
			all = append(all, "")
		}
		all[len(all)-1] += string(r)
		before = r
	}
	return all
}
