package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The programs that the script runs are replaced by one that notes how it was called, and fails where
// the machine that is meant would have it fail.
const noted = `#!/bin/sh
echo "${0##*/} $*" >>"$NOTES"
! grep -qxF "${0##*/} $*" "$FAILING"
`

func TestAfterInstallationTheLinksAreForTheServiceAlone(t *testing.T) {
	const (
		noUser     = "getent -s files passwd relay"
		noneAtAll  = "getent passwd relay"
		noGroup    = "getent group relay"
		inactive   = "systemctl --quiet is-active relay.service"
		noOverride = "dpkg-statoverride --list ETC/relay/channels"
		addGroup   = "groupadd --system relay"
		addUser    = "useradd --system --gid relay --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin relay"
		chown      = "chown root:relay ETC/relay/channels"
		chmod      = "chmod 640 ETC/relay/channels"
		reload     = "systemctl daemon-reload"
		restart    = "systemctl try-restart relay.service"
	)
	for name, c := range map[string]struct {
		action  string
		systemd bool
		failing []string
		changes []string // of what is called, what is no question
	}{
		"at first": {
			"configure", true,
			[]string{noUser, noneAtAll, noGroup, inactive, noOverride},
			[]string{addGroup, addUser, chown, chmod, reload, restart},
		},
		"without systemd": {
			"configure", false,
			[]string{noUser, noneAtAll, noGroup, noOverride},
			[]string{addGroup, addUser, chown, chmod},
		},
		"again": {
			"configure", true,
			[]string{noOverride},
			[]string{chown, chmod, reload, restart},
		},
		"the owner has another mode": {
			"configure", true,
			nil,
			[]string{reload, restart},
		},
		"a service runs with a user that systemd has made up": {
			"configure", true,
			[]string{noUser, noneAtAll, noGroup, noOverride},
			[]string{"systemctl stop relay.service", addGroup, addUser, chown, chmod, reload, "systemctl start relay.service"},
		},
		"it was not to be": {"abort-upgrade", true, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			etc, run, bin := filepath.Join(dir, "etc"), filepath.Join(dir, "run"), filepath.Join(dir, "bin")
			write := func(path, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			write(filepath.Join(etc, "relay/channels"), channelsText)
			if c.systemd {
				write(filepath.Join(run, "systemd/system/any"), "")
			}
			for _, program := range []string{"getent", "groupadd", "useradd", "dpkg-statoverride", "chown", "chmod", "systemctl"} {
				write(filepath.Join(bin, program), noted)
			}
			failing := strings.ReplaceAll(strings.Join(c.failing, "\n"), "ETC", etc)
			notes := filepath.Join(dir, "notes")
			write(notes, "")
			write(filepath.Join(dir, "failing"), failing+"\n")
			cmd := exec.Command("sh", "-c", strings.NewReplacer("/etc/", etc+"/", "/run/", run+"/").Replace(afterInstall), "postinst", c.action)
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "NOTES="+notes, "FAILING="+filepath.Join(dir, "failing"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			b, err := os.ReadFile(notes)
			if err != nil {
				t.Fatal(err)
			}
			var changes []string
			for line := range strings.Lines(strings.ReplaceAll(string(b), etc, "ETC")) {
				if line = strings.TrimSpace(line); !slices.Contains([]string{noUser, noneAtAll, noGroup, inactive, noOverride}, line) {
					changes = append(changes, line)
				}
			}
			if !slices.Equal(changes, c.changes) {
				t.Errorf("it does\n%s\nand is meant to do\n%s", strings.Join(changes, "\n"), strings.Join(c.changes, "\n"))
			}
		})
	}
}
