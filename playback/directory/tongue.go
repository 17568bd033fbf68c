package directory

import (
	"embed"
	"encoding/json"
	"strconv"
	"strings"
)

// tongues are the languages of the page, in the order in which it lists them. Each is one file of sentences in lang/, to
// correct between the quotation marks: {n} and the like are filled in. The first is English, which has all of them.
var tongues = []string{"en", "de", "es", "fr", "ja", "zh-Hans"}

//go:embed lang/*.json
var langs embed.FS

// sentence is one, or one for each plural: "one" and "other".
type sentence struct{ one, other string }

func (s *sentence) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &s.other)
	}
	forms := map[string]string{}
	err := json.Unmarshal(b, &forms)
	s.one, s.other = forms["one"], forms["other"]
	return err
}

// tongue is one language's sentences.
type tongue struct {
	tag string
	all map[string]sentence
}

// spoken is filled once and only read afterwards.
var spoken = func() map[string]tongue {
	all := make(map[string]tongue)
	for _, tag := range tongues {
		b, err := langs.ReadFile("lang/" + tag + ".json")
		t := tongue{tag, make(map[string]sentence)}
		if err == nil {
			err = json.Unmarshal(b, &t.all)
		}
		if err != nil {
			panic(err) // the files are in the binary
		}
		all[tag] = t
	}
	return all
}()

// say returns a sentence with values in the place of its {names}, given in pairs; of what a language lacks, the English
// one.
func (t tongue) say(key string, values ...string) string { return t.form(key, 2, values) }

// count is say for so many, which are {n}.
func (t tongue) count(key string, n int) string { return t.form(key, n, []string{"n", t.number(n)}) }

func (t tongue) form(key string, n int, values []string) string {
	s, ok := t.all[key]
	if !ok {
		s = spoken[tongues[0]].all[key]
	}
	text := s.other
	if s.one != "" && (n == 1 || n == 0 && t.tag == "fr") {
		text = s.one
	}
	for i := 0; i+1 < len(values); i += 2 {
		values[i] = "{" + values[i] + "}"
	}
	return strings.NewReplacer(values...).Replace(text)
}

// number writes a whole number, with its thousands apart.
func (t tongue) number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + t.say("group") + s[i:]
	}
	return s
}

// tenths writes a number with one digit after the point.
func (t tongue) tenths(n float64) string {
	whole, part, _ := strings.Cut(strconv.FormatFloat(n, 'f', 1, 64), ".")
	return whole + t.say("decimal") + part
}

// maxWishes bounds the languages that are looked at in a browser's list.
const maxWishes = 16

// tongueOf is the first wish that is known: the one of ?lang=, then those of the browser, in its order (RFC 9110 §12.5.4; browsers
// write the best first). Chinese in traditional letters is another language than the one that is known, and
// gets that only if the list names it too.
func tongueOf(asked, wishes string) tongue {
	for i, wish := range strings.Split(asked+","+wishes, ",") {
		wish, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(wish)), ";")
		parts := strings.Split(wish, "-")
		if i > maxWishes || parts[0] == "zh" && !simplified(parts[1:]) {
			continue
		}
		for _, tag := range tongues {
			if base, _, _ := strings.Cut(tag, "-"); base == parts[0] {
				return spoken[tag]
			}
		}
	}
	return spoken[tongues[0]]
}

// simplified reports whether what follows zh means simplified letters.
func simplified(parts []string) bool {
	for _, p := range parts {
		switch p {
		case "hans":
			return true
		case "hant", "tw", "hk", "mo":
			return false
		}
	}
	return true
}
