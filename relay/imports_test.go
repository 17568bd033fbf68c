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

// law says of every room which of this module's rooms it imports. What is not here is not
// allowed. A room comes behind all that it names, so that nothing can run back up; those of
// the command line have the order of the table in cli/design.md.
var law = []struct {
	room string
	may  []string
}{
	{"tree", nil},
	{"relay/oneline", nil}, // strangers' text is cleaned the same way wherever it goes
	{"relay/refusal", nil}, // counted the same way wherever something is refused
	{"relay/budget", nil},  // and bounded the same way
	{"relay/seal", nil},
	{"relay/stream", []string{"relay/seal"}},
	{"relay/socket", nil},
	{"relay/hostnet", nil},
	{"relay/lobby", []string{"relay/hostnet"}},
	{"relay/portmap", []string{"relay/hostnet", "relay/oneline"}},
	{"relay/naming", []string{"relay/stream"}},
	{"relay/pcp", []string{"relay/oneline", "relay/refusal", "relay/stream"}},
	{"relay/lineage", []string{"relay/stream", "tree"}},
	{"relay/nameplate", []string{"relay/oneline", "relay/stream", "tree"}},
	{"relay/wire", []string{"relay/lineage", "relay/nameplate", "relay/seal", "relay/stream", "tree"}},
	{"relay/membership", []string{"relay/hostnet", "relay/oneline", "relay/refusal", "relay/stream", "relay/wire", "tree"}},
	{"relay/multicast", []string{"relay/hostnet"}},
	{"relay/discovery", []string{"relay/hostnet", "relay/multicast", "relay/refusal", "relay/stream"}},
	{"relay/archive", []string{"relay/stream"}},
	{"relay/pcp/index", []string{"relay/oneline", "relay/refusal"}},
	{"relay/quota", []string{"relay/hostnet"}},
	{"relay/store", []string{"relay/oneline", "relay/seal", "relay/stream", "relay/wire", "tree"}},
	{"relay/dht", []string{"relay/hostnet", "relay/oneline", "relay/refusal", "relay/seal", "relay/stream", "relay/wire", "tree"}},
	{"relay", []string{"relay/archive", "relay/budget", "relay/hostnet", "relay/lineage", "relay/membership", "relay/nameplate", "relay/oneline", "relay/quota", "relay/refusal", "relay/seal", "relay/store", "relay/socket", "relay/stream", "relay/wire", "tree"}},

	// What a tag is, ingest and playback have in common: flv belongs to both.
	{"ingest/flv", []string{"relay/oneline"}},
	{"ingest/rtmp", []string{"ingest/flv", "relay/lobby", "relay/oneline", "relay/refusal", "relay/socket"}},
	{"ingest/srt", []string{"relay/oneline", "relay/refusal", "relay/socket"}},
	{"ingest/convert", []string{"ingest/flv"}},
	{"ingest/sample", []string{"ingest/convert", "ingest/flv", "relay/oneline"}},
	{"ingest/mpegts", []string{"ingest/convert", "ingest/flv"}},
	{"ingest/elementary", []string{"ingest/convert", "ingest/flv", "ingest/sample"}},
	{"ingest/rtspin", []string{"ingest/convert", "ingest/flv"}},
	{"ingest/ffmpeg", []string{"ingest/flv", "relay/oneline"}},
	{"ingest/mkv", []string{"ingest/convert", "ingest/flv", "ingest/sample"}},
	{"ingest/mp4", []string{"ingest/convert", "ingest/flv", "ingest/sample"}},
	{"ingest/pcpin", []string{"ingest/convert", "ingest/elementary", "ingest/flv", "ingest/mkv", "ingest/mpegts", "relay/hostnet", "relay/oneline", "relay/pcp", "relay/pcp/index", "relay/refusal", "relay/stream"}},
	{"ingest/browser", []string{"ingest/flv", "relay/refusal"}},
	{"ingest/rtp", []string{"ingest/convert", "ingest/flv"}},
	{"ingest/whip", []string{"ingest/convert", "ingest/flv", "ingest/rtp", "relay/hostnet", "relay/oneline", "relay/refusal"}},
	{"ingest", []string{"ingest/browser", "ingest/convert", "ingest/elementary", "ingest/ffmpeg", "ingest/flv", "ingest/mkv", "ingest/mp4", "ingest/mpegts", "ingest/pcpin", "ingest/rtmp", "ingest/rtspin", "ingest/sample", "ingest/srt", "ingest/whip", "relay/hostnet", "relay/pcp", "relay/refusal", "relay/stream"}},

	{"playback/api", nil},
	{"playback/web", nil},
	{"playback/web/pack", []string{"playback/web"}},
	{"playback/remux", []string{"ingest/flv"}},
	{"playback/provenance", []string{"ingest/flv", "relay/stream"}},
	{"playback", []string{"ingest/flv", "playback/api", "playback/provenance", "playback/remux", "playback/web", "relay/archive", "relay/hostnet", "relay/lobby", "relay/naming", "relay/quota", "relay/refusal", "relay/socket", "relay/stream"}},
	{"playback/tv", []string{"playback", "playback/api", "relay/hostnet", "relay/multicast", "relay/oneline", "relay/quota", "relay/refusal"}},
	{"playback/cast", []string{"relay/hostnet", "relay/multicast", "relay/oneline"}},
	{"playback/pcpout", []string{"ingest/flv", "playback", "playback/api", "relay/hostnet", "relay/lobby", "relay/pcp", "relay/refusal", "relay/stream"}},
	{"playback/rtspout", []string{"playback", "playback/remux", "relay/lobby", "relay/refusal"}},
	{"playback/directory", []string{"playback", "relay/budget", "relay/hostnet", "relay/oneline", "relay/pcp", "relay/pcp/index", "relay/refusal", "relay/stream"}},
	{"playback/admin", []string{"playback", "playback/api"}},

	{"cli/deploy/release", nil},
	{"cli/lean", nil},
	{"cli/lang", nil},
	{"cli/lang/pack", []string{"cli/lang"}},
	{"cli/term", []string{"cli/lang", "relay/oneline"}},
	{"cli/fault", []string{"cli/term", "relay/hostnet"}},
	{"cli/key", []string{"cli/fault", "cli/term", "relay/store", "relay/stream"}},
	{"cli/domain", []string{"ingest/flv", "relay", "relay/hostnet", "relay/oneline", "relay/stream"}},
	{"cli/ask", []string{"cli/fault", "cli/term", "playback", "playback/api", "relay", "relay/hostnet", "relay/naming", "relay/oneline", "relay/seal", "relay/store", "relay/stream"}},
	{"cli/finding", []string{"relay", "relay/dht", "relay/hostnet", "relay/refusal", "relay/store", "relay/stream", "tree"}},
	{"cli/lan", []string{"cli/ask", "cli/fault", "cli/term", "ingest/flv", "playback", "playback/api", "relay", "relay/discovery", "relay/hostnet", "relay/naming"}},
	{"cli/privacy", []string{"cli/fault", "cli/term", "relay", "relay/seal", "relay/stream"}},
	{"cli/abuse/hostile", []string{"relay/stream", "relay/wire", "tree"}},
	{"cli/abuse", []string{"cli/abuse/hostile", "cli/ask", "cli/fault", "ingest/flv", "ingest/rtmp", "ingest/srt", "playback", "playback/admin", "relay", "relay/hostnet", "relay/oneline", "relay/pcp", "relay/stream"}},
	{"cli/flag", []string{"cli/abuse", "cli/ask", "cli/domain", "cli/fault", "cli/finding", "cli/lan", "cli/lang", "cli/privacy", "cli/term", "playback", "playback/directory", "playback/pcpout", "playback/tv", "relay", "relay/archive", "relay/discovery", "relay/nameplate", "relay/pcp", "relay/store"}},
	{"cli/input", []string{"cli/fault", "cli/term", "ingest", "ingest/convert", "ingest/elementary", "ingest/ffmpeg", "ingest/flv", "ingest/mkv", "ingest/mp4", "ingest/mpegts", "ingest/pcpin", "ingest/rtmp", "ingest/rtspin", "ingest/sample", "ingest/srt", "relay/hostnet"}},
	{"cli/treedraw", []string{"cli/term", "playback/api", "tree"}},
	{"cli/words/onpeercast", nil},
	{"cli/words/refused", []string{"ingest/browser", "ingest/pcpin", "ingest/rtmp", "ingest/srt", "ingest/whip", "playback", "playback/pcpout", "playback/rtspout", "relay/pcp", "relay/refusal"}},
	{"cli/words", []string{"cli/domain", "cli/fault", "cli/term", "ingest", "ingest/flv", "ingest/pcpin", "ingest/rtmp", "ingest/srt", "ingest/whip", "playback", "playback/api", "playback/pcpout", "relay", "relay/archive", "relay/hostnet", "relay/pcp", "relay/portmap", "relay/refusal", "relay/stream", "relay/wire", "tree"}},
	{"cli/words/listed", []string{"cli/fault", "cli/term", "cli/words", "playback/directory"}},
	{"cli/words/byid", []string{"cli/fault", "cli/finding", "cli/term", "cli/words", "relay", "relay/dht"}},
	{"cli/follow", []string{"cli/domain", "cli/finding", "cli/lan", "cli/term", "playback/api", "relay", "relay/dht", "relay/discovery", "relay/oneline", "relay/seal", "relay/store", "relay/stream"}},
	{"cli/seek", []string{"cli/ask", "cli/domain", "cli/fault", "cli/follow", "cli/lan", "cli/term", "cli/words", "relay", "relay/discovery", "relay/naming", "relay/store", "relay/stream"}},
	{"cli/doctor", []string{"cli/ask", "cli/fault", "cli/input", "cli/lan", "cli/term", "cli/words", "cli/words/refused", "ingest/ffmpeg", "playback/api", "relay", "relay/discovery", "relay/hostnet", "relay/store", "relay/stream"}},
	{"cli/sink", []string{"cli/fault", "cli/term", "cli/words", "ingest/flv", "playback", "relay/stream"}},
	{"cli/webhook", []string{"cli/fault", "playback/api"}},
	{"cli/gateway", []string{"cli/fault", "cli/words/onpeercast", "playback", "playback/pcpout", "relay", "relay/pcp", "relay/stream"}},
	{"cli/keyring", []string{"cli/fault", "cli/words", "relay/seal", "relay/store", "relay/stream"}},
	{"cli/treeview", []string{"cli/fault", "cli/term", "playback/api", "relay", "relay/wire", "tree"}},
	{"cli/monitor", []string{"ingest/flv", "playback", "playback/api", "relay/stream"}},
	{"cli/words/recorded", []string{"cli/term", "playback/api"}},
	{"cli/words/ontv", []string{"cli/words", "ingest/flv", "playback/api"}},
	{"cli/reach", []string{"cli/fault", "relay", "relay/hostnet", "tree"}},
	{"cli/station", []string{
		"cli/domain", "cli/fault", "cli/finding", "cli/follow", "cli/gateway", "cli/keyring", "cli/lan", "cli/lean", "cli/monitor", "cli/reach", "cli/treeview", "cli/term", "cli/webhook", "cli/words", "cli/words/byid", "cli/words/ontv", "cli/words/recorded",
		"ingest/flv", "ingest/rtmp", "ingest/srt", "ingest/whip", "playback", "playback/admin", "playback/api", "playback/cast", "playback/pcpout", "playback/rtspout", "playback/tv", "relay", "relay/archive", "relay/dht", "relay/discovery", "relay/hostnet", "relay/pcp", "relay/portmap", "relay/refusal", "relay/seal", "relay/store", "relay/stream", "relay/wire", "tree",
	}},
	{"cli/listing", []string{"cli/ask", "cli/fault", "cli/flag", "cli/station", "cli/term", "cli/words", "cli/words/listed", "playback/directory", "ingest/flv", "playback/api", "relay", "relay/hostnet", "relay/naming", "relay/oneline", "relay/stream", "tree"}},
	{"cli/carry", []string{"cli/fault", "cli/station", "cli/term", "cli/words", "relay", "relay/hostnet", "relay/stream"}},
	{"cli/demo", []string{"cli/lan", "cli/station", "cli/term", "cli/words", "ingest", "playback", "relay", "relay/stream", "tree"}},
	{"cli/service", []string{"cli/fault", "cli/term", "cli/words"}},
	{"cli/update", []string{"cli/fault", "cli/words"}},
	{"cli/upkeep", []string{"cli/ask", "cli/fault", "cli/finding", "cli/flag", "cli/follow", "cli/lan", "cli/listing", "cli/seek", "cli/service", "cli/term", "cli/update", "cli/words", "playback/directory", "playback/admin", "relay", "relay/naming", "relay/store", "relay/stream"}},
	{"cli/trees", []string{"cli/ask", "cli/fault", "cli/flag", "cli/term", "cli/treedraw", "playback/api", "relay/store"}},
	{"cli/castto", []string{"cli/ask", "cli/fault", "cli/flag", "cli/term", "playback", "playback/api", "playback/cast", "relay/store"}},
	{"cli/manual", []string{"cli/ask", "cli/fault", "cli/flag", "cli/follow", "cli/key", "cli/lan", "cli/sink", "cli/term", "cli/upkeep", "playback", "relay/store"}},
}

