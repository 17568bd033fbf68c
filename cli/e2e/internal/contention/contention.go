//go:build e2e

// Package contention tells how much longer programs take because others use the processors.
// A bound in seconds holds for a machine that has nothing else to do; on a busy one it is as
// many times longer.
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

// Gauge looks at this process, at the programs that it and its children have started, and at
// the whole machine.
type Gauge struct {
	before map[string]ran
	busy   float64 // of all processors, in ns
}

// Begin looks at them now.
func Begin() Gauge { return Gauge{threads(), busy()} }

// Factor is how many times longer than on a machine of their own the programs have taken since
// Begin. They wait for each other there as well: of the time that they waited for a processor,
// that part counts for which others had the processors. A thread that has ended by now is taken
// for somebody else's, so that the factor is a little too large where programs come and go (1.1
// to 1.8 was seen on a machine with nothing else to do). It is 1 where the system does not tell
// (proc(5): schedstat, stat), and where there was nobody else.
func (g Gauge) Factor() float64 {
	var sum ran
	for id, now := range threads() {
		was := g.before[id] // zero for a new one
		sum.on += now.on - was.on
		sum.waiting += now.waiting - was.waiting
	}
	all := busy() - g.busy
	if sum.on <= 0 || sum.waiting <= 0 || all <= sum.on {
		return 1
	}
	return 1 + sum.waiting/sum.on*(all-sum.on)/all
}

// tick is the unit of /proc/stat in ns: the kernel shows a hundredth of a second everywhere.
const tick = 1e7

// busy returns the time that all processors have worked since the machine was started, in ns.
func busy() float64 {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system, idle, iowait, irq, softirq, steal float64
	if _, err := fmt.Sscanf(string(b), "cpu %g %g %g %g %g %g %g %g", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0
	}
	return tick * (user + nice + system + irq + softirq + steal)
}

// threads looks at every thread of this process and of those below it.
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
