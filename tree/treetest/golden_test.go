package treetest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relay/tree/treetest"
)

var update = flag.Bool("update", false, "write the traces in testdata/tree anew")

// TestConversations plays the scripts in testdata/tree and compares what is said with the
// traces in them. Each shows one rule of tree/design.md.
func TestConversations(t *testing.T) {
	const dir = "../../testdata/tree"
	paths, err := filepath.Glob(filepath.Join(dir, "*.conversation"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 30 {
		t.Fatalf("%s has %d conversations", dir, len(paths))
	}
	design, err := os.ReadFile("../design.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".conversation")
		t.Run(name, func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := treetest.Converse(script)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			} else if !bytes.Equal(got, script) {
				t.Errorf("%s is not what is said now; if that is meant: go test ./tree/treetest -run Conversations -update\n%s", path, got)
			}
			if !bytes.Contains(design, []byte("`"+name+"`")) {
				t.Errorf("tree/design.md does not name %s", name)
			}
		})
	}
}

func TestAWrongLineOfAScriptIsNamed(t *testing.T) {
	for _, script := range []string{
		"clocks",
		"liar L 1s",
		"node A 2 age 1s knows\nclocks",
		"node A 2 age 1s knows\nroot R 2\nliar L 1s",
		"root R 2\nliar L soon",
		"root R 2\nkill A",
		"# nothing\n\nsing",
	} {
		lines := strings.Split(script, "\n")
		want := fmt.Sprintf("line %d: %s: ", len(lines), lines[len(lines)-1])
		if _, err := treetest.Converse([]byte(script)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", script, err, want)
		}
	}
}
