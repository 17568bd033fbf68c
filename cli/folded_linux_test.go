package cli

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"relay/cli/lang"
	"relay/cli/term"
	"relay/cli/term/termtest"
)

// copied finds what stays in one line, however wide that is: links, addresses, commands, files.
var copied = regexp.MustCompile(`://|\brelay [a-z]+|--[a-z]|/`)

// fits fails the test if a line that was printed on a terminal is too wide, and has nothing in it that must not be broken.
func fits(t *testing.T, printed string, cols int) {
	t.Helper()
	for l := range strings.SplitSeq(codes.ReplaceAllString(printed, ""), "\n") {
		l = strings.TrimRight(l, "\r")
		if w := term.Width(term.Cell{Text: l}); w > cols && !copied.MatchString(l) {
			t.Errorf("%d columns in a terminal of %d: %q", w, cols, l)
		}
	}
}

// TestMistakesFitTheTerminal compares what a terminal gets with what a pipe does: but for where lines end it is the same.
func TestMistakesFitTheTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := "relay://" + strings.Repeat("a", 52) + "@127.0.0.1:1"
	blank := regexp.MustCompile(`\s+`)
	for i, args := range []string{
		"watch relay://abc", "source " + dir + "/none.flv", "source --via x", "watch --plaier x", "serve", "watch " + link + " --offset x", "help tree", "help service",
	} {
		for j, code := range lang.Codes {
			if i%3 != j%3 { // each run reads its language anew
				continue
			}
			env := append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=1", "RELAY_CONFIG="+dir+"/keys")
			run := func(tty *os.File) (piped string) {
				cmd := exec.Command("relay", append(strings.Fields(args), "--lang", code)...)
				cmd.Env = env
				var b bytes.Buffer
				cmd.Stdout, cmd.Stderr = &b, &b
				if tty != nil {
					cmd.Stdout, cmd.Stderr = tty, tty
				}
				_ = cmd.Run() // its exit code is for the scripts
				return b.String()
			}
			want := run(nil)
			for _, cols := range []int{80, 40} {
				p := termtest.Open(t, uint16(cols), 50)
				run(p.TTY)
				_, _ = p.TTY.WriteString("\x04")
				got, _ := strings.CutSuffix(p.Sees(t, "\x04"), "\x04")
				fits(t, got, cols)
				if a, b := blank.ReplaceAllString(want, ""), blank.ReplaceAllString(got, ""); a != b {
					t.Errorf("relay %s in %s says to a pipe\n%s\nand in %d columns\n%s", args, code, want, cols, got)
				}
				if slices.Contains([]string{"ja", "zh-Hans"}, code) { // lines end elsewhere than at blanks
					continue
				}
				if a, b := strings.Fields(want), strings.Fields(got); !slices.Equal(a, b) {
					t.Errorf("relay %s in %s: a word is torn in %d columns:\n%s", args, code, cols, got)
				}
			}
		}
	}
}

// TestGreetingFitsTheTerminal starts a source that waits for an encoder.
func TestGreetingFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for i, code := range lang.Codes {
		for _, cols := range [][]int{{80, 40}, {40}, {80}}[i%3] {
			p := termtest.Open(t, uint16(cols), 50)
			cmd := exec.Command("relay", "source", "--no-discovery", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0",
				"--srt", "127.0.0.1:0", "--no-dht", "--no-port-mapping", "--private", "--config", t.TempDir()+"/keys", "--lang", code)
			cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=1")
			cmd.Stderr = p.TTY
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			greeting := p.Sees(t, `relay watch relay://(?s:.)*[a-z2-7]+\.flv(?s:.)*ffplay(?s:.)*\n`)
			_ = cmd.Process.Signal(syscall.SIGINT)
			_ = cmd.Wait() // its exit code is for the scripts
			fits(t, greeting, cols)
			for _, whole := range []string{`relay watch relay://[a-z2-7]{52}@\S+:\d+#\S+\r\n`, `rtmp://127\.0\.0\.1:\d+/live\r\n`, `http://127\.0\.0\.1:\d+/[a-z2-7]+\.flv\r\n`} {
				if !regexp.MustCompile(whole).MatchString(greeting) {
					t.Errorf("%s: %s is not in one line of %d columns:\n%s", code, whole, cols, greeting)
				}
			}
		}
	}
}
