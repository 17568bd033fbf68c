package cli

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"relay/cli/term/termtest"
)

// alone runs relay without arguments on a terminal.
func alone(t *testing.T, p *termtest.PTY) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("relay")
	cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "RELAY_CONFIG="+t.TempDir()+"/keys",
		"RELAY_DISCOVERY_PORT="+freeUDP(t), "RELAY_DISCOVERY_INTERFACES="+loopbackName(t), "RELAY_LISTEN=127.0.0.1:0",
		"RELAY_HTTP=127.0.0.1:0", "RELAY_RTMP=127.0.0.1:0", "RELAY_ADMIN=off", "RELAY_NO_PORT_MAPPING=true", "RELAY_NO_DHT=true")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.TTY, p.TTY, p.TTY
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// Who types nothing but relay is asked what is wanted, by one key, and has the terminal back afterwards.
func TestNothingButRelayAsks(t *testing.T) {
	for name, c := range map[string]struct {
		key, sees string
		end       os.Signal // nil if it ends by itself
		code      int
	}{
		"broadcast": {"b", `This is: relay source(?s:.)*Server `, syscall.SIGINT, 130},
		"watch":     {"w", `This is: relay watch(?s:.)*(channel|network)`, syscall.SIGINT, -1},
		"help":      {"h", `Commands:`, nil, 0},
		"leave":     {"q", ``, nil, 0},
		"Ctrl-C":    {"\x03", ``, nil, 130},
		"ended":     {"", ``, syscall.SIGTERM, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := termtest.Open(t, 80, 50)
			before := p.Mode(t)
			cmd := alone(t, p)
			p.Sees(t, `One key, please`)
			if c.key != "" {
				p.Types(t, c.key)
			}
			p.Sees(t, c.sees)
			if c.end != nil {
				_ = cmd.Process.Signal(c.end)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); c.code >= 0 && code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if after := p.Mode(t); after != before {
				t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
			}
		})
	}
}
