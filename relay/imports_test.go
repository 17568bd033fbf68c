package relay

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// listed is what these tests need of `go list -json`.
type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
	Imports    []string // of the package itself, without its tests
	Deps       []string // all below it
	GoFiles    []string
}

// list returns the packages of this module and all that they depend on.
var list = sync.OnceValues(func() (map[string]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,Imports,Deps,GoFiles", "relay/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
		if under(p.ImportPath, "relay") {
			// Folders that a test opens belong to the key under which go test keeps
			// its result: it runs again when an import may have changed.
			if _, err := os.ReadDir(p.Dir); err != nil {
				return nil, err
			}
		}
	}
})

func module(t *testing.T) map[string]listed {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"relay/tree", "relay/relay", "relay/relay/stream", "relay/relay/wire", "relay/ingest", "relay/playback", "relay/cli",
	} {
		if p := all[want]; len(p.GoFiles) == 0 || len(p.Deps) == 0 {
			t.Fatalf("go list does not know %s", want)
		}
	}
	return all
}

// under reports whether a package is root or lies below it.
func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// forAll is for every room but the tree, which has no text to show: what comes from
// strangers is cleaned the same way wherever it goes.
const forAll = "relay/relay/oneline"

func TestImportsRunOneWay(t *testing.T) {
	all := module(t)
	for _, c := range []struct {
		room string
		may  []string // all of this module's rooms that it may depend on
		std  bool     // the standard library is all else
	}{
		{room: "relay/tree", std: true},
		{room: forAll, std: true},
		{room: "relay/relay/stream", std: true},
		{room: "relay/relay/naming", may: []string{"relay/relay/stream"}, std: true},
		{room: "relay/relay/wire", may: []string{"relay/relay/stream", "relay/tree"}, std: true},
		{room: "relay/relay/membership", may: []string{"relay/relay/stream", "relay/relay/wire", "relay/tree"}},
		{room: "relay/relay/hostnet", std: true},
		{room: "relay/relay/discovery", may: []string{"relay/relay/hostnet", "relay/relay/stream"}},
		{room: "relay/relay/store", may: []string{"relay/relay/stream", "relay/relay/wire", "relay/tree"}},
		{room: "relay/relay", may: []string{"relay/relay/hostnet", "relay/relay/membership", "relay/relay/store", "relay/relay/stream", "relay/relay/wire", "relay/tree"}},
		// What a tag is, ingest and playback have in common: flv belongs to both.
		{room: "relay/ingest/flv"},
		{room: "relay/ingest/rtmp", may: []string{"relay/ingest/flv"}},
		{room: "relay/ingest", may: []string{"relay/ingest/flv", "relay/ingest/rtmp", "relay/relay/stream"}},
		{room: "relay/playback/remux", may: []string{"relay/ingest/flv"}},
		{room: "relay/playback/web", std: true},
		{room: "relay/playback/api", std: true},
		{room: "relay/playback", may: []string{"relay/ingest/flv", "relay/playback/api", "relay/playback/remux", "relay/playback/web", "relay/relay/naming", "relay/relay/stream"}},
		{room: "relay/cli/term"},
		{room: "relay/cli/lan", may: []string{
			"relay/cli/fault", "relay/cli/term", "relay/ingest/flv", "relay/playback/api",
			"relay/relay", "relay/relay/discovery", "relay/relay/hostnet", "relay/relay/membership", "relay/relay/naming", "relay/relay/stream", "relay/relay/wire", "relay/tree",
		}},
		{room: "relay/cli/fault", may: []string{"relay/cli/term"}},
		{room: "relay/cli/flag", may: []string{"relay/cli/fault", "relay/cli/term"}},
		{room: "relay/cli/treedraw", may: []string{"relay/cli/term", "relay/playback/api", "relay/tree"}},
		{room: "relay/cli/doctor", may: []string{
			"relay/relay/hostnet", "relay/cli/term", "relay/playback/api",
			"relay/relay", "relay/relay/discovery", "relay/relay/membership", "relay/relay/naming", "relay/relay/store", "relay/relay/stream", "relay/relay/wire", "relay/tree",
		}},
		{room: "relay/playback/admin", may: []string{"relay/ingest/flv", "relay/playback", "relay/playback/api", "relay/playback/remux", "relay/playback/web", "relay/relay/naming", "relay/relay/stream"}},
	} {
		for _, d := range all[c.room].Deps {
			ours := under(d, "relay")
			if d == forAll && c.room != "relay/tree" {
				continue
			}
			if ours && !slices.Contains(c.may, d) || !ours && c.std && !all[d].Standard {
				t.Errorf("%s depends on %s", c.room, d)
			}
		}
	}
}

func TestTreeKnowsAddressesButNoNetwork(t *testing.T) {
	for _, d := range module(t)["relay/tree"].Deps {
		if under(d, "net") && d != "net/netip" || under(d, "log") || d == "crypto/tls" {
			t.Errorf("relay/tree depends on %s", d)
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for library, rooms := range map[string][]string{
		"github.com/nareix/joy4":            {"relay/ingest/flv"},
		"github.com/bluenviron/gortmplib":   {"relay/ingest/rtmp"},
		"github.com/bluenviron/mediacommon": {"relay/playback/remux"},
		"github.com/bluenviron/gohlslib":    {"relay/playback/remux"},
		"github.com/urfave/cli":             {"relay/cli"},
		"github.com/hashicorp/memberlist":   {"relay/relay/membership"},
		"github.com/gofrs/flock":            {"relay/relay/store"},
		"github.com/prometheus":             {"relay/playback/admin"},
		"github.com/mdp/qrterminal":         {"relay/cli/term"},
		"golang.org/x/term":                 {"relay/cli/term"},
	} {
		for _, p := range module(t) {
			if !under(p.ImportPath, "relay") || slices.ContainsFunc(rooms, func(room string) bool { return under(p.ImportPath, room) }) {
				continue
			}
			for _, i := range p.Imports {
				if under(i, library) {
					t.Errorf("%s imports %s, which is for %v", p.ImportPath, i, rooms)
				}
			}
		}
	}
}

// Commands and flags belong to the command line itself and to the room that reads them: any
// other room is told what it needs.
func TestRoomsOfTheCommandLineKnowNoFlags(t *testing.T) {
	rooms := 0
	for _, p := range module(t) {
		if !under(p.ImportPath, "relay/cli") || slices.Contains([]string{"relay/cli", "relay/cli/relay", "relay/cli/flag"}, p.ImportPath) {
			continue
		}
		rooms++
		for _, d := range p.Deps {
			if under(d, "github.com/urfave/cli") || d == "relay/cli" {
				t.Errorf("%s depends on %s", p.ImportPath, d)
			}
		}
	}
	if rooms == 0 {
		t.Error("the command line has no rooms")
	}
}

func TestTreeStartsNoGoroutineAndReadsNoClock(t *testing.T) {
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}
	p := module(t)["relay/tree"]
	files := token.NewFileSet()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		at := func(n ast.Node) token.Position { return files.Position(n.Pos()) }
		timeName := ""
		for _, i := range f.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); path != "time" {
				continue
			}
			timeName = "time"
			if i.Name != nil {
				timeName = i.Name.Name
			}
			if timeName == "." {
				t.Errorf("%v: time is imported without its name", at(i))
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%v: a goroutine is started", at(n))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%v: time.%s is used", at(n), n.Sel.Name)
				}
			}
			return true
		})
	}
}
