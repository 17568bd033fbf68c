package term

import "strings"

// programs are those whose commands stand in our sentences, and how many words behind them are of the command whatever these
// look like.
var programs = map[string]int{
	"relay": 1, "ffmpeg": 1, "openssl": 1, "chmod": 2, "sudo": 3, "brew": 2, "systemctl": 3, "journalctl": 3, "loginctl": 1, "tail": 1,
}

// units are the words of a text. What has blanks in it and yet belongs together is one: a command, a flag and its value, a number and
// what it counts, a mark that French parts from its word.
func units(text string) []string {
	var all []string
	before := ""
	inside, more := false, 0 // a command, and how many more words are its own
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		joined := false
		switch {
		case before == "":
		case strings.Trim(word, ":;?!»") == "", before == "«":
			joined = true
		case ended(before):
			inside = false
		case inside && (more > 0 || isCode(word) || before == "|" || isFlag(before) && !isLong(before)):
			joined = true
			more--
		case isLong(before) && isCode(word) && word[0] != '[', isNumber(before): // a value, and not the variable that stands for it
			joined, inside = true, false
		default:
			inside = false
		}
		if n, is := programs[lastASCII(word)]; is {
			inside, more = true, n
		} else if inside && subcommands[word] {
			more = 1
		}
		if joined {
			all[len(all)-1] += " " + word
		} else {
			all = append(all, word)
		}
		before = word
	}
	return all
}

// subcommands have words of their own behind them.
var subcommands = map[string]bool{"key": true, "service": true, "help": true, "completion": true}

// ended reports whether nothing that a word belongs to goes on behind it: it ends with a mark, or in a language that needs no blank there.
func ended(word string) bool {
	last := word[len(word)-1]
	return last >= 0x80 || strings.IndexByte(",.:;?!)", last) >= 0 && len(word) > 1 && !strings.HasSuffix(word, "...")
}

func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' }
func isLong(word string) bool { return strings.HasPrefix(word, "--") }

// isCode reports whether a word is of a command rather than of a sentence: a flag, a file, a link, a NAME to put something
// else for.
func isCode(word string) bool {
	return word[0] == '-' || strings.ContainsAny(word, "/=@|<>$_[*~0123456789") || strings.ContainsAny(word[:len(word)-1], ":.") || len(word) > 1 && word[0] < 0x80 && word[0] >= 'A' && word[1] >= 'A' && word[1] <= 'Z' && word[0] <= 'Z'
}

func isNumber(word string) bool { return strings.Trim(word, "0123456789.,") == "" }

// lastASCII is what a word ends with in ASCII, without what opens a quotation and without folders: in Japanese a command may
// stand behind letters without a blank.
func lastASCII(word string) string {
	for i := len(word); i > 0; i-- {
		if c := word[i-1]; c >= 0x80 || c == '/' || strings.IndexByte(opens, c) >= 0 {
			return word[i:]
		}
	}
	return word
}
