package service

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
)

const (
	// askFor bounds how long a program of the system may take. The service has 15 s to end.
	askFor = 45 * time.Second
	// mostSaid bounds what is kept of what such a program says, in bytes.
	mostSaid = 64 << 10
)

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), mostSaid-b.Len())])
	return len(p), nil
}

// asked runs a program of the system and returns what it printed. The error has what it said.
func asked(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // for what it has started
	var out, wrong bounded
	cmd.Stdout, cmd.Stderr = &out, &wrong
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	said := strings.TrimSpace(wrong.String())
	if said == "" {
		said = strings.TrimSpace(out.String())
	}
	var exit *exec.ExitError
	if said == "" || !errors.As(err, &exit) {
		said = fault.Plain(err)
	}
	return out.String(), fault.Fail("", words.ServiceFailed, name+" "+strings.Join(args, " "), said)
}

// there reports whether the system has a program.
func there(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
