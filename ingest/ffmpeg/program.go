package ffmpeg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strconv"
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
	// Format is the version of its libavformat, major and minor: builds of the newest source have no other number.
	Format [2]int
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
	p.Version, p.Format = versionIn(out)
	return p, nil
}

var (
	versionLine = regexp.MustCompile(`^ffmpeg version (\S+)`)
	formatLine  = regexp.MustCompile(`(?m)^libavformat\s+(\d{1,4})\.\s*(\d{1,4})\.`)
)

// versionIn reads what "ffmpeg -version" says.
func versionIn(out string) (version string, format [2]int) {
	if m := versionLine.FindStringSubmatch(out); m != nil {
		version = oneline.Clean(m[1], 40)
	}
	if m := formatLine.FindStringSubmatch(out); m != nil {
		format[0], _ = strconv.Atoi(m[1])
		format[1], _ = strconv.Atoi(m[2])
	}
	return version, format
}

// v6_1 is the libavformat of ffmpeg 6.1.
var v6_1 = [2]int{60, 16}

// since reports whether ffmpeg is of that version or later.
func (p Program) since(format [2]int) bool {
	return p.Format[0] > format[0] || p.Format[0] == format[0] && p.Format[1] >= format[1]
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
