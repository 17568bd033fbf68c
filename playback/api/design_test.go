package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// structs are this package's structs that have JSON: for each the names of its fields,
// and "fields of X" for one that is embedded, in order.
func structs(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				if fields := jsonFields(s); len(fields) > 0 {
					all[spec.Name.Name] = fields
				}
			}
			return false
		})
	}
	return all
}

func jsonFields(s *ast.StructType) (names []string) {
	tagged := false
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			typ := f.Type
			if p, ok := typ.(*ast.StarExpr); ok {
				typ = p.X
			}
			names = append(names, "fields of "+typ.(*ast.Ident).Name)
			continue
		}
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name != "" && name != "-" {
			names, tagged = append(names, name), true
		}
	}
	if !tagged {
		return nil
	}
	return names
}

var (
	heading = regexp.MustCompile("^### `(\\w+)`$")
	row     = regexp.MustCompile("^\\| (?:(fields of) )?`(\\w+)` \\| (.*)\\|$")
	quoted  = regexp.MustCompile("(fields of )?`(\\w+)`")
)

// documented is what design.md says: the fields of each section, in order, with their
// meanings, and what each event adds.
func documented(t *testing.T) (sections map[string][]string, meaning map[string]string, events map[string][]string) {
	t.Helper()
	text, err := os.ReadFile("design.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, meaning, events = map[string][]string{}, map[string]string{}, map[string][]string{}
	section := ""
	inEvents := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			section, inEvents = m[1], false
			if _, twice := sections[section]; twice {
				t.Errorf("%s is described twice", section)
			}
			sections[section] = nil
			continue
		}
		if strings.HasPrefix(line, "#") {
			section, inEvents = "", line == "## Events"
			continue
		}
		m := row.FindStringSubmatch(line)
		switch {
		case m == nil:
		case section != "":
			name := m[2]
			if m[1] != "" {
				name = m[1] + " " + name
			}
			sections[section] = append(sections[section], name)
			meaning[section+"."+name] = strings.TrimSpace(m[3])
		case inEvents:
			adds, _, _ := strings.Cut(m[3], "|")
			events[m[2]] = []string{}
			for _, q := range quoted.FindAllStringSubmatch(adds, -1) {
				events[m[2]] = append(events[m[2]], q[1]+q[2])
			}
		}
	}
	return sections, meaning, events
}

func TestEveryFieldIsDocumented(t *testing.T) {
	code := structs(t)
	text, meaning, _ := documented(t)
	if len(code) < 25 {
		t.Fatalf("only %d structs", len(code))
	}
	for name, fields := range code {
		if !slices.Equal(text[name], fields) {
			t.Errorf("design.md says of %s\n%v, the code\n%v", name, text[name], fields)
		}
	}
	for name := range text {
		if code[name] == nil {
			t.Errorf("design.md describes %s, which there is not", name)
		}
	}
	for name, means := range meaning {
		_, field, _ := strings.Cut(name, ".")
		if means == "" && !strings.HasPrefix(field, "fields of") {
			t.Errorf("design.md does not say what %s means", name)
		}
		for suffix, unit := range map[string]string{"_ms": "milliseconds", "_s": "seconds", "_bps": "bit/s", "bit_rate": "bit/s", "bytes": "bytes"} {
			if strings.HasSuffix(field, suffix) && !strings.Contains(means, unit) {
				t.Errorf("design.md does not give %s in %s", name, unit)
			}
		}
	}
}

func TestEveryEventIsDocumented(t *testing.T) {
	_, _, events := documented(t)
	types := eventTypes(t)
	for _, e := range types {
		if events[e] == nil {
			t.Errorf("design.md does not list the event %s", e)
		}
	}
	fields := structs(t)["Event"]
	for e, adds := range events {
		if !slices.Contains(types, e) {
			t.Errorf("design.md lists the event %s, which there is not", e)
		}
		for _, f := range adds {
			if !slices.Contains(fields, f) {
				t.Errorf("design.md says that %s adds %q, which an Event does not have", e, f)
			}
		}
	}
}

// eventTypes are the values of the constants of type EventType.
func eventTypes(t *testing.T) (all []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "EventType" {
				value, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				all = append(all, value)
			}
		}
		return true
	})
	if len(all) < 17 {
		t.Fatalf("only %d types of events", len(all))
	}
	return all
}
