//go:build e2e

// Package contention tells how much longer programs take because others use the processors.
// A bound in seconds holds for a machine that has nothing else to do; on a busy one it is as
// many times longer.
package contention

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ran is how long a thread has run, and how long it has waited for a processor, in ns.
type ran struct{ on, waiting float64 }

// Gauge looks at this process, at the programs that it and its children have started, and at
// the whole machine.
type Gauge struct {
	before map[string]ran
	spent  float64 // by our programs, also by those that have ended, in ns
	busy   float64 // all processors, in ns
}

// Begin looks at them now.
func Begin() Gauge {
	ours := family()
	return Gauge{threads(ours), spent(ours), busy()}
}

// Factor returns how many times longer than on a machine of their own the programs have taken
// since Begin. They wait for each other there as well: of the time that they waited for a
// processor, that part counts for which others had the processors. It is 1 where the system
// does not tell (proc(5): schedstat, stat), and where there was nobody else.
func (g Gauge) Factor() float64 { return g.read().factor() }

// reading is what happened since a gauge began, in ns.
type reading struct {
	ran                 // our threads
	busy, spent float64 // all processors, and our processes
}

func (g Gauge) read() (r reading) {
	ours := family()
	for id, now := range threads(ours) {
		was := g.before[id] // zero for a new one
		r.on += now.on - was.on
		r.waiting += now.waiting - was.waiting
	}
	r.busy, r.spent = busy()-g.busy, spent(ours)-g.spent
	return r
}

func (r reading) factor() float64 {
	if r.on <= 0 || r.waiting <= 0 || r.spent < 0 || r.busy <= r.spent {
		return 1
	}
	return 1 + r.waiting/r.on*(r.busy-r.spent)/r.busy
}

// tick is the unit of /proc/stat and /proc/PID/stat in ns: the kernel shows a hundredth of a
// second everywhere.
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

// family returns this process and those below it.
func family() []int {
	ours := map[int]bool{os.Getpid(): true}
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is right
	for again := true; again; {                   // a parent may have a higher number than its child
		again = false
		for _, p := range processes {
			pid, _ := strconv.Atoi(filepath.Base(p))
			if !ours[pid] && ours[int(stat(pid)[parent])] {
				ours[pid], again = true, true
			}
		}
	}
	return slices.Collect(maps.Keys(ours))
}

// spent returns the processor time that processes have used, and those of their children that
// have ended, in ns.
func spent(processes []int) float64 {
	var sum float64
	for _, pid := range processes {
		s := stat(pid)
		for _, t := range s[userTime : childrenSystemTime+1] {
			sum += tick * t
		}
	}
	return sum
}

// Fields of /proc/PID/stat, counted from the one behind the state.
const (
	parent             = 0
	userTime           = 10
	childrenSystemTime = 13
)

// stat returns the numbers that the kernel tells of a process; zeros if it has ended.
func stat(pid int) [childrenSystemTime + 1]float64 {
	var s [childrenSystemTime + 1]float64
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s
	}
	// The name in brackets may hold anything; the state and the numbers follow it.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	for i, f := range fields[min(1, len(fields)):] {
		if i < len(s) {
			s[i], _ = strconv.ParseFloat(f, 64) // the kernel writes numbers
		}
	}
	return s
}

// threads looks at every thread of processes.
func threads(processes []int) map[string]ran {
	all := make(map[string]ran)
	for _, pid := range processes {
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
