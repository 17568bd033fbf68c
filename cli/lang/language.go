package lang

import (
	"regexp"
	"slices"
	"strings"
)

// Language says sentences in a language. A nil one is English. It is safe for concurrent use.
type Language struct {
	code     string
	stop     string            // ends a sentence
	exact    map[string]string // sentences without blanks
	patterns []*pattern        // those with
}

// Open returns a language by its code, one of [Codes].
func Open(code string) (*Language, error) {
	if code == English {
		return nil, nil
	}
	all, err := unpack(code)
	if err != nil {
		return nil, err
	}
	return newLanguage(code, all), nil
}

func newLanguage(code string, all []Entry) *Language {
	l := &Language{code: code, stop: ".", exact: make(map[string]string)}
	if slices.Contains(wide, code) {
		l.stop = "。"
	}
	for _, e := range all {
		if p := newPattern(e); p != nil {
			l.patterns = append(l.patterns, p)
		} else {
			l.exact[unescaped(e.English)] = unescaped(e.Words)
		}
	}
	return l
}

// These bound the work for a text, much of which strangers may have written: how deep sentences are looked for in what
// is filled into others or stands behind them, how many places are tried where one may end, and how long the text is, in bytes.
// Our own texts have less of each.
const (
	maxDepth  = 12
	maxPlaces = 16
	maxText   = 4096
)

// In returns what was said in English in the language. What it does not know stays as it is, sentence by sentence.
func (l *Language) In(text string) string {
	if l == nil || text == "" || len(text) > maxText {
		return text
	}
	core := strings.TrimRight(text, " ")
	says, _ := (&lookup{l, make(map[string]found)}).find(core, 0)
	return says + text[len(core):]
}

// lookup is one call of In. It looks for nothing twice.
type lookup struct {
	*Language
	known map[string]found
}

type found struct {
	says string
	ok   bool
}

// find returns what a text is in the language, and whether any of it was found.
func (l *lookup) find(text string, depth int) (says string, ok bool) {
	if f, ok := l.known[text]; ok {
		return f.says, f.ok
	}
	if depth > maxDepth {
		return text, false
	}
	says, ok = l.look(text, depth)
	l.known[text] = found{says, ok}
	return says, ok
}

func (l *lookup) look(text string, depth int) (says string, ok bool) {
	if says, ok := l.whole(text, depth); ok {
		return says, true
	}
	if bare, is := strings.CutSuffix(text, "."); is {
		if says, ok := l.whole(bare, depth); ok {
			return l.ended(says), true
		}
	}
	if bare := strings.TrimLeft(text, " "); len(bare) < len(text) {
		says, ok := l.find(bare, depth+1)
		return text[:len(text)-len(bare)] + says, ok
	}
	for _, marks := range [][]string{{". ", "? ", "; "}, {": "}, {", "}} {
		if says, ok := l.parted(text, depth, marks); ok {
			return says, true
		}
	}
	return text, false
}

// whole returns a text that is one sentence: of those that it may be, the one of which least is filled in.
func (l *lookup) whole(text string, depth int) (says string, ok bool) {
	if says, ok := l.exact[text]; ok {
		return says, true
	}
	var best *pattern
	var filled []string
	for _, p := range l.patterns {
		if best != nil && p.weight <= best.weight {
			continue
		}
		if f, ok := p.match(text); ok {
			best, filled = p, f
		}
	}
	if best == nil {
		return text, false
	}
	for i, f := range filled {
		if f != "" && !strings.HasSuffix(best.kinds[i], "q") { // what is quoted is somebody's own words
			filled[i] = l.filling(f, depth+1)
		}
	}
	return best.fill(filled), true
}

// listed finds names in a list, as term.Spelt makes it: "a, b and c".
var listed = regexp.MustCompile(`^(\S+(?:, \S+)*|\S+ \(\S+\)(?:, \S+ \(\S+\))*) (and|or) (\S+|\S+ \(\S+\))$`)

// joints are the words before the last name of a list.
var joints = map[string]map[string]string{
	"de": {"and": " und ", "or": " oder "}, "es": {"and": " y ", "or": " o "}, "fr": {"and": " et ", "or": " ou "},
	"ja": {"and": "、", "or": "、"}, "zh-Hans": {"and": "、", "or": "或"},
}

// filling returns what is filled into a sentence: another sentence, a list of names, or what stays as it is.
func (l *lookup) filling(text string, depth int) string {
	says, ok := l.find(text, depth)
	if m := listed.FindStringSubmatch(text); !ok && m != nil {
		return m[1] + joints[l.code][m[2]] + m[3]
	}
	return says
}

// parted returns a text of several parts, of which each ends with one of these marks. If the first of them is no
// sentence, it stays.
func (l *lookup) parted(text string, depth int, marks []string) (says string, ok bool) {
	first := -1 // where the first part ends, with its mark
	for at, tried := 0, 0; at < len(text) && tried < maxPlaces; at++ {
		at += quotation(text[at:])
		if at == len(text) {
			break
		}
		i := slices.IndexFunc(marks, func(m string) bool { return strings.HasPrefix(text[at:], m) })
		if i < 0 {
			continue
		}
		tried++
		mark, left := marks[i], text[:at]
		if first < 0 {
			first = at + len(mark)
		}
		says, ok := l.whole(left+strings.TrimRight(mark, " "), depth)
		if !ok && (mark != ": " || strings.Contains(left, " ")) { // one word is a file's name
			if says, ok = l.whole(left, depth); ok {
				says = l.marked(says, mark)
			}
		}
		if ok {
			rest, _ := l.find(text[at+len(mark):], depth+1)
			return joinedTo(says, rest), true
		}
	}
	if first < 0 {
		return text, false
	}
	rest, ok := l.find(text[first:], depth+1)
	return text[:first] + rest, ok
}

// quotation is how long the quotation is that a text begins with, as %q writes it; 0 for none. What stands in it are somebody's
// own words, in which no sentence of ours is looked for.
func quotation(text string) int {
	if text == "" || text[0] != '"' {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// ended ends a sentence, if it does not end by itself.
func (l *Language) ended(says string) string {
	if strings.HasSuffix(says, l.stop) {
		return says
	}
	return says + l.stop
}

// fullMarks are marks as they are in Chinese and Japanese.
var fullMarks = map[string]string{": ": "：", "; ": "；", "? ": "？", ", ": "、"}

// marked puts a mark behind a sentence, as the language does.
func (l *Language) marked(says, mark string) string {
	full := fullMarks[mark]
	switch {
	case mark == ". ":
		return l.ended(says)
	case l.stop == "。" && full != "":
		if mark == ", " && l.code != "ja" {
			full = "，"
		}
		return says + full
	case l.code == "fr" && mark != ", ": // French has a blank before these
		return says + " " + strings.TrimRight(mark, " ")
	}
	return says + strings.TrimRight(mark, " ")
}

func joinedTo(a, b string) string { return a + Blank(a) + b }

// Blank is what stands between a text and the next one: nothing behind a mark of full width, which has room itself.
func Blank(before string) string {
	for _, full := range []string{"。", "？", "！", "：", "；", "、", "，"} {
		if strings.HasSuffix(before, full) {
			return ""
		}
	}
	return " "
}
