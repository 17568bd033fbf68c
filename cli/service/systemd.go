package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
)

// systemd is the manager of a user's own services on Linux: `systemctl --user`.
type systemd struct{ h Here }

const unitName = Name + ".service"

func (s systemd) file() string { return filepath.Join(s.h.Config, "systemd", "user", unitName) }

func (s systemd) ctl(ctx context.Context, args ...string) (string, error) {
	return asked(ctx, "systemctl", append([]string{"--user"}, args...)...)
}

func (s systemd) ready(ctx context.Context) error {
	switch {
	case s.h.Sudo:
		return fault.Fail(words.ServiceSystemHint, words.ServiceSudo)
	case !there("systemctl"):
		return fault.Fail(words.ServiceByHand, words.ServiceNoSystemd)
	}
	if _, err := s.ctl(ctx, "show", "--property=Version"); err != nil {
		return fault.Fail(words.ServiceNoSessionHint, "your own systemd, which runs a user's services, cannot be asked here: %w", err)
	}
	return nil
}

func (s systemd) install(ctx context.Context, w What, force bool) error {
	if err := check(s.file(), force); err != nil {
		return err
	}
	if err := write(s.file(), Unit(w)); err != nil {
		return fault.Fail("", "%w", err)
	}
	s.h.T.Say(words.ServiceWrote, s.file())
	s.h.T.Say(words.ServiceRuns, w.command())
	// Restarted, so that one that runs already does what it is to do now.
	for _, step := range [][]string{{"daemon-reload"}, {"enable", unitName}, {"restart", unitName}} {
		if _, err := s.ctl(ctx, step...); err != nil {
			return err
		}
	}
	if s.lingers(ctx) {
		s.h.T.Say(words.ServiceStartedAtBoot)
	} else {
		s.h.T.Say(words.ServiceStartedAtLogin)
		s.h.T.Hint(words.ServiceLinger)
	}
	s.h.T.Say(words.ServiceNext, "journalctl --user --unit relay --follow")
	return nil
}

// lingers reports whether the user's services run while the user is not logged in.
func (s systemd) lingers(ctx context.Context) bool {
	said, err := asked(ctx, "loginctl", "show-user", strconv.Itoa(s.h.UID), "--property=Linger", "--value")
	return err == nil && strings.TrimSpace(said) == "yes"
}

func (s systemd) remove(ctx context.Context, force bool) error {
	if _, err := os.Lstat(s.file()); errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Err: errors.New(words.ServiceNotInstalled), Hint: words.ServiceInstallHint, Code: fault.ExitNobody}
	}
	if err := check(s.file(), force); err != nil {
		return err
	}
	if _, err := s.ctl(ctx, "disable", "--now", unitName); err != nil {
		return err
	}
	if err := os.Remove(s.file()); err != nil {
		return fault.Fail("", "%w", err)
	}
	if _, err := s.ctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	s.h.T.Say(words.ServiceRemoved, s.file())
	return nil
}

func (s systemd) status(ctx context.Context) (Status, error) {
	said, err := s.ctl(ctx, "show", unitName, "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,ActiveEnterTimestamp,InactiveEnterTimestamp,MainPID,UnitFileState,FragmentPath")
	if err != nil {
		return Status{}, err
	}
	st := systemdStatus(said)
	if !st.Installed {
		return st, nil
	}
	st.Log = "journalctl --user --unit relay"
	if there("journalctl") {
		if lines, err := asked(ctx, "journalctl", "--user", "--unit", Name, "--lines", "5", "--no-pager", "--output", "short-iso"); err == nil {
			st.Lines = newest(lines)
		}
	}
	return st, nil
}

// systemdStatus reads what `systemctl show` says.
func systemdStatus(said string) (st Status) {
	p := map[string]string{}
	for line := range strings.Lines(said) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			p[k] = v
		}
	}
	st.Installed = p["LoadState"] == "loaded"
	st.Running = p["ActiveState"] == "active"
	st.Boot = strings.HasPrefix(p["UnitFileState"], "enabled")
	st.File = p["FragmentPath"]
	st.Process, _ = strconv.Atoi(p["MainPID"])
	stamp := p["InactiveEnterTimestamp"]
	if st.Running {
		stamp = p["ActiveEnterTimestamp"]
	}
	st.Since, _ = time.ParseInLocation("Mon 2006-01-02 15:04:05 MST", stamp, time.Local)
	if st.Installed && !st.Running {
		st.Trouble = p["ActiveState"] + " (" + p["SubState"] + ")"
		if r := p["Result"]; r != "" && r != "success" {
			st.Trouble += ", " + r + ", exit code " + p["ExecMainStatus"]
		}
	}
	return st
}
