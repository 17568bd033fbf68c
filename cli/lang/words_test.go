package lang

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// read returns a file of words/.
func read(t *testing.T, code string) []Entry {
	t.Helper()
	f, err := os.Open(filepath.Join("words", code+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := Parse(f)
	if err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	return all
}

// listedIn reads same.txt, the texts that are the same in every language, or pending.txt, those that still wait for their words
// and are English meanwhile.
func listedIn(t *testing.T, name string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("words", name))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]bool)
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			all[line] = true
		}
	}
	return all
}

// forms are how an entry may have a text of the source: flaws and refusals stand there without the number before them, and
// some are put behind others.
func forms(text string) []string { return []string{text, "1 " + text, "%d " + text, "%s" + text} }

// TestEverySentenceIsInEveryLanguage prints what is missing in the form of the catalogue, to be translated and pasted there.
func TestEverySentenceIsInEveryLanguage(t *testing.T) {
	said, _ := sentences(t)
	same, waits := listedIn(t, "same.txt"), listedIn(t, "pending.txt")
	for _, code := range Codes[1:] {
		has := make(map[string]bool)
		for _, e := range read(t, code) {
			if has[e.English] {
				t.Errorf("words/%s.txt has twice: %s", code, e.English)
			}
			has[e.English] = true
		}
		var missing strings.Builder
		n := 0
		for _, f := range said {
			if same[f.text] || waits[f.text] || slices.ContainsFunc(forms(f.text), func(s string) bool { return has[s] }) {
				continue
			}
			n++
			fmt.Fprintf(&missing, "# %s:%d\n%s\n= \n", strings.TrimPrefix(f.file, "../"), f.line, f.text)
		}
		if n > 0 {
			t.Errorf("words/%s.txt lacks %d sentences (what is the same in all languages goes to words/same.txt, what cannot be translated now to words/pending.txt):\n%s", code, n, missing.String())
		}
	}
}

func TestNoSentenceHasGoneFromTheSource(t *testing.T) {
	_, all := sentences(t)
	for text := range maps.Clone(all) {
		for _, form := range forms(text) {
			all[form] = true
		}
	}
	for _, code := range Codes[1:] {
		for _, e := range read(t, code) {
			if !all[e.English] {
				t.Errorf("words/%s.txt: nothing says this any longer: %s", code, e.English)
			}
		}
	}
	for _, name := range []string{"same.txt", "pending.txt"} {
		for text := range listedIn(t, name) {
			if !all[text] {
				t.Errorf("words/%s: nothing says this any longer: %s", name, text)
			}
		}
	}
}

// A language may put what is filled in elsewhere, but neither more, nor less, nor of another kind.
func TestBlanksAgree(t *testing.T) {
	for _, code := range Codes[1:] {
		for _, e := range read(t, code) {
			if want, got := blanksOf(e.English), blanksOf(e.Words); !slices.Equal(want, got) {
				t.Errorf("words/%s.txt: %q has %v, and %q %v", code, e.English, want, e.Words, got)
			}
			if e.Words == "" {
				t.Errorf("words/%s.txt: nothing for %q", code, e.English)
			}
			if strings.Count(e.English, "|") != strings.Count(e.Words, "|") { // they part the words of a table
				t.Errorf("words/%s.txt: %q has other | than %q", code, e.Words, e.English)
			}
			if strings.ContainsAny(e.Words, "\t") {
				t.Errorf("words/%s.txt: a tab in %q", code, e.Words)
			}
			if a, b := codeIn(e.English), codeIn(e.Words); !slices.Equal(a, b) {
				t.Errorf("words/%s.txt: flags and names of values are the same in all languages: %q has %q, and %q %q", code, e.English, a, e.Words, b)
			}
		}
	}
}

// blanksOf are the blanks of a sentence, in the order in which they are given, as "1s".
func blanksOf(s string) []string {
	var all []string
	next := 1
	for _, m := range blank.FindAllStringSubmatchIndex(s, -1) {
		kind := kindOf(s, m)
		switch {
		case kind == "":
			continue
		case m[6] >= 0:
			all = append(all, "{"+kind+"}")
			continue
		case m[2] >= 0:
			next = int(s[m[2]] - '0')
		}
		all = append(all, fmt.Sprint(next)+kind)
		next++
	}
	slices.Sort(all)
	return all
}

