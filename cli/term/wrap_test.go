package term

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"relay/cli/lang"
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
		{"123456789012345（です）", 16, "123456789012345|（です）"},
		{"サーバーを変えるのはサーバーで", 24, "サーバーを変えるのはサー|バーで"},
		{"サーバーを変えるのはサーバー", 22, "サーバーを変えるのは|サーバー"},
	} {
		if got := strings.Join(WrapWords(c.text, c.width), "|"); got != c.want {
			t.Errorf("%q in %d: %s, want %s", c.text, c.width, got, c.want)
		}
	}
}

// What people copy is not broken, even where it does not fit.
func TestWhatIsCopiedStaysWhole(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"start relay source --private, and give viewers the link", "start|relay source --private,|and give viewers the|link"},
		{"it works: relay watch relay://abc@192.0.2.1:7144 now", "it works:|relay watch relay://abc@192.0.2.1:7144|now"},
		{"There: relay key import FILE, then delete the file", "There:|relay key import FILE,|then delete the file"},
		{"the command relay service install LINK --upload 20M does", "the command|relay service install LINK --upload 20M|does"},
		{"try ffmpeg -i x.avi -c copy -f flv - | relay source -", "try|ffmpeg -i x.avi -c copy -f flv - | relay source -"},
		{"(openssl rand -hex 16) makes one", "(openssl rand -hex 16)|makes one"},
		{"another one may know more: --resolver 9.9.9.9", "another one may know|more:|--resolver 9.9.9.9"},
		{"nommez l’adresse : --http HÔTE:PORT", "nommez l’adresse :|--http HÔTE:PORT"},
		{"there is none for 25 seconds", "there is none for|25 seconds"},
		{"先に relay watch LINK を起動してください。", "先に relay watch LINK|を起動してください。"},
		{"まずrelay watch LINKを起動。", "まずrelay watch LINK|を起動。"},
		{"il y a donc problème : rien ne répond", "il y a donc|problème : rien ne|répond"},
		{"relay speaks in sentences, too", "relay speaks in|sentences, too"},
		{"seen at http://192.0.2.17:7145/watch/ alone", "seen at|http://192.0.2.17:7145/watch/|alone"},
	} {
		if got := strings.Join(WrapWords(c.text, 21), "|"); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestLinesAreFolded(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"a line that is as wide as it may be", 35, "a line that is as wide as it may be"},
		{"a line that is wider than it may be", 34, "a line that is wider than it may|  be"},
		{"a line without a terminal is not broken", 0, "a line without a terminal is not broken"},
		{"Watch   http://127.0.0.1:7145/stream/abcdefgh.flv", 40, "Watch   http://127.0.0.1:7145/stream/abcdefgh.flv"},
		{"Share   relay watch relay://abcdefgh@127.0.0.1:7144", 40, "Share   relay watch relay://abcdefgh@127.0.0.1:7144"},
		{"        (on this machine, in VLC, mpv or ffplay)", 40, "        (on this machine, in VLC, mpv or|         ffplay)"},
		{"From    a channel that somebody else broadcasts", 40, "From    a channel that somebody else|        broadcasts"},
		{"  --some-flag NAME  what it is good for, and for whom", 40, "  --some-flag NAME|      what it is good for, and for whom"},
		{"  ソース  映像を配信する人が、最初に動かすもの", 40, "  ソース  映像を配信する人が、最初に動か|          すもの"},
		{"\x1b[40m                                            \x1b[0m", 40, "\x1b[40m                                            \x1b[0m"},
	} {
		if got := strings.Join(Style{Width: c.width}.Fold(c.line), "|"); got != c.want {
			t.Errorf("%q in %d: %s, want %s", c.line, c.width, got, c.want)
		}
	}
}

// command finds what a line may be too wide for: a command, a flag, a link, a folder.
var command = regexp.MustCompile(`\b(relay|ffmpeg|openssl|chmod|sudo|brew|systemctl|journalctl|loginctl|tail) |(^|[^a-z])--?[a-z]|://|/`)

// TestEverySentenceFits folds each sentence of the catalogue, in each language, as the terminal does behind a label.
func TestEverySentenceFits(t *testing.T) {
	const closes, opening = "。、，．：；？！）」』”’〉》】ー々っゃゅょッャュョ", "（「『“‘〈《【"
	for _, code := range lang.Codes[1:] {
		f, err := os.Open(filepath.Join("..", "lang", "words", code+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := lang.Parse(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if strings.Contains(e.English, "|") && !strings.Contains(e.English, " | ") {
				continue // words of a table, which stand in no line like that
			}
			both := []string{e.Words, e.English}
			if code != lang.Codes[1] { // English once is enough
				both = both[:1]
			}
			for _, says := range both {
				for _, line := range []string{says, "relay: hint: " + says, "Found   " + says} {
					for _, w := range []int{80, 40} {
						lines := Style{Width: w}.Fold(line)
						rest := line
						for i, l := range lines {
							text := strings.TrimLeft(l, " ")
							if _, behind := Label(l); columns(l) > w && (!command.MatchString(l) || len(units(behind)) > 1) {
								t.Errorf("%s: %d columns in %d: %q", code, columns(l), w, l)
							}
							if i == 0 {
								text = l
							}
							rest = strings.TrimLeft(rest, " ")
							after, ok := afterText(rest, text)
							if !ok {
								t.Fatalf("%s: %q becomes %q", code, line, lines)
							}
							if rest = after; rest == "" {
								break
							}
							last, _ := utf8.DecodeLastRuneInString(l)
							next, _ := utf8.DecodeRuneInString(rest)
							if next != ' ' && columnsOf(last) < 2 && columnsOf(next) < 2 {
								t.Errorf("%s: a word is torn in %d: %q", code, w, lines)
							}
							if next != ' ' && (strings.ContainsRune(closes, next) || strings.ContainsRune(opening, last)) {
								t.Errorf("%s: %c ends a line, or %c begins one: %q", code, last, next, lines)
							}
						}
						if strings.TrimSpace(rest) != "" {
							t.Errorf("%s: %q is lost of %q", code, rest, line)
						}
					}
				}
			}
		}
	}
}

// afterText returns what stands in a text behind another, in which there may be fewer blanks.
func afterText(text, begin string) (rest string, ok bool) {
	for begin != "" {
		b, n := utf8.DecodeRuneInString(begin)
		text, begin = strings.TrimLeft(text, " "), begin[n:]
		if b == ' ' {
			continue
		}
		c, m := utf8.DecodeRuneInString(text)
		if b != c {
			return text, false
		}
		text = text[m:]
	}
	return text, true
}
