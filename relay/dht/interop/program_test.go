package interop

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	other "github.com/anacrolix/dht/v2"
)

// patience bounds every wait for the program; nothing takes that long.
const patience = time.Minute

// root is the folder of the module with the program.
const root = "../../.."

// program builds it.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "relay")
	cmd := exec.Command("go", "build", "-o", bin, "./cli/relay")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// folder returns a new one for a configuration.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "relay")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// process is one that runs.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log string // a file
}

// start runs the program at addresses of this machine alone, with a configuration folder of its own.
func start(t *testing.T, bin, home string, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: filepath.Join(t.TempDir(), "log")}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(bin, append(args, "--no-discovery", "--no-port-mapping", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "off", "--config", home)...)
	p.cmd.Env = append(os.Environ(), "HOME="+home)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill() // it may have ended
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			b, _ := os.ReadFile(p.log)
			t.Logf("%s:\n%s", strings.Join(args, " "), b)
		}
	})
	return p
}

// run runs the program to its end, and returns its standard output.
func run(t *testing.T, bin, home string, args ...string) string {
	t.Helper()
	cmd := exec.Command(bin, append(args, "--config", home)...)
	cmd.Env = append(os.Environ(), "RELAY_DISCOVERY_INTERFACES=lo", "RELAY_DISCOVERY_PORT=17146")
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("relay %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// sees waits until the process has said something, and returns the expression's group.
func (p *process) sees(expr string) string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + expr)
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(p.log)
		if err != nil {
			p.t.Fatal(err)
		}
		if m := re.FindSubmatch(b); m != nil {
			return string(m[len(m)-1])
		}
	}
	p.t.Fatalf("%s is not said", expr)
	return ""
}

// end interrupts it, and waits for the end.
func (p *process) end(how os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(how); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // its code is that of the signal
}

// byID has real processes find each other among nodes of another kind, and look a stale link up.
func byID(t *testing.T, bin string, nodes []*other.Server) {
	dht := []string{"--dht-bootstrap", nodes[7].Addr().String()}
	clip, err := filepath.Abs(root + "/testdata/flv/video.flv")
	if err != nil {
		t.Fatal(err)
	}
	home := folder(t)
	source := func(more ...string) (*process, string) {
		p := start(t, bin, home, append(append([]string{"source", clip, "--loop"}, dht...), more...)...)
		return p, p.sees(`relay watch (relay://\S+@\S+)$`)
	}
	// watch says how soon there is something to see; the log of the process says how it was found.
	watch := func(link string) (p *process, home string) {
		out, home := filepath.Join(t.TempDir(), "out.flv"), folder(t)
		begun := time.Now()
		p = start(t, bin, home, append([]string{"watch", link, "-o", out}, dht...)...)
		p.sees("^Live: ")
		t.Logf("%s is live after %v", link, time.Since(begun).Round(10*time.Millisecond))
		for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			if b, err := os.ReadFile(out); err == nil && bytes.HasPrefix(b, []byte("FLV")) && len(b) > 10_000 {
				return p, home
			} else if time.Since(begun) > patience {
				t.Fatalf("%d bytes of the stream, %v", len(b), err)
			}
		}
	}

	p, link := source("--public", "--title", "Finals")
	p.sees("^Whoever has the channel's ID can look this machine's address up")
	p.sees("^The channel can be found by its ID: 8 nodes")
	id, at, _ := strings.Cut(link, "@")
	w, _ := watch(id)
	w.sees("^The link names no address: the channel is looked up by its ID")
	w.sees(`^Found "Finals" by its ID in the BitTorrent DHT, as its source said \d+s ago\.$`)
	w.end(syscall.SIGINT)

	// The source's address becomes another: a link to the old one is stale.
	p.end(syscall.SIGINT)
	p, now := source("--public", "--title", "Finals")
	p.sees("^The channel can be found by its ID: 8 nodes")
	if _, next, _ := strings.Cut(now, "@"); next == at {
		t.Fatalf("the source is at %s again", at)
	}
	w, _ = watch(id + "@" + at)
	w.sees(`^Found "Finals" by its ID`)
	w.end(syscall.SIGINT)

	// Who follows it by its ID alone is told that it is live.
	follower := folder(t)
	run(t, bin, follower, "follow", strings.TrimPrefix(id, "relay://"), "finals")
	if out := run(t, bin, follower, append([]string{"list"}, dht...)...); !regexp.MustCompile(`(?m)^finals +live .*Finals$`).MatchString(out) {
		t.Errorf("relay list says\n%s", out)
	}

	// Whose link works looks nothing up, and has nodes for another day from its parent.
	w, theirs := watch(now)
	w.end(syscall.SIGINT)
	if b, err := os.ReadFile(w.log); err != nil || bytes.Contains(b, []byte("DHT")) {
		t.Errorf("with a good link it says of the DHT: %v\n%s", err, b)
	}
	if b, err := os.ReadFile(filepath.Join(theirs, "dht.nodes")); err != nil || bytes.Count(b, []byte("\n")) < 8 {
		t.Errorf("a watcher is told of %d nodes, %v", bytes.Count(b, []byte("\n")), err)
	}
	if b, err := os.ReadFile(filepath.Join(home, "dht.nodes")); err != nil || bytes.Count(b, []byte("\n")) < 8 {
		t.Errorf("the source keeps %d lines of nodes, %v", bytes.Count(b, []byte("\n")), err)
	}
	if fi, err := os.Stat(filepath.Join(home, "dht.nodes")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("their file is %v, %v", fi, err)
	}
}

// counting is a socket that counts what it is sent.
func counting(t *testing.T) (at string, got *atomic.Int64) {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	got = new(atomic.Int64)
	go func() { // ends with the socket
		for b := make([]byte, 2000); ; got.Add(1) {
			if _, _, err := socket.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	return socket.LocalAddr().String(), got
}

// silent has both sides keep away from the DHT.
func silent(t *testing.T, bin string) {
	quiet, none := counting(t)
	open, some := counting(t)
	stale := []string{"watch", "relay://" + strings.Repeat("b", 51) + "a@127.0.0.1:1", "--timeout", "3s", "--dht-bootstrap"}
	start(t, bin, folder(t), "source", "--rtmp", "127.0.0.1:0", "--no-dht", "--dht-bootstrap", quiet).sees(`relay watch (relay://\S+@\S+)$`)
	start(t, bin, folder(t), "source", "--rtmp", "127.0.0.1:0", "--dht-bootstrap", quiet).sees(`relay watch (relay://\S+@\S+)$`) // which is not public
	w, without := start(t, bin, folder(t), append(slices.Clone(stale), open)...), start(t, bin, folder(t), append(stale, quiet, "--no-dht")...)
	for _, p := range []*process{w, without} {
		_ = p.cmd.Wait() // after 3 s, with a code that says so
	}
	if none.Load() != 0 || some.Load() == 0 {
		t.Errorf("%d packets were sent by those that take no part, and %d by one that does", none.Load(), some.Load())
	}
}
