package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestOthersDoNotSeeTheSecretOfALink(t *testing.T) {
	secret := strings.Repeat("b", 25) + "a"
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("relay", "watch", "relay://"+strings.Repeat("a", 52)+"@127.0.0.1:1#"+secret, "--config", dir, "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--admin", "off", "--no-discovery")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("#****")) && !bytes.Contains(b, []byte(secret)) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("others see %q", b)
		}
	}
}
