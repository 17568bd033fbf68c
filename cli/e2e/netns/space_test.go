//go:build e2e && linux

package netns

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// space is a network namespace without a name. It vanishes, with everything in it, when this
// process and those that it started there have ended, in whatever way.
type space struct{ file *os.File }

// ownSpace is the namespace that a thread of this process is in.
const ownSpace = "/proc/thread-self/ns/net"

func newSpace() (*space, error) {
	var s space
	err := elsewhere(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() (err error) {
		s.file, err = os.Open(ownSpace)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.run("", "ip", "link", "set", "lo", "up"); err != nil {
		s.close()
		return nil, err
	}
	return &s, nil
}

func (s *space) close() { s.file.Close() }

// path names the namespace to other programs.
func (s *space) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// do calls f in the namespace. What f starts or opens stays there.
func (s *space) do(f func() error) error {
	return elsewhere(func() error { return unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET) }, f)
}

// elsewhere moves this thread to another namespace for the call of f, and back.
func elsewhere(enter, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(ownSpace)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := enter(); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread is lost in a network namespace: %v", err))
		}
		runtime.UnlockOSThread()
	}()
	return f()
}

// run runs a program of the system's in the namespace to its end.
func (s *space) run(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := s.do(cmd.Start); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s%s", strings.Join(cmd.Args, " "), err, out.String(), stdin)
	}
	return nil
}

// dial opens a connection that begins in the namespace.
func (s *space) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = s.do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}