// standard are the rooms that import nothing but the standard library and rooms of the law.
var standard = []string{"tree", "relay/oneline", "relay/refusal", "relay/budget", "relay/seal", "relay/stream", "relay/lobby", "relay/hostnet", "relay/naming", "relay/wire", "relay/dht", "relay/pcp", "relay/pcp/index", "playback/api", "playback/web"}

// forTests are the rooms that only tests use, and those that use all others.
var forTests = []string{"relay/relay/relaytest", "relay/playback/playtest", "relay/relay/pcp/pcptest", "relay/tree/treetest", "relay/ingest/ingesttest", "relay/cli/term/termtest", "relay/cli/treedraw/drawtest"}

func TestImportsRunOneWay(t *testing.T) {
	all := module(t)
	lists := map[string][]string{}
	for _, l := range law {
		if lists[l.room] = l.may; all["relay/"+l.room].ImportPath == "" {
			t.Errorf("there is no room %s", l.room)
		}
	}
	for path, p := range all {
		if !under(path, "relay") || path == "relay/cli" || path == "relay/cli/relay" ||
			slices.ContainsFunc(forTests, func(room string) bool { return under(path, room) }) {
			continue
		}
		room := strings.TrimPrefix(path, "relay/")
		may, ok := lists[room]
		if !ok {
			t.Errorf("the law does not say what %s may import", room)
		}
		for _, i := range p.Imports {
			ours, is := strings.CutPrefix(i, "relay/")
			if is && !slices.Contains(may, ours) || !is && !all[i].Standard && slices.Contains(standard, room) {
				t.Errorf("%s imports %s", room, i)
			}
		}
	}
}

