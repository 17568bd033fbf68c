//go:build e2e && linux

package netns

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// asleep is how long all stand still: longer than any of them would wait for another.
const asleep = time.Minute

// TestAllWakeUpWhereTheyFellAsleep stops every node of a channel for a minute, as laptops do whose
// lids are closed in the same room.
func TestAllWakeUpWhereTheyFellAsleep(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	m := newMachine(t, "broadcaster", false)
	l.plug(t, m, "eth0", "10.77.0.1/24")
	src := m.broadcast(t, "finals", "--max-children", "1")
	link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	all := []*process{src}
	players := []*player{m.play(t, "player at the source", src.find(t, `(?m)^Watch +(http://\S+)\n`))}
	for i := range 3 { // in a row: an inner node, another, and a leaf
		v := newMachine(t, fmt.Sprint("viewer", i), false)
		l.plug(t, v, "eth0", fmt.Sprintf("10.77.0.%d/24", 20+i))
		w := v.relay(t, "watch", "watch", link, "--no-discovery", "--max-children", "1", "--config", v.dir+"/keys")
		w.find(t, `(?m)^Live: `)
		all = append(all, w)
		players = append(players, v.play(t, "player at "+v.dir[strings.LastIndex(v.dir, "/")+1:], w.find(t, `(?m)^(http://\S+)\n`)))
	}
	inTree := func(nodes int) error {
		out, errs, code := m.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 || len(trees.Channels[0].Nodes) != nodes {
			return fmt.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		for i, n := range trees.Channels[0].Nodes {
			if n.Lost > 0 || n.Orphan || n.Unheard {
				return fmt.Errorf("node %d lost %d, orphan %v, unheard %v", i, n.Lost, n.Orphan, n.Unheard)
			}
			if nodes == len(all) && n.Depth != i { // who wakes first may go elsewhere
				return fmt.Errorf("node %d is at depth %d", i, n.Depth)
			}
		}
		return nil
	}
	wait.Until(t, "all are in the tree", func() error { return inTree(4) })
	for _, p := range all {
		p.signal(t, syscall.SIGSTOP)
	}
	time.Sleep(asleep) // there is nothing to wait for: nobody does anything
	for _, p := range all {
		p.signal(t, syscall.SIGCONT)
	}
	began := time.Now()
	for _, p := range players {
		var after time.Duration
		wait.Until(t, p.name+" plays on", func() error {
			var ok bool
			if after, ok = p.playsAfter(began); !ok {
				return cmp.Or(p.broken(), errors.New("nothing has come since they woke up"))
			}
			return nil
		})
		t.Logf("%s: something came %v after they woke up", p.name, after.Round(time.Millisecond))
	}
	late := newMachine(t, "late", false)
	l.plug(t, late, "eth0", "10.77.0.30/24")
	late.relay(t, "late", "watch", link, "--no-discovery", "--config", late.dir+"/keys").find(t, `(?m)^Live: `)
	t.Logf("the link works %v after they woke up", time.Since(began).Round(time.Millisecond))
	wait.Until(t, "all are in the tree, and have lost nothing", func() error { return inTree(5) })
}
