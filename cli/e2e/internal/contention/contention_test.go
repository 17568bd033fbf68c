//go:build e2e

package contention

import (
	"os/exec"
	"testing"
	"time"
)

// Three programs that want the same processor all the time have a third of it each.
func TestProgramsThatShareAProcessorTakeLonger(t *testing.T) {
	for range 3 {
		cmd := exec.Command("taskset", "-c", "0", "sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	time.Sleep(200 * time.Millisecond) // they are loops by then, and no longer taskset
	g := Begin()
	time.Sleep(2 * time.Second)
	if f := g.Factor(); f < 2.5 {
		t.Errorf("each takes %.2f times as long as alone, want 3 at least or a little less", f)
	}
}

func TestNobodyWaitsAlone(t *testing.T) {
	if f := Begin().Factor(); f != 1 {
		t.Errorf("nothing was started, and takes %.2f times as long", f)
	}
}