// In such an order no room imports itself by way of others.
func TestTheLawNamesOnlyRoomsFurtherUp(t *testing.T) {
	above := map[string]bool{}
	for _, l := range law {
		for _, r := range l.may {
			if !above[r] {
				t.Errorf("%s names %s, which is not above it", l.room, r)
			}
		}
		if above[l.room] {
			t.Errorf("%s is there twice", l.room)
		}
		above[l.room] = true
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
		"github.com/datarhei/gosrt":         {"relay/ingest/srt"},
		"github.com/coder/websocket":        {"relay/ingest/browser"},
		"github.com/bluenviron/mediacommon": {"relay/ingest/convert", "relay/ingest/rtspin", "relay/ingest/sample", "relay/playback/remux"},
		"github.com/bluenviron/gortsplib":   {"relay/ingest/rtspin"},
		"github.com/pion":                   {"relay/ingest/rtspin", "relay/ingest/whip"},
		"github.com/urfave/cli":             {"relay/cli", "relay/cli/castto", "relay/cli/flag", "relay/cli/listing", "relay/cli/manual", "relay/cli/trees", "relay/cli/upkeep"},
		"github.com/hashicorp/memberlist":   {"relay/relay/membership"},
		"github.com/gofrs/flock":            {"relay/relay/archive", "relay/relay/store"},
		"github.com/huin/goupnp":            {"relay/relay/portmap"},
		"github.com/VictoriaMetrics":        {"relay/playback/admin"},
		"github.com/prometheus":             {}, // for tests: it brings 2 MB of protobuf
		"github.com/mdp/qrterminal":         {"relay/cli/term"},
		"golang.org/x/term":                 {"relay/cli/term"},
		"golang.org/x/crypto":               {"relay/cli/privacy"},
		"github.com/miekg/dns":              {"relay/playback/cast", "relay/playback/playtest"},
	} {
		for _, p := range module(t) {
			if !under(p.ImportPath, "relay") || slices.Contains(rooms, p.ImportPath) {
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

// Commands and flags belong to the command line itself, to the room that reads them, and to the
// one that tells of them all: any other room is told what it needs.
func TestRoomsOfTheCommandLineKnowNoFlags(t *testing.T) {
	rooms := 0
	for _, p := range module(t) {
		if !under(p.ImportPath, "relay/cli") || slices.Contains([]string{"relay/cli", "relay/cli/relay", "relay/cli/castto", "relay/cli/flag", "relay/cli/listing", "relay/cli/manual", "relay/cli/trees", "relay/cli/upkeep"}, p.ImportPath) {
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

// A room of the command line that grows beyond what can be read in one go is two rooms.
func TestRoomsOfTheCommandLineAreSmall(t *testing.T) {
	const most = 2500 // lines of code and comments
	for _, p := range module(t) {
		if !under(p.ImportPath, "relay/cli") {
			continue
		}
		n := 0
		for _, name := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			n += bytes.Count(b, []byte("\n"))
		}
		if n > most {
			t.Errorf("%s has %d lines, at most %d can be read in one go", p.ImportPath, n, most)
		}
	}
}

// A time that is kept in Unix nanoseconds is meant for a difference, and the wall clock may be set in between: what
// is measured so never ends, or ends at once. A [time.Time], or a duration since one, goes by the monotonic clock.
func TestNothingIsMeasuredByTheWallClock(t *testing.T) {
	for _, p := range module(t) {
		if !under(p.ImportPath, "relay") {
			continue
		}
		for _, name := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(".UnixNano(")) || bytes.Contains(b, []byte(".UnixMicro(")) {
				t.Errorf("%s/%s keeps a time in a unit of the wall clock to measure by", p.ImportPath, name)
			}
		}
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
