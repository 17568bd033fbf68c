package ffmpeg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"relay/relay/oneline"
)

// ErrNone says that there is no ffmpeg on PATH.
var ErrNone = errors.New("ffmpeg is not installed, or not on PATH")

const (
	// askPatience is how long ffmpeg may take to answer a question about itself or this machine. The first start
	// after a boot reads some 100 MB of libraries.
	askPatience = 10 * time.Second
	// answerMost bounds how much of an answer is read, in bytes.
	answerMost = 256 << 10
)

// Program is an ffmpeg that is installed.
type Program struct {
	Path    string
	Version string // as it says itself, printable; "" if it does not
	Major   int    // 0 if the version does not tell, as that of a build from the newest source
	Minor   int
}

// Find looks for ffmpeg on PATH and asks for its version. [ErrNone] says that there is none.
func Find(ctx context.Context) (Program, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return Program{}, ErrNone
	}
	p := Program{Path: path}
	out, _, err := p.ask(ctx, "-version")
	if err != nil && out == "" {
		return Program{}, &Error{Trouble: Broken}
	}
	p.Version, p.Major, p.Minor = versionIn(out)
	return p, nil
}

var versionLine = regexp.MustCompile(`^ffmpeg version (\S+)`)

// versionIn reads what "ffmpeg -version" begins with: "ffmpeg version n7.1-2-g1234 Copyright", "5.1.9-0+deb12u1".
func versionIn(out string) (version string, major, minor int) {
	m := versionLine.FindStringSubmatch(out)
	if m == nil {
		return "", 0, 0
	}
	parts := strings.SplitN(strings.TrimPrefix(m[1], "n"), ".", 3)
	if n, err := strconv.Atoi(parts[0]); err == nil && n < 1000 { // 20240101 is a day
		major = n
		if len(parts) > 1 {
			minor, _ = strconv.Atoi(leadingDigits(parts[1]))
		}
	}
	return oneline.Clean(m[1], 40), major, minor
}

func leadingDigits(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		return s[:i]
	}
	return s
}

// since reports whether ffmpeg is of that version or later. One that does not tell is taken for a new one.
func (p Program) since(major, minor int) bool {
	return p.Major == 0 || p.Major > major || p.Major == major && p.Minor >= minor
}

// ask runs ffmpeg until it ends, and returns what it wrote.
func (p Program) ask(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	var out, said capped
	err = onThread(func() error {
		cmd := p.command(ctx, args)
		cmd.Stdout, cmd.Stderr = &out, &said
		return run(cmd)
	})
	return out.String(), said.String(), err
}

// Works reports whether ffmpeg can do what the arguments say.
func (p Program) Works(ctx context.Context, args ...string) bool {
	_, _, err := p.ask(ctx, append([]string{"-hide_banner", "-nostdin", "-loglevel", "error"}, args...)...)
	return err == nil
}

// capped keeps the beginning of what is written to it.
type capped struct{ bytes.Buffer }

func (c *capped) Write(b []byte) (int, error) {
	c.Buffer.Write(b[:min(len(b), max(answerMost-c.Len(), 0))])
	return len(b), nil
}

var _ io.Writer = (*capped)(nil)
