package ffmpeg

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// killed is how long the pipes of an ffmpeg that was killed may stay open: somebody else may hold their ends.
const killed = time.Second

// command prepares a run. ffmpeg ends with ctx.
func (p Program) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Env = environment(os.Environ())
	cmd.WaitDelay = killed
	withParent(cmd)
	return cmd
}

// environment is what ffmpeg gets of this process's: none of relay's own secrets, and nothing that has it write
// its arguments, with passwords in them, into a file, or colours into what it says.
func environment(all []string) []string {
	var env []string
	for _, e := range all {
		if name, _, _ := strings.Cut(e, "="); !strings.HasPrefix(name, "RELAY_") && name != "FFREPORT" && !strings.HasPrefix(name, "AV_LOG_FORCE") {
			env = append(env, e)
		}
	}
	return env
}

// onThread calls f on a thread of the system that stays until f returns: on Linux a process is ended with the
// thread that has started it (prctl(2), golang.org/issue/27505), and the runtime may end threads of its own.
func onThread(f func() error) error {
	done := make(chan error)
	go func() { // ends with f
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- f()
	}()
	return <-done
}

// run runs a command until it has ended.
func run(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	release := keep(cmd.Process)
	defer release()
	return cmd.Wait()
}

// Process is an ffmpeg that runs. Whoever starts it closes it.
type Process struct {
	// In is its standard input, nil if it was not asked for.
	In io.WriteCloser
	// Pid is its number, for people.
	Pid int

	out    *os.File
	said   *said
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // why, once done is closed; nil if it has done all it should
}

// Job is what ffmpeg is to do.
type Job struct {
	Args []string // to standard output, without those that all runs have
	// In has Start make a standard input that this side writes to.
	In bool
	// Hide are parts of the arguments that must not be shown, each with what is shown instead, as
	// [strings.NewReplacer] takes them.
	Hide []string
	// Said hears each line that ffmpeg says, without what is hidden, and cleaned; nil for nobody.
	Said func(line string)
}

// always are the arguments of each run that makes something. ffmpeg reads keys from a standard input that is not
// told otherwise.
var always = []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"}

// Start starts ffmpeg, which ends with ctx, with Close, and with this process.
func (p Program) Start(ctx context.Context, j Job) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, w, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	pr := &Process{out: r, said: newSaid(j), cancel: cancel, done: make(chan struct{})}
	cmd := p.command(ctx, append(append([]string(nil), always...), j.Args...))
	cmd.Stdout, cmd.Stderr = w, pr.said
	if j.In {
		if pr.In, err = cmd.StdinPipe(); err != nil {
			cancel()
			r.Close()
			w.Close()
			return nil, err
		}
	}
	started := make(chan error, 1)
	go func() { // ends with ffmpeg
		_ = onThread(func() error {
			err := cmd.Start()
			w.Close() // ffmpeg has it: the last that is written is followed by the end
			started <- err
			if err != nil {
				return nil
			}
			release := keep(cmd.Process)
			defer release()
			defer close(pr.done)
			if err := cmd.Wait(); err != nil {
				pr.err = pr.said.failed()
			}
			return nil
		})
	}()
	if <-started != nil {
		cancel()
		r.Close()
		return nil, &Error{Trouble: Broken}
	}
	pr.Pid = cmd.Process.Pid
	return pr, nil
}

// Read reads its standard output. At the end, io.EOF says that it has done all it should, and [*Error] what it
// could not.
func (p *Process) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if n > 0 || err == nil {
		return n, nil
	}
	if err := p.Wait(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// Wait waits until it has ended. Its error is [*Error], or nil.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Done is closed when it has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Close ends it, if it has not ended, and waits for that.
func (p *Process) Close() {
	p.cancel()
	<-p.done
	p.out.Close()
}
