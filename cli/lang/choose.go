package lang

import (
	"slices"
	"strings"
)

// English is the language in which all is written, and which needs no catalogue.
const English = "en"

// Codes are the languages that relay speaks, as BCP 47 names them. The page has the same.
var Codes = []string{English, "de", "es", "fr", "ja", "zh-Hans"}

// wide are those whose letters take two columns, which not every terminal has.
var wide = []string{"ja", "zh-Hans"}

// Wishes is where a person's language is looked up.
type Wishes struct {
	Getenv func(string) string
	UTF8   bool     // the terminal shows more than ASCII
	System []string // the user's languages, as the system has them beside the environment; nil for none
}

// Choose returns the code of the language to speak. As POSIX has it, the first of LC_ALL, LC_MESSAGES and LANG that is
// not empty is the locale; C and POSIX are English. LANGUAGE is a list that goes before it, as GNU gettext has it, but not
// before those two. Where no locale is set, the system is asked. A terminal that cannot show a language gets English.
func (w Wishes) Choose() string {
	code := w.wished()
	if code != English && !w.Shows(code) {
		return English
	}
	return code
}

// Shows reports whether the terminal can show a language. The Linux console, and terminals that tell of nothing, have
// no Chinese characters.
func (w Wishes) Shows(code string) bool {
	plain := w.Getenv("TERM") == "linux" || w.Getenv("TERM") == "dumb"
	return code == English || w.UTF8 && !(plain && slices.Contains(wide, code))
}

func (w Wishes) wished() string {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale = w.Getenv(name); locale != "" {
			break
		}
	}
	var all []string
	switch base, _, _ := strings.Cut(locale, "."); {
	case locale == "":
		all = w.System
	case base == "C" || base == "POSIX":
		return English
	default:
		all = append(strings.Split(w.Getenv("LANGUAGE"), ":"), locale)
	}
	for _, name := range all {
		if code, ok := Code(name); ok {
			return code
		}
	}
	return English
}

// Code returns which of [Codes] a locale (de_AT.UTF-8@euro) or a language tag (zh-Hans-CN) names, and whether it is one
// of them. Chinese of Taiwan, Hong Kong and Macau has another script.
func Code(name string) (code string, ok bool) {
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "@")
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' })
	if len(parts) == 0 {
		return "", false
	}
	if parts[0] == "zh" {
		traditional := slices.ContainsFunc(parts[1:], func(p string) bool { return slices.Contains([]string{"hant", "tw", "hk", "mo"}, p) })
		if traditional && !slices.Contains(parts, "hans") {
			return "", false
		}
		return "zh-Hans", true
	}
	if slices.Contains(Codes, parts[0]) {
		return parts[0], true
	}
	return "", false
}

// Asked takes --lang CODE out of a command line, wherever it stands before "--"; asked is "" if it is not there.
func Asked(args []string) (asked string, rest []string) {
	for i := 0; i < len(args); i++ {
		switch name, value, given := strings.Cut(args[i], "="); {
		case args[i] == "--":
			return asked, append(rest, args[i:]...)
		case i == 0 || name != "--lang" && name != "-lang":
			rest = append(rest, args[i])
		case given:
			asked = value
		case i+1 < len(args):
			i++
			asked = args[i]
		}
	}
	return asked, rest
}
