//go:build e2e && linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the user and system time that a process has used. It is the sum of utime and
// stime in /proc/PID/stat, in ns instead of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED, as clock_getcpuclockid(3) puts it together
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// resident returns a process's resident memory in bytes.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, b, _ = bytes.Cut(b, []byte("VmRSS:"))
	var kb int
	if _, err := fmt.Sscan(string(b), &kb); err != nil {
		return 0, fmt.Errorf("VmRSS of process %d: %w", pid, err)
	}
	return kb << 10, nil
}

// coreTime returns the time for which a core has worked since the machine was started, for
// whomever: 0 where the system does not tell.
func coreTime(core int) time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(b), fmt.Sprintf("\ncpu%d ", core))
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscan(line, &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0
	}
	return time.Duration(user+nice+system+irq+softirq+steal) * (time.Second / 100) // USER_HZ
}

// loadAverage is that of the last minute, 0 where the system does not tell.
func loadAverage() (load float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(b), &load)
	return load
}
