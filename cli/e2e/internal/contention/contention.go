//go:build e2e

// Package contention tells how much longer programs take because they wait for a processor,
// be it for others' programs or for each other. A bound in seconds holds for a machine on which
// nothing waits; it is as many times longer where programs do. Tests that run several programs
// at once on two processors see a factor of 2 to 3 even when nothing else runs.
package contention

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// ran is how long a thread has run, and how long it has waited for a processor, in ns.
type ran struct{ on, waiting float64 }

// Gauge looks at the programs that this process and its children have started.
type Gauge struct{ before map[string]ran }

// Begin looks at them now.
func Begin() Gauge { return Gauge{threads()} }

// Factor is how many times longer than alone they have taken since Begin: the time that they
// ran or waited for a processor, over the time that they ran. It is 1 where the system does
// not tell (proc(5), schedstat), and where nothing waited.
func (g Gauge) Factor() float64 {
	var sum ran
	for id, now := range threads() {
		was := g.before[id] // zero for a new one
		sum.on += now.on - was.on
		sum.waiting += now.waiting - was.waiting
	}
	if sum.on <= 0 || sum.waiting <= 0 {
		return 1
	}
	return (sum.on + sum.waiting) / sum.on
}

// threads looks at every thread of the processes below this one.
func threads() map[string]ran {
	all := make(map[string]ran)
	ours := map[int]bool{os.Getpid(): true}
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is right
	for again := true; again; {                   // a parent may have a higher number than its child
		again = false
		for _, p := range processes {
			pid, _ := strconv.Atoi(filepath.Base(p))
			if !ours[pid] && ours[parentOf(p)] {
				ours[pid], again = true, true
			}
		}
	}
	delete(ours, os.Getpid())
	for pid := range ours {
		stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range stats {
			var r ran
			b, err := os.ReadFile(path)
			if err != nil {
				continue // it has ended
			}
			if _, err := fmt.Sscan(string(b), &r.on, &r.waiting); err == nil {
				all[path] = r
			}
		}
	}
	return all
}

// parentOf is the parent of the process at a path in /proc, 0 if it has ended.
func parentOf(path string) int {
	b, err := os.ReadFile(filepath.Join(path, "stat"))
	if err != nil {
		return 0
	}
	// The name in brackets may hold anything; state and parent follow it.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(string(fields[1]))
	return ppid
}
