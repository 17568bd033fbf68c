package playback

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user and the group that a sandboxed program is, seen from inside, and from outside if
// this program runs as root.
const nobody = 65534

// What a sandboxed program may have.
const (
	sandboxMemory = 1 << 30 // of addresses, in bytes: ffmpeg with its libraries takes a third
	sandboxCPU    = 4       // seconds
	sandboxFiles  = 16      // open at a time
)

// sandboxed runs a program that reads in, and returns what it writes to its standard output, most
// bytes of it. It has namespaces of its own (namespaces(7)): no network but an unconnected loopback,
// no other process to see or to signal, no capability. Before it gets the first byte it has limits on
// memory, time and open files, and can write none. It is killed with the command's context, or when
// this program dies.
func sandboxed(cmd *exec.Cmd, in []byte, most int64) ([]byte, error) {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = nobody, nobody
	}
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/"} // no secret of ours
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}},
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true},
		Pdeathsig:   syscall.SIGKILL,
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EACCES) {
			return nil, errors.Join(errNoSandbox, err)
		}
		return nil, err
	}
	if err := bound(cmd.Process.Pid); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, errors.Join(errNoSandbox, err)
	}
	go func() { // ends with the program
		defer stdin.Close()
		stdin.Write(in)
	}()
	out, err := io.ReadAll(io.LimitReader(stdout, most+1))
	if int64(len(out)) > most {
		cmd.Process.Kill()
		err = errors.New("it writes too much")
	}
	return out, errors.Join(err, cmd.Wait())
}

// bound limits what a process may use.
func bound(pid int) error {
	for what, n := range map[int]uint64{
		unix.RLIMIT_AS: sandboxMemory, unix.RLIMIT_CPU: sandboxCPU, unix.RLIMIT_NOFILE: sandboxFiles,
		unix.RLIMIT_FSIZE: 0, unix.RLIMIT_CORE: 0,
	} {
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: n, Max: n}, nil); err != nil {
			return err
		}
	}
	return nil
}
