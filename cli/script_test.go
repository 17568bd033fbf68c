package cli

import (
	"errors"
	stdflag "flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"relay/cli/flag"
)

func TestMain(m *testing.M) {
	// Tests read English, whatever this machine's user does. The commands that they run, which come by here too, get it
	// from their environment, unless a script sets another.
	if filepath.Base(os.Args[0]) != "relay" {
		if err := os.Setenv("RELAY_LANG", "en"); err != nil {
			panic(err) // it is a good name
		}
	}
	// Scripts mostly wait for the programs that they start.
	if err := stdflag.Set("test.parallel", "6"); err != nil {
		panic(err) // go test has this flag
	}
	testscript.Main(m, map[string]func(){
		"relay": func() { os.Exit(Main(flag.Conceal(os.Args), Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) },
	})
}

// patience bounds every wait for a process; nothing takes that long.
const patience = 2 * time.Minute

// running is the key of a script's map from names to the processes that the script started.
type running struct{}

// TestScripts runs testdata/cli/*.txtar. Besides the commands of testscript a
// script has relay and
//
//	exits CODE COMMAND [ARG...]     run it; the exit code must be CODE, or one of CODE|CODE
//	start NAME COMMAND [ARG...]     run it behind the script, output to NAME.out and NAME.err, input from NAME.in if that is there
//	sees FILE REGEXP                wait until the file matches
//	find VAR FILE REGEXP            wait for that too, and set VAR to the expression's group
//	interrupt NAME CODE             send SIGINT; the exit code must be CODE
//	dns FILE                        have the script's own name server, at $DNS, say what is in a zone file
//	occupy HOST PORT                take a port up to flag.MaxOffset above PORT: $TAKEN, at --offset $OFFSET
//
// and in its environment ID, a channel ID; LINK, a link that nobody answers; CLIP,
// an FLV file; BIN, a folder with relay alone; and ESC, the control character.
func TestScripts(t *testing.T) {
	clip, err := filepath.Abs("../testdata/flv/video.flv")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := exec.LookPath("relay")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "../testdata/cli",
		Setup: func(e *testscript.Env) error {
			id := strings.Repeat("a", 52)
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
			e.Setenv("ID", id)
			e.Setenv("LINK", "relay://"+id+"@127.0.0.1:1")
			e.Setenv("CLIP", clip)
			e.Setenv("ESC", "\x1b")
			// Scripts neither meet each other nor leave this machine.
			e.Setenv("RELAY_DISCOVERY_PORT", freeUDP(t))
			e.Setenv("RELAY_DISCOVERY_INTERFACES", loopbackName(t))
			e.Setenv("RELAY_NO_PORT_MAPPING", "true") // this machine's router is none of the tests' business
			e.Setenv("RELAY_NO_DHT", "true")
			e.Setenv("BIN", filepath.Dir(bin))
			e.Values[running{}] = make(map[string]*exec.Cmd)
			server, err := startNameServer(e)
			if err != nil {
				return err
			}
			e.Setenv("DNS", server)
			e.Setenv("RELAY_RESOLVER", server)
			return os.Mkdir(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"start":     start,
			"sees":      sees,
			"find":      find,
			"interrupt": interrupt,
			"occupy":    occupy,
			"dns":       serveZone,
		},
	})
}

// freeUDP returns a UDP port that is free.
func freeUDP(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
}

func loopbackName(t *testing.T) string {
	t.Helper()
	ifs, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range ifs {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Fatal("this machine has no loopback interface")
	return ""
}

func needs(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) >= 2, "exits CODE COMMAND [ARG...]")
	checkExit(ts, ts.Exec(args[1], args[2:]...), args[0])
}

func checkExit(ts *testscript.TestScript, err error, want string) {
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if !slices.Contains(strings.Split(want, "|"), strconv.Itoa(code)) {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) >= 2, "start NAME COMMAND [ARG...]")
	name := args[0]
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, k := range []string{"HOME", "XDG_CONFIG_HOME", "PATH", "GOCOVERDIR", "RELAY_DISCOVERY_PORT", "RELAY_DISCOVERY_INTERFACES", "RELAY_NO_PORT_MAPPING", "RELAY_NO_DHT", "RELAY_PASSPHRASE", "RELAY_RESOLVER"} {
		cmd.Env = append(cmd.Env, k+"="+ts.Getenv(k))
	}
	stdout, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	defer stdout.Close() // the process has its own descriptor
	stderr, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if stdin, err := os.Open(ts.MkAbs(name + ".in")); err == nil {
		defer stdin.Close()
		cmd.Stdin = stdin
	}
	ts.Check(cmd.Start())
	ts.Value(running{}).(map[string]*exec.Cmd)[name] = cmd
	ts.Defer(func() {
		if cmd.ProcessState == nil { // the script failed before it ended this one
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
}

func sees(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) == 2, "sees FILE REGEXP")
	waitFor(ts, args[0], args[1])
}

func find(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) == 3, "find VAR FILE REGEXP")
	m := waitFor(ts, args[1], args[2])
	needs(ts, false, len(m) == 2, "find VAR FILE REGEXP, with one group in it")
	ts.Setenv(args[0], m[1])
}

// waitFor waits until the file matches, and returns the match with its groups.
func waitFor(ts *testscript.TestScript, file, exp string) []string {
	want, err := regexp.Compile("(?m)" + exp)
	ts.Check(err)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got := ts.ReadFile(file)
		if m := want.FindStringSubmatch(got); m != nil {
			return m
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not come to match %q:\n%s", file, exp, got)
		}
	}
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) == 2, "interrupt NAME CODE")
	cmd := ts.Value(running{}).(map[string]*exec.Cmd)[args[0]]
	if cmd == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	err := cmd.Wait()
	late.Stop()
	ts.Logf("%s", ts.ReadFile(args[0]+".err"))
	checkExit(ts, err, args[1])
}

func occupy(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) == 2, "occupy HOST PORT")
	base, err := strconv.Atoi(args[1])
	ts.Check(err)
	for range 100 {
		off := rand.IntN(flag.MaxOffset)
		addr := net.JoinHostPort(args[0], strconv.Itoa(base+off))
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue // another program has it
		}
		ts.Defer(func() { ln.Close() })
		ts.Setenv("TAKEN", addr)
		ts.Setenv("OFFSET", fmt.Sprint(off))
		return
	}
	ts.Fatalf("no port is free on %s", args[0])
}
