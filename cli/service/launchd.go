package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
)

// launchd is the manager of macOS.
type launchd struct{ h Here }

func (l launchd) file() string {
	return filepath.Join(l.h.Home, "Library", "LaunchAgents", label+".plist")
}

// domain is where the services of a user are who is logged in at the screen.
func (l launchd) domain() string { return fmt.Sprintf("gui/%d", l.h.UID) }

func (l launchd) ready(context.Context) error {
	switch {
	case l.h.Sudo:
		return fault.Fail(words.ServiceSudoHint, words.ServiceSudo)
	case !there("launchctl"):
		return fault.Fail(words.ServiceByHand, words.ServiceNoProgram, "launchctl")
	}
	return nil
}

func (l launchd) install(ctx context.Context, w What, force bool) error {
	if err := check(l.file(), force); err != nil {
		return err
	}
	w.Args = Logged(l.h.Log, w.Args)
	if err := write(l.file(), Plist(w)); err != nil {
		return fault.Fail("", "%w", err)
	}
	l.h.T.Say(words.ServiceWrote, l.file())
	l.h.T.Say(words.ServiceRuns, w.command())
	// One that is there already has to go first; that fails if there is none.
	_, _ = asked(ctx, "launchctl", "bootout", l.domain()+"/"+label)
	if _, err := asked(ctx, "launchctl", "bootstrap", l.domain(), l.file()); err != nil {
		return &fault.Error{Err: err, Hint: words.ServiceNoScreenHint, Code: fault.ExitRuntime}
	}
	l.h.T.Say(words.ServiceStartedAtLogin)
	l.h.T.Say(words.ServiceNext, "tail -f "+l.h.Log)
	return nil
}

func (l launchd) remove(ctx context.Context, force bool) error {
	if _, err := os.Lstat(l.file()); errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Err: errors.New(words.ServiceNotInstalled), Hint: words.ServiceInstallHint, Code: fault.ExitNobody}
	}
	if err := check(l.file(), force); err != nil {
		return err
	}
	_, booted := asked(ctx, "launchctl", "bootout", l.domain()+"/"+label)
	if err := os.Remove(l.file()); err != nil {
		return fault.Fail("", "%w", err)
	}
	l.h.T.Say(words.ServiceRemoved, l.file())
	if booted != nil { // it did not run; or it runs on until its user logs out
		if _, err := asked(ctx, "launchctl", "print", l.domain()+"/"+label); err == nil {
			return booted
		}
	}
	return nil
}

func (l launchd) status(ctx context.Context) (Status, error) {
	st := Status{File: l.file(), Log: l.h.Log}
	if _, err := os.Lstat(l.file()); err != nil {
		return Status{}, nil
	}
	st.Installed, st.Boot = true, true
	st.Lines = newestOf(l.h.Log)
	said, err := asked(ctx, "launchctl", "print", l.domain()+"/"+label)
	if err != nil {
		st.Trouble = "launchd does not know it"
		return st, nil
	}
	st.Running, st.Process, st.Trouble = launchdStatus(said)
	if st.Running {
		if said, err := asked(ctx, "ps", "-o", "lstart=", "-p", strconv.Itoa(st.Process)); err == nil {
			st.Since, _ = time.ParseInLocation("Mon Jan _2 15:04:05 2006", strings.TrimSpace(said), time.Local)
		}
	}
	return st, nil
}

var (
	launchdPID  = regexp.MustCompile(`(?m)^\s*pid = (\d+)$`)
	launchdExit = regexp.MustCompile(`(?m)^\s*last exit code = (.+)$`)
	launchdIs   = regexp.MustCompile(`(?m)^\s*state = (.+)$`)
)

// launchdStatus reads what `launchctl print` says, which is meant for people: of what is not there,
// nothing is known.
func launchdStatus(said string) (running bool, pid int, trouble string) {
	if m := launchdPID.FindStringSubmatch(said); m != nil {
		pid, _ = strconv.Atoi(m[1])
	}
	if pid > 0 {
		return true, pid, ""
	}
	if m := launchdIs.FindStringSubmatch(said); m != nil {
		trouble = m[1]
	}
	if m := launchdExit.FindStringSubmatch(said); m != nil && m[1] != "(never exited)" {
		trouble += ", exit code " + m[1]
	}
	return false, 0, trouble
}
