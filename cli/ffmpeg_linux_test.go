package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An ffmpeg that outlived relay would hold the camera, and its light would stay on.
func TestFFmpegEndsWhenRelayIsKilled(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	clip := filepath.Join(dir, "clip.avi")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=60", "-c:v", "mpeg4", "-q:v", "2", clip).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command("relay", "source", clip, "--loop", "--config", dir, "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--admin", "off", "--no-discovery", "--no-port-mapping", "--verbose")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	pid := 0
	for lines := bufio.NewScanner(said); pid == 0 && lines.Scan(); {
		var entry struct {
			Msg string
			Pid int
		}
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "ffmpeg runs" {
			pid = entry.Pid
		}
	}
	if pid == 0 || !runsFFmpeg(pid) {
		t.Fatalf("ffmpeg does not run (%d)", pid)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); runsFFmpeg(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("ffmpeg has outlived relay")
		}
	}
}

// runsFFmpeg reports whether a process is an ffmpeg that has not ended.
func runsFFmpeg(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), "(ffmpeg)") && !strings.Contains(string(stat), ") Z ")
}
