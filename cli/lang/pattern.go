package lang

import (
	"regexp"
	"strings"
	"sync"
)

// blank finds what is filled into a sentence: %s, %[2]d, %.1f, or {channel} as in sentences for the log.
var blank = regexp.MustCompile(`%(?:\[([1-9])\])?([-+#0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z])|\{([a-z]+)\}|%%`)

// pattern is a sentence with blanks, and the way to say it.
type pattern struct {
	pieces []string // what stands before, between and behind the blanks
	kinds  []string // of the blanks: a verb without its index, or a name
	weight int      // how much of it is not filled in, in bytes
	// subject says that it begins with what it is about, as in "%s is a folder": a name, and no other sentence.
	subject bool
	to      string
	shape   func() *regexp.Regexp
}

// newPattern returns nil for a sentence without blanks.
func newPattern(e Entry) *pattern {
	p := &pattern{to: e.Words}
	end := 0
	for _, m := range blank.FindAllStringSubmatchIndex(e.English, -1) {
		kind := kindOf(e.English, m)
		if kind == "" {
			continue
		}
		p.pieces = append(p.pieces, unescaped(e.English[end:m[0]]))
		p.kinds = append(p.kinds, kind)
		end = m[1]
	}
	if len(p.kinds) == 0 {
		return nil
	}
	p.pieces = append(p.pieces, unescaped(e.English[end:]))
	for _, s := range p.pieces {
		p.weight += len(s)
	}
	after := p.pieces[1]
	p.subject = p.pieces[0] == "" && len(after) > 1 && after[0] == ' ' && after[1] >= 'a' && after[1] <= 'z'
	p.shape = sync.OnceValue(p.compile)
	return p
}

// kindOf is the kind of a blank that [blank] has found, "" for a percent sign.
func kindOf(s string, m []int) string {
	switch {
	case m[4] >= 0:
		return s[m[4]:m[5]]
	case m[6] >= 0:
		return s[m[6]:m[7]]
	}
	return ""
}

func unescaped(s string) string { return strings.ReplaceAll(s, "%%", "%") }

// compile makes the expression whose groups are what was filled in.
func (p *pattern) compile() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i, kind := range p.kinds {
		b.WriteString(regexp.QuoteMeta(p.pieces[i]))
		switch kind[len(kind)-1] {
		case 'd', 'f', 'o', 'g':
			b.WriteString(`( *-?[0-9][0-9.]*)`)
		case 'q':
			b.WriteString("(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")
		case 'c':
			b.WriteString(`(.)`)
		default:
			b.WriteString(`(.*?)`)
		}
	}
	b.WriteString(regexp.QuoteMeta(p.pieces[len(p.kinds)]) + `$`)
	return regexp.MustCompile(b.String())
}

// match returns what was filled into a text, if it is this sentence.
func (p *pattern) match(text string) (filled []string, ok bool) {
	last := p.pieces[len(p.kinds)]
	if !strings.HasPrefix(text, p.pieces[0]) || !strings.HasSuffix(text, last) {
		return nil, false
	}
	rest := text[len(p.pieces[0]):] // the expression costs more than a look whether all the pieces are there
	for _, s := range p.pieces[1:] {
		i := strings.Index(rest, s)
		if i < 0 {
			return nil, false
		}
		rest = rest[i+len(s):]
	}
	m := p.shape().FindStringSubmatch(text)
	if m == nil || p.subject && strings.Contains(m[1], ": ") {
		return nil, false
	}
	return m[1:], true
}

// fill says the sentence with what was filled in.
func (p *pattern) fill(filled []string) string {
	var b strings.Builder
	end, next := 0, 0
	for _, m := range blank.FindAllStringSubmatchIndex(p.to, -1) {
		b.WriteString(p.to[end:m[0]])
		end = m[1]
		kind := kindOf(p.to, m)
		switch {
		case kind == "":
			b.WriteByte('%')
			continue
		case m[6] >= 0: // by its name
			next = indexOf(p.kinds, kind)
		case m[2] >= 0:
			next = int(p.to[m[2]] - '1')
		}
		if next >= 0 && next < len(filled) { // a test sees to it
			b.WriteString(filled[next])
		}
		next++
	}
	b.WriteString(p.to[end:])
	return b.String()
}

func indexOf(kinds []string, kind string) int {
	for i, k := range kinds {
		if k == kind {
			return i
		}
	}
	return -1
}
