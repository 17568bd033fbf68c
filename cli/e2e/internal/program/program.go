//go:build e2e

// Package program builds and starts what the end-to-end tests run.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Build builds relay into a file.
func Build(path string) error {
	if out, err := exec.Command("go", "build", "-o", path, "relay/cli/relay").CombinedOutput(); err != nil {
		return fmt.Errorf("build relay: %w\n%s", err, out)
	}
	return nil
}

// Command returns a program that ends when this process does, however that ends. It does not
// get the variables that set relay's flags. It can be found only on this machine, and looks for
// channels nowhere else.
func Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "RELAY_") })
	cmd.Env = append(cmd.Env, "RELAY_DISCOVERY_INTERFACES=lo", "RELAY_NO_PORT_MAPPING=true", "RELAY_NO_DHT=true")
	cmd.SysProcAttr = withParent()
	return cmd
}