var code = regexp.MustCompile("--[a-z-]+|`[A-Z]+`|RELAY_[A-Z]+|[a-z]+://")

func codeIn(s string) []string {
	all := code.FindAllString(s, -1)
	slices.Sort(all)
	return all
}

// TestEverySentenceIsFound fills each sentence and looks it up, as the terminal does: no other sentence may be taken for it.
func TestEverySentenceIsFound(t *testing.T) {
	fillings := map[byte]string{'d': "17", 'f': "2.5", 'o': "0644", 'q': `"a b"`, 'c': "x"}
	for _, code := range Codes[1:] {
		all := read(t, code)
		l := newLanguage(code, all)
		for _, e := range all {
			p := newPattern(e)
			if p == nil {
				if got := l.In(unescaped(e.English)); got != unescaped(e.Words) {
					t.Errorf("%s: %q is found as %q", code, e.English, got)
				}
				continue
			}
			var filled []string
			for i, kind := range p.kinds {
				f, ok := fillings[kind[len(kind)-1]]
				if !ok {
					f = fmt.Sprintf("Xyz%d", i)
				}
				filled = append(filled, f)
			}
			text := p.pieces[0]
			for i, f := range filled {
				text += f + p.pieces[i+1]
			}
			if got, want := l.In(text), p.fill(filled); got != want {
				t.Errorf("%s: %q is found as\n%q, not\n%q", code, text, got, want)
			}
		}
	}
}

// Where sentences stand in lines of their own below each other, they have room in 80 columns, or no less than in English;
// and what stands in columns is in line.
func TestFixedLinesFit(t *testing.T) {
	label := regexp.MustCompile(`^ *\S+ {2,}`)
	for _, code := range Codes[1:] {
		at := 0
		for _, e := range read(t, code) {
			inLine := label.MatchString(e.English)
			if !inLine && !strings.HasPrefix(e.English, "        (") && !slices.ContainsFunc([]string{"LIVE", "q quit"}, func(s string) bool { return strings.HasPrefix(e.English, s) }) {
				continue
			}
			if w := width(e.Words); w > max(80, width(e.English)) {
				t.Errorf("words/%s.txt: %d columns: %s", code, w, e.Words)
			}
			if strings.HasPrefix(e.English, "q quit") || e.English == "LIVE" {
				continue
			}
			is := width(e.Words[:len(e.Words)-len(strings.TrimLeft(e.Words, " "))])
			if inLine {
				is = width(label.FindString(e.Words))
			}
			if strings.HasPrefix(e.English, "  ") && inLine { // the encoder's settings are further in
				is -= 2
			}
			if at == 0 {
				at = is
			}
			if is != at {
				t.Errorf("words/%s.txt: what others begin in column %d begins in %d: %q", code, at, is, e.Words)
			}
		}
	}
}

// width is how many columns a text of ours takes.
func width(s string) int {
	n := 0
	for _, r := range s {
		if r >= 0x2e80 {
			n++
		}
		n++
	}
	return n
}

func TestTheProgramHasTheNewestWords(t *testing.T) {
	var all [][]Entry
	for _, code := range Codes[1:] {
		all = append(all, read(t, code))
	}
	want, err := Pack(all)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, packed) {
		t.Error("words.z is not made of words/: go generate ./cli/lang")
	}
	for i, code := range Codes[1:] {
		got, err := unpack(code)
		if err != nil {
			t.Fatal(err)
		}
		byEnglish := make(map[string]string)
		for _, e := range got {
			byEnglish[e.English] = e.Words
		}
		for _, e := range all[i] {
			if byEnglish[e.English] != e.Words {
				t.Errorf("%s: %q is %q in the program", code, e.English, byEnglish[e.English])
			}
		}
	}
}

// A new room of the command line says something, or is known not to.
func TestEveryRoomIsLookedAt(t *testing.T) {
	dirs, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if d.IsDir() && !slices.Contains(rooms, d.Name()) && silent[d.Name()] == "" {
			t.Errorf("cli/%s is in none of both lists of source_test.go", d.Name())
		}
	}
}
