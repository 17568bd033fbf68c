package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourced is a text of the source code.
type sourced struct {
	file string
	line int
	text string // with %s for what is put into it by +
}

// rooms are the folders whose sentences people meet, seen from this one. A room that is not there is new: put it into one
// of both lists.
var (
	rooms  = []string{".", "ask", "carry", "castto", "demo", "doctor", "domain", "fault", "finding", "flag", "follow", "gateway", "input", "key", "keyring", "lan", "listing", "privacy", "reach", "seek", "service", "sink", "station", "term", "treedraw", "trees", "treeview", "update", "upkeep", "webhook", "words", "words/byid", "words/listed", "words/onpeercast", "words/ontv", "words/recorded", "words/refused"}
	silent = map[string]string{
		"abuse":   "for who attacks a node of theirs: stays English",
		"deploy":  "text for packages",
		"e2e":     "tests",
		"lang":    "this",
		"lean":    "says nothing",
		"monitor": "events for programs",
		"manual":  "the manual page, which stays English, and scripts for shells",
		"relay":   "main",
	}
	silentFiles = []string{"../flag/abuse.go", "../privacy/words.go", "../privacy/guessed.go"}
)

// column finds the second of two columns.
var column = regexp.MustCompile(`^ *\S.*?  +(\S.*)$`)

// texts reads the texts of some source files. Those that nobody is shown are left out: of expressions, of the log, of what programs
// read, and those of several lines but what the help says of a command.
func texts(t *testing.T, files []string) []sourced {
	t.Helper()
	var all []sourced
	for _, name := range files {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		descriptions := descriptionsIn(f)
		add := func(at token.Pos, text string) {
			lines := []string{text}
			if name == "../app.go" { // the help stands there line by line, some in two columns
				lines = strings.Split(text, "\n")
			}
			described := descriptions[at]
			if described {
				lines = Unbroken(text)
			}
			for _, l := range lines {
				if m := column.FindStringSubmatch(l); m != nil && (len(lines) > 1 || described) {
					l = m[1]
				}
				if label, _, template := strings.Cut(l, "{{"); template {
					l = label
				}
				all = append(all, sourced{name, set.Position(at).Line, l})
			}
		}
		visit(f, add)
	}
	return all
}

// descriptionsIn are the places of what the help says of commands.
func descriptionsIn(f *ast.File) map[token.Pos]bool {
	all := make(map[token.Pos]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Description" {
				all[n.Value.Pos()] = true
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if name.Name == "About" && i < len(n.Values) {
					all[n.Values[i].Pos()] = true
				}
			}
		}
		return true
	})
	return all
}

func visit(n ast.Node, add func(token.Pos, string)) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field: // its tag is for programs
			return e.Tag == nil
		case *ast.CallExpr:
			return !unseen(e) && !counted(e, add)
		case *ast.BinaryExpr:
			if text, ok := joined(e); e.Op == token.ADD && ok {
				add(e.Pos(), text)
				for _, side := range []ast.Expr{e.X, e.Y} {
					inner(side, add)
				}
				return false
			}
		case *ast.BasicLit:
			if text, ok := literal(e); ok {
				add(e.Pos(), text)
			}
		}
		return true
	})
}

// inner visits what is joined to texts, but not these themselves.
func inner(e ast.Expr, add func(token.Pos, string)) {
	switch e := e.(type) {
	case *ast.BasicLit:
	case *ast.BinaryExpr:
		inner(e.X, add)
		inner(e.Y, add)
	default:
		visit(e, add)
	}
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(b.Value)
	return text, err == nil
}

// joined is a chain of + with a text in it.
func joined(e ast.Expr) (string, bool) {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		x, one := joined(b.X)
		y, other := joined(b.Y)
		return x + y, one || other
	}
	if text, ok := literal(e); ok {
		return text, true
	}
	return "%s", false
}

// unseen are calls whose texts nobody is shown.
func unseen(e *ast.CallExpr) bool {
	switch f := e.Fun.(type) {
	case *ast.Ident:
		return f.Name == "panic"
	case *ast.SelectorExpr:
		from := ""
		switch x := f.X.(type) {
		case *ast.Ident:
			from = x.Name
		case *ast.SelectorExpr:
			from = x.Sel.Name
		}
		return slices.Contains([]string{"zap", "regexp", "log", "Log", "exec"}, from) || from == "strings" && f.Sel.Name != "Join"
	}
	return false
}

// counted are calls that count things: term.Plural(n, "child", "children").
func counted(e *ast.CallExpr, add func(token.Pos, string)) bool {
	name := ""
	switch f := e.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	var words []string
	for _, a := range e.Args {
		if text, ok := literal(a); ok {
			words = append(words, text)
		}
	}
	switch {
	case name == "Plural" && len(words) == 2:
	case name == "Counted" && len(words) == 1:
		words = append(words, words[0]+"s")
	default:
		return false
	}
	add(e.Pos(), "1 "+words[0])
	add(e.Pos(), "%d "+words[1])
	return true
}

// sources are the files of a folder that are no tests.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") || slices.Contains(silentFiles, name)
	})
}

var word = regexp.MustCompile(`^[("'–-]*(?:[A-Za-z][a-z'’-]+|[A-Z]{2,})[.,:;?!)"']*$|^[aI],?$`)

// isSentence reports whether a text is for people: two words at least, which are no command, and one line.
func isSentence(text string) bool {
	if strings.Contains(text, "\n") || strings.Contains(text, "{{") || strings.Contains(text, "\x00") {
		return false
	}
	n := 0
	for w := range strings.FieldsSeq(text) {
		if word.MatchString(w) {
			n++
		}
	}
	counts := strings.HasPrefix(text, "1 ") || strings.HasPrefix(text, "%d ")
	return n >= 2 || n == 1 && counts
}

// sentences are those of the command line, in the order of the source code, each once, and the texts of all relay.
func sentences(t *testing.T) (said []sourced, all map[string]bool) {
	t.Helper()
	all = make(map[string]bool)
	known := make(map[string]bool)
	for _, room := range rooms {
		for _, f := range texts(t, sources(t, filepath.Join("..", room))) {
			f.text = strings.TrimRight(f.text, " ")
			if rest, glued := strings.CutPrefix(f.text, "%s"); glued && rest != "" && rest[0] >= 'a' && rest[0] <= 'z' {
				f.text = rest
			}
			all[f.text] = true
			if isSentence(f.text) && !known[f.text] {
				known[f.text] = true
				said = append(said, f)
			}
		}
	}
	for _, root := range []string{"../manual", "../../relay", "../../ingest", "../../playback", "../../tree"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			for _, f := range texts(t, sources(t, path)) {
				all[strings.TrimRight(f.text, " ")] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return said, all
}
