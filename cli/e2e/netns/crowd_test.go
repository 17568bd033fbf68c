//go:build e2e && linux

package netns

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"relay/cli/e2e/internal/wait"
)

// mix is a crowd by what stands between it and the Internet. Its source is closed as well, and
// has a helper.
type mix struct {
	open, restricted, symmetric int
	slots                       int // of each
	helper                      int // slots of the helper
}

// crowds are those that are tried. All leave places over for when those who have some are gone.
//
// With three slots everywhere the first has no tree, however it is built. Whoever is behind a symmetric
// router needs a parent that can be dialled: one of the open ones or the helper. Those have 5 × 3 = 15
// places, and there are 20. With 9 slots at the helper there would be one, if its source dialled two of
// the open ones and those behind routers the others, so that all 9 + 12 places were left for the 20
// and for one of those who can be met half-way, which has the others below it. But those who
// can serve have the places near the source; then it takes 16, and two more since nobody is sent to the
// source. With 24 all that are left have a place even when the four open ones are among the fifth that is
// killed at once.
var crowds = []struct {
	name string
	mix
	thorough bool // is left out of the short proof, which would take 20 s longer
}{
	{name: "one of seven can be dialled", mix: mix{open: 4, restricted: 6, symmetric: 20, slots: 3, helper: 24}},
	// Only those who can be dialled by nobody have places enough.
	{name: "nearly all have to be met half-way", mix: mix{open: 4, restricted: 26, slots: 3, helper: 3}, thorough: true},
}

// upload is stated, and is more than all slots need: else each node has room for three at first, and
// for one more each few seconds.
const upload = "100M"

// kinds lists the kind of each watcher: first those who can serve most.
func (m mix) kinds() []kind {
	return slices.Concat(slices.Repeat([]kind{open}, m.open), slices.Repeat([]kind{restricted}, m.restricted), slices.Repeat([]kind{symmetric}, m.symmetric))
}

// depth is how deep the tree is if everybody, those first who can serve most, has the place nearest
// to the source that there is then. It is 0 if there are not enough. The source has the helper for a
// child, and could dial others, though nobody is sent to it for that.
func (m mix) depth() int {
	type place struct {
		parent kind
		depth  int
	}
	free := slices.Concat(slices.Repeat([]place{{symmetric, 1}}, m.slots-1), slices.Repeat([]place{{open, 2}}, m.helper))
	deepest := 0
	for _, k := range m.kinds() {
		i := slices.IndexFunc(free, func(p place) bool { return canBeParent(p.parent, k) })
		if i < 0 {
			return 0
		}
		at := free[i].depth
		deepest = max(deepest, at)
		free = slices.Concat(free[:i], free[i+1:], slices.Repeat([]place{{k, at + 1}}, m.slots))
		slices.SortStableFunc(free, func(a, b place) int { return a.depth - b.depth })
	}
	return deepest
}

// TestWhichCrowdsHaveATree holds the arithmetic against the comment on crowds.
func TestWhichCrowdsHaveATree(t *testing.T) {
	m := mix{open: 4, restricted: 6, symmetric: 20, slots: 3}
	for helper, want := range map[int]int{3: 0, 15: 0, 16: 3, 24: 2} {
		if m.helper = helper; m.depth() != want {
			t.Errorf("with %d slots at the helper the tree is %d deep, want %d", helper, m.depth(), want)
		}
	}
}

// TestACrowdAtHomeIsServed has a crowd of which most can be dialled by nobody get the stream from a
// source that nobody can dial, and then somebody go who passes it on.
func TestACrowdAtHomeIsServed(t *testing.T) {
	for _, c := range crowds {
		if c.thorough && !thorough() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			seed := *seedFlag
			if seed == 0 {
				seed = rand.Uint64()
			}
			rng := rand.New(rand.NewPCG(seed, 0))
			t.Logf("seed %d", seed)
			s, ideal := newCrowd(t, rng, c.mix), c.depth()
			var sh shape
			wait.Until(t, "the tree is flat", func() error {
				if sh = s.shape(t); sh.depth > ideal+1 {
					return fmt.Errorf("it is %d deep, and could be %d:\n%v", sh.depth, ideal, sh)
				}
				return nil
			})
			t.Logf("%d watchers in a tree of depth %d, which could be %d:\n%v", len(s.watchers()), sh.depth, ideal, sh)
			chosen, times := chosenFaults(t), max(2, *runsFlag)
			if !thorough() && *faultsFlag == "" {
				chosen = slices.DeleteFunc(slices.Clone(allFaults), func(f fault) bool { return f.name != "kill" })
			}
			s.suffer(t, rng, chosen, func(fault) int { return times })
		})
	}
}

// newCrowd starts a crowd, in an order that rng chooses.
func newCrowd(t *testing.T, rng *rand.Rand, m mix) *swarm {
	t.Helper()
	n := newInternet(t)
	s := &swarm{internet: n, dir: folder(t), flags: []string{"--upload", upload}}
	add := func(name string, k kind) {
		w := newNode(n.reside(t, name, k).host, m.slots)
		w.name, w.num = name, len(s.nodes)
		s.nodes = append(s.nodes, w)
	}
	add("source", symmetric)
	helper := n.reside(t, "helper", open)
	kinds := m.kinds()
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i, k := range kinds {
		add(fmt.Sprintf("%s%02d", k, i), k)
	}
	s.launchAs(t, s.source(), "source") // for its link, without which there is no helper
	link := s.source().find(t, `(?m)^(relay://\S+)\n`)
	s.source().kill()
	h := helper.start(t, "helper", filepath.Join(s.dir, "helper.log"), relayBin, "serve", "--helper", link,
		"--upload", upload, "--max-children", strconv.Itoa(m.helper), "--config", filepath.Join(s.dir, "helper.keys"), "--verbose")
	s.via = []string{"--via", h.find(t, `--via (`+helper.wan()+`:\S+)`)}
	s.startSource(t)
	s.startWatchers(t)
	return s
}
