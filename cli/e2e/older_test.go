//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// olderCommit is the program before its packages were divided anew. Nodes of that build and of
// this one share trees.
const olderCommit = "6312a8dd19e929db6c3d2d5a6a689946880ed57e"

// olderRelay builds that program once and returns its path.
var olderRelay = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(relayBin), "older")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	archive := dir + ".tar"
	repository := filepath.Join("..", "..")
	for _, cmd := range []*exec.Cmd{
		exec.Command("git", "-C", repository, "archive", "--output", archive, olderCommit),
		exec.Command("tar", "-xf", archive, "-C", dir),
		exec.Command("go", "build", "-C", dir, "-o", filepath.Join(dir, "relay-older"), "./cli/relay"),
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w: %s", cmd.Args, err, out)
		}
	}
	return filepath.Join(dir, "relay-older"), nil
})

// older returns the path of the older program. Where the history is missing, as in an archive
// of the project, or is cut short, it cannot be built. The test is skipped then, but fails where
// changes are checked (CI=true).
func older(t *testing.T) string {
	t.Helper()
	lacks := t.Skipf
	if os.Getenv("CI") == "true" {
		lacks = t.Fatalf
	}
	repository := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(repository, ".git")); os.IsNotExist(err) {
		lacks("the older program cannot be built: there is no history here (clone the project with git)")
	}
	if out, err := exec.Command("git", "-C", repository, "cat-file", "-e", olderCommit+"^{commit}").CombinedOutput(); err != nil {
		lacks("the older program cannot be built: the history lacks %.7s (fetch all of it): %v: %s", olderCommit, err, out)
	}
	path, err := olderRelay()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// generation is a build of the program.
type generation struct{ name, bin string }

// of returns the same world, but with the program of a generation.
func (w world) of(g generation) *world {
	w.bin = g.bin
	return &w
}

// took ends a source's nth encoder, waits until the source has noticed, and returns what
// it took in. A source of any build says so in its log.
func (s *source) took(t *testing.T, enc *process, n int) []tag {
	t.Helper()
	enc.interrupt(t)
	eventually(t, "the source sees its encoder go", func() error {
		if got := strings.Count(s.err.String(), "encoder has gone"); got < n {
			return fmt.Errorf("it has seen %d go", got)
		}
		return nil
	})
	return logged(t, s.tagLog)
}

// watchAs starts a watcher of a generation and waits until a player at it gets media. It does
// not ask the node about itself, because an older node may answer differently.
func (w *world) watchAs(g generation, link string) (*watcher, *viewer) {
	w.t.Helper()
	n := w.of(g).watchAlone(link, "--max-children", "1")
	n.name = g.name + " " + n.name
	v := play(w.t, "viewer at "+n.name, n.url)
	v.gets(w.t, 10)
	return n, v
}

// TestOldAndNewNodesShareATree puts nodes of this build and of an older one into a chain that
// has every pair of them in every order, and kills one in the middle. Every player gets every
// tag.
func TestOldAndNewNodesShareATree(t *testing.T) {
	t.Parallel()
	before, now := generation{"old", older(t)}, generation{"new", relayBin}
	for _, c := range []struct {
		source generation
		chain  []generation
		victim int // its parent and its child meet when it is killed
	}{
		{now, []generation{before, now, now, before, before}, 1},
		{before, []generation{now, before, before, now, now}, 1},
		{now, []generation{before, before, now}, 0},
		{before, []generation{now, now, before}, 0},
	} {
		name := c.source.name + " source"
		for _, g := range c.chain {
			name += ", " + g.name
		}
		t.Run(name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.of(c.source).source("--max-children", "1")
			enc := encode(t, src.rtmp, forEver, picture360, tone, h264, manyKeys, aac)
			chain := slices.Clone(c.chain)
			var nodes []*watcher
			var viewers []*viewer
			for i, g := range chain {
				n, v := w.watchAs(g, src.link)
				nodes, viewers = append(nodes, n), append(viewers, v)
				if g == now {
					eventually(t, n.name+" has its place in the chain", func() error {
						if st := status(t, n.url); st.Depth != i+1 {
							return fmt.Errorf("it is %d links from the source, not %d", st.Depth, i+1)
						}
						return nil
					})
				}
			}
			nodes[c.victim].kill()
			chain = slices.Delete(chain, c.victim, c.victim+1)
			nodes, viewers = slices.Delete(nodes, c.victim, c.victim+1), slices.Delete(viewers, c.victim, c.victim+1)

			allGet(t, viewers, 100)
			want := src.took(t, enc, 1)
			for i, n := range nodes {
				viewers[i].reaches(t, want)
				viewers[i].open(t)
				complete(t, viewers[i].name, viewers[i].got(), want)
				reached(t, n.rec, want)
			}
			for i, n := range slices.Backward(nodes) {
				if chain[i] == now {
					// Children leave a node that is too busy to send for 150 ms, so the order
					// may have changed by now. Even so, nothing may be lost.
					if st := status(t, n.url); st.Depth < 1 || st.Depth > len(chain) || st.Chunks.Lost > 0 {
						t.Errorf("%s is %d links from the source, of at most %d; chunks: %+v", n.name, st.Depth, len(chain), st.Chunks)
					}
				}
				n.interrupt(t)
				complete(t, n.name, recording(t, n.rec), want)
			}
		})
	}
}

// TestSourceIsReplacedByANewerBuild kills a source of an older build and starts one of this
// build with its keys. Nodes of both builds below it go on in the new epoch. The test also does
// the reverse, as an operator does who goes back to the older build.
func TestSourceIsReplacedByANewerBuild(t *testing.T) {
	t.Parallel()
	before, now := generation{"old", older(t)}, generation{"new", relayBin}
	for _, c := range [][2]generation{{before, now}, {now, before}} {
		t.Run(c[0].name+" to "+c[1].name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.of(c[0]).source("--max-children", "1")
			enc := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
			var nodes []*watcher
			var viewers []*viewer
			for _, g := range []generation{before, now} {
				n, v := w.watchAs(g, src.link)
				nodes, viewers = append(nodes, n), append(viewers, v)
			}
			allGet(t, viewers, 100)
			first := src.took(t, enc, 1) // the older build writes its log after what it sends
			src.kill()

			again := w.of(c[1]).source("--max-children", "1", "--listen", src.listen())
			if again.link != src.link {
				t.Fatalf("the link was %s and is %s", src.link, again.link)
			}
			enc = encode(t, again.rtmp, forEver, picture360, tone, h264, aac)
			allGet(t, viewers, 300)
			second := again.took(t, enc, 1)
			for i, v := range viewers {
				v.ends(t, second)
				v.open(t)
				acrossEpochs(t, v.name, v.got(), first, second)
				nodes[i].interrupt(t)
			}
		})
	}
}
