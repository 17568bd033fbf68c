//go:build e2e

package contention

import (
	"os/exec"
	"testing"
	"time"
)

// loops starts programs that want the same processor all the time.
func loops(t *testing.T, n int) {
	t.Helper()
	for range n {
		cmd := exec.Command("taskset", "-c", "0", "sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
}

// look waits until three programs on one processor have waited, as the kernel tells.
func look(t *testing.T, g Gauge) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var waited float64
		for id, now := range threads(family()) {
			waited += now.waiting - g.before[id].waiting
		}
		if waited >= 2e9 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the programs have waited for %.1f s alone", waited/1e9)
		}
	}
}

// As if others had had the processors for nearly all of the time.
func TestWaitingForOthersCounts(t *testing.T) {
	loops(t, 3)
	g := Begin()
	look(t, g)
	r := g.read()
	own := r.factor()
	r.busy += 1e15 // others have had the processors nearly all of the time
	if f := r.factor(); f < 2.5 || f < own {
		t.Errorf("three programs on one processor, which others had: %.2f times as long; with nobody else %.2f", f, own)
	}
}

func TestNobodyWaitsAlone(t *testing.T) {
	g := Begin()
	g.busy = busy() + 1e15 // the machine has done nothing else
	loops(t, 3)
	if look(t, Gauge{before: g.before}); g.Factor() != 1 {
		t.Errorf("with nobody else they take %.2f times as long", g.Factor())
	}
}

// A program that has ended is not taken for somebody else's.
func TestWhatHasEndedWasOurs(t *testing.T) {
	had := spent(family())
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if got := time.Duration(spent(family()) - had); used == 0 || got < used-20*time.Millisecond {
		t.Errorf("%v are counted, of which the program took %v", got, used)
	}
}
