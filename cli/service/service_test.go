//go:build unix

package service

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
)

// pretend puts programs on PATH, alone, that note how they are called, and answer as says has for the
// call's beginning: a text, or after "!" a text and failure. It returns the notes.
func pretend(t *testing.T, says map[string]string, programs ...string) func() []string {
	t.Helper()
	bin, notes := t.TempDir(), filepath.Join(t.TempDir(), "notes")
	script := "#!/bin/sh\ncall=\"${0##*/} $*\"\necho \"$call\" >>" + notes + "\ncase \"$call\" in\n"
	keys := []string{}
	for call := range says {
		keys = append(keys, call)
	}
	slices.Sort(keys)
	for _, call := range keys {
		text, fails := strings.CutPrefix(says[call], "!")
		script += "'" + call + "'*) "
		if fails {
			script += "echo '" + text + "' >&2; exit 1;;\n"
		} else {
			script += "echo '" + text + "';;\n"
		}
	}
	script += "esac\n"
	for _, p := range programs {
		if err := os.WriteFile(filepath.Join(bin, p), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	return func() []string {
		b, _ := os.ReadFile(notes)
		if err := os.Remove(notes); err != nil && len(b) > 0 {
			t.Fatal(err)
		}
		return slices.Collect(strings.Lines(strings.TrimSpace(string(b))))
	}
}

func calls(c ...string) []string { return slices.Collect(strings.Lines(strings.Join(c, "\n"))) }

func userOf(t *testing.T, system string) (Here, *bytes.Buffer) {
	home := t.TempDir()
	var out bytes.Buffer
	return Here{
		T: term.New(io.Discard, &out), OS: system, Home: home, Config: filepath.Join(home, ".config"),
		Log: filepath.Join(home, "logs", "relay.log"), UID: 1000,
	}, &out
}

var example = What{Program: "/usr/bin/relay", Args: []string{"serve", "relay://x@h:7144", "--upload", "20M"}}

func TestAUserOfSystemdHasAService(t *testing.T) {
	notes := pretend(t, map[string]string{"loginctl": "no"}, "systemctl", "loginctl", "journalctl")
	h, said := userOf(t, "linux")
	if err := h.Install(t.Context(), example, false); err != nil {
		t.Fatal(err)
	}
	want := calls(
		"systemctl --user show --property=Version",
		"systemctl --user daemon-reload",
		"systemctl --user enable relay.service",
		"systemctl --user restart relay.service",
		"loginctl show-user 1000 --property=Linger --value",
	)
	if got := notes(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	file := filepath.Join(h.Config, "systemd/user/relay.service")
	for _, s := range []string{"Wrote   " + file, "Runs    /usr/bin/relay serve relay://x@h:7144 --upload 20M", "loginctl enable-linger", "relay service status"} {
		if !strings.Contains(said.String(), s) {
			t.Errorf("it does not say %q:\n%s", s, said)
		}
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if rest, _ := os.ReadDir(filepath.Dir(file)); len(rest) != 1 {
		t.Errorf("%d files", len(rest))
	}

	// What runs can be changed; another's changes stay, until it is said that they need not.
	other := example
	other.Args = []string{"serve", "--list", "/srv/channels"}
	if err := h.Install(t.Context(), other, false); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(file)
	changed := strings.Replace(string(text), "RestartSec=5", "RestartSec=50", 1)
	if !strings.Contains(changed, "/srv/channels") || changed == string(text) {
		t.Fatalf("the unit is\n%s", text)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	notes()
	for name, do := range map[string]func(force bool) error{
		"install": func(force bool) error { return h.Install(t.Context(), example, force) },
		"remove":  func(force bool) error { return h.Remove(t.Context(), force) },
	} {
		var f *fault.Error
		if err := do(false); !errors.As(err, &f) || !strings.Contains(f.Hint, "--force") {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := os.ReadFile(file); string(b) != changed {
			t.Errorf("%s has changed it", name)
		}
		if got := notes(); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if err := h.Remove(t.Context(), true); err != nil {
		t.Error(err)
	}
	want = calls("systemctl --user show --property=Version", "systemctl --user disable --now relay.service", "systemctl --user daemon-reload")
	if got := notes(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	var f *fault.Error
	if err := h.Remove(t.Context(), false); !errors.As(err, &f) || f.Code != fault.ExitNobody {
		t.Errorf("a second time: %v", err)
	}
}

// Where the user's systemd is not there, as below su and sudo and in containers, nothing is written.
func TestNothingIsWrittenWhereNoManagerIs(t *testing.T) {
	for name, c := range map[string]struct {
		system   string
		sudo     bool
		programs []string
		says     map[string]string
	}{
		"sudo":           {"linux", true, []string{"systemctl"}, nil},
		"no session":     {"linux", false, []string{"systemctl"}, map[string]string{"systemctl --user show": "!Failed to connect to bus: No medium found"}},
		"no systemd":     {"linux", false, nil, nil},
		"sudo on a Mac":  {"darwin", true, []string{"launchctl"}, nil},
		"no launchctl":   {"darwin", false, nil, nil},
		"no scheduler":   {"windows", false, nil, nil},
		"another system": {"plan9", false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pretend(t, c.says, c.programs...)
			h, _ := userOf(t, c.system)
			h.Sudo = c.sudo
			var f *fault.Error
			if err := h.Install(t.Context(), example, false); !errors.As(err, &f) || f.Hint == "" {
				t.Errorf("%v", err)
			}
			if files, _ := os.ReadDir(h.Home); len(files) > 0 {
				t.Errorf("%v", files)
			}
		})
	}
}

func TestSystemdSaysHowTheServiceIs(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		want Status
	}{
		"runs": {
			"LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nMainPID=41\nUnitFileState=enabled\nFragmentPath=/f\nExecMainStatus=0\nActiveEnterTimestamp=Mon 2026-11-30 01:02:03 UTC\nInactiveEnterTimestamp=Mon 2026-11-30 01:00:00 UTC\n",
			Status{Installed: true, Running: true, Process: 41, Boot: true, File: "/f", Since: time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC)},
		},
		"failed": {
			"LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=2\nMainPID=0\nUnitFileState=disabled\nFragmentPath=/f\nActiveEnterTimestamp=\nInactiveEnterTimestamp=Mon 2026-11-30 01:00:00 UTC\n",
			Status{Installed: true, File: "/f", Trouble: "failed (failed), exit-code, exit code 2", Since: time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC)},
		},
		"not there": {"LoadState=not-found\nActiveState=inactive\n", Status{}},
		"nonsense":  {"\x00=\n==\nMainPID=x\nActiveEnterTimestamp=yesterday\n", Status{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := systemdStatus(c.said)
			if !got.Since.Equal(c.want.Since) {
				t.Errorf("since %v", got.Since)
			}
			got.Since, c.want.Since = time.Time{}, time.Time{}
			if got.Trouble != c.want.Trouble || got.Running != c.want.Running || got.Installed != c.want.Installed || got.Process != c.want.Process || got.Boot != c.want.Boot || got.File != c.want.File {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAUserOfAMacHasAService(t *testing.T) {
	notes := pretend(t, map[string]string{
		"launchctl bootout": "!Boot-out failed: 3: No such process",
		"launchctl print":   "gui/1000/relay.serve = {\n\tstate = running\n\tpid = 77\n\tlast exit code = (never exited)\n}",
		"ps":                "Mon Nov 30 01:02:03 2026    ",
	}, "launchctl", "ps")
	h, _ := userOf(t, "darwin")
	if err := h.Install(t.Context(), example, false); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.Home, "Library/LaunchAgents/relay.serve.plist")
	if got, want := notes(), calls("launchctl bootout gui/1000/relay.serve", "launchctl bootstrap gui/1000 "+file); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	b, _ := os.ReadFile(file)
	for _, a := range []string{"/usr/bin/relay", "service", "run", h.Log, "serve", "relay://x@h:7144"} {
		if !strings.Contains(string(b), "<string>"+a+"</string>") {
			t.Errorf("%q is not in\n%s", a, b)
		}
	}
	st, err := h.Status(t.Context())
	if err != nil || !st.Running || st.Process != 77 || st.Since.IsZero() || st.Log != h.Log {
		t.Errorf("%+v, %v", st, err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if h.Remove(t.Context(), false) == nil || h.Install(t.Context(), example, false) == nil {
		t.Error("a changed file is replaced")
	}
	if running, _, trouble := launchdStatus("\tstate = not running\n\tlast exit code = 2\n"); running || trouble != "not running, exit code 2" {
		t.Errorf("%v, %q", running, trouble)
	}
}

func TestAUserOfWindowsHasAService(t *testing.T) {
	says := map[string]string{"schtasks /Query": "!ERROR: The system cannot find the file specified."}
	notes := pretend(t, says, "schtasks")
	h, _ := userOf(t, "windows")
	if err := h.Install(t.Context(), example, false); err != nil {
		t.Fatal(err)
	}
	got := notes()
	if len(got) != 3 || !strings.HasPrefix(got[1], "schtasks /Create /TN relay /XML ") || !strings.HasSuffix(got[1], " /F\n") || got[2] != "schtasks /Run /TN relay" {
		t.Errorf("%q", got)
	}
	if st, err := h.Status(t.Context()); err != nil || st.Installed {
		t.Errorf("%+v, %v", st, err)
	}

	// The scheduler writes a task anew, in an order and with line ends of its own.
	w := example
	w.Args = Logged(h.Log, w.Args)
	task := Task(w)
	if !taskIsOurs(task) || !taskIsOurs(strings.ReplaceAll(task, "\r\n", "\n")) {
		t.Errorf("a task of ours is not known:\n%s", task)
	}
	for _, theirs := range []string{"", "<Task/>", strings.Replace(task, "20M", "2M", 1), strings.Replace(task, "/usr/bin/relay", "/evil", 1)} {
		if taskIsOurs(theirs) {
			t.Errorf("taken for ours:\n%s", theirs)
		}
	}
	for _, never := range []string{"<ExecutionTimeLimit>PT0S<", "<DisallowStartIfOnBatteries>false<", "<StopIfGoingOnBatteries>false<"} {
		if !strings.Contains(task, never) {
			t.Errorf("no %s", never)
		}
	}

	log, err := OpenLog(h.Log, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	notes = pretend(t, map[string]string{"schtasks /Query": "<Task><Source>mine</Source></Task>"}, "schtasks")
	if st, err := h.Status(t.Context()); err != nil || !st.Running || st.Process != os.Getpid() || len(st.Lines) != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	log.Close()
	if st, err := h.Status(t.Context()); err != nil || st.Running {
		t.Errorf("%+v, %v", st, err)
	}
	notes()
	if h.Remove(t.Context(), false) == nil || h.Install(t.Context(), example, false) == nil {
		t.Error("another's task is replaced")
	}
	for _, c := range notes() {
		if !strings.HasPrefix(c, "schtasks /Query") {
			t.Errorf("%q", c)
		}
	}
}
