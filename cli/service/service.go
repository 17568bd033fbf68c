package service

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/words"
)

// Name is that of the service, wherever it is written down.
const Name = "relay"

// What is what the system is to start.
type What struct {
	Program string   // its absolute path
	Args    []string // behind it, as in serve LINK
	Folder  string   // absolute, where it is to be started if the arguments name files from there; "" for any
}

// command is all of it, as it is told to people.
func (w What) command() string { return strings.Join(append([]string{w.Program}, w.Args...), " ") }

// Here is the machine and the user for whom there is a service.
type Here struct {
	T      *term.Terminal
	OS     string // as runtime.GOOS
	Home   string // the user's folder
	Config string // the folder for the user's settings, such as ~/.config
	Log    string // the log's file, where the system keeps none
	UID    int    // -1 on Windows
	Sudo   bool   // the user is somebody else, for one command
}

// Status is what the system says of the service.
type Status = words.ServiceState

// manager is what starts programs on a system.
type manager interface {
	// ready fails, and has changed nothing, where there is no such manager or the user has none.
	ready(ctx context.Context) error
	install(ctx context.Context, w What, force bool) error
	remove(ctx context.Context, force bool) error
	status(ctx context.Context) (Status, error)
}

func (h Here) manager() (manager, error) {
	switch h.OS {
	case "linux":
		return systemd{h}, nil
	case "darwin":
		return launchd{h}, nil
	case "windows":
		return scheduler{h}, nil
	}
	return nil, fault.Fail(words.ServiceByHand, words.ServiceNone, h.OS)
}

// Install has the system start relay from now on, in place of what it started before.
func (h Here) Install(ctx context.Context, w What, force bool) error {
	m, err := h.manager()
	if err != nil {
		return err
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	return m.install(ctx, w, force)
}

// Remove ends the service, and has the system forget it. Keys and settings stay.
func (h Here) Remove(ctx context.Context, force bool) error {
	m, err := h.manager()
	if err != nil {
		return err
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	return m.remove(ctx, force)
}

// Status asks whether the service runs.
func (h Here) Status(ctx context.Context) (Status, error) {
	m, err := h.manager()
	if err != nil {
		return Status{}, err
	}
	if err := m.ready(ctx); err != nil {
		return Status{}, err
	}
	return m.status(ctx)
}

// FolderFor returns the folder in which arguments were given, if one of them names a file from there.
func FolderFor(args []string, folder string) string {
	for _, a := range args {
		if _, value, ok := strings.Cut(a, "="); ok && strings.HasPrefix(a, "-") {
			a = value
		}
		a = strings.TrimPrefix(a, "@")
		if a == "" || filepath.IsAbs(a) || strings.Contains(a, "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, a)); err == nil {
			return folder
		}
	}
	return ""
}
