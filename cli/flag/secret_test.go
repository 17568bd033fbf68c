package flag

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// secretReaders are all that read a secret from @FILE, by their flags.
var secretReaders = map[string]struct {
	flags []cli.Flag
	args  []string
	read  func(*cli.Context) error
}{
	"--key of relay source": {
		[]cli.Flag{Text("key", "")},
		[]string{"--key"},
		func(c *cli.Context) error { _, err := StreamKey(c); return err },
	},
	"--passphrase": {
		Joining(),
		[]string{"--passphrase"},
		func(c *cli.Context) error { _, err := ReadPrivacy(c); return err },
	},
	"--token of relay source": {
		Via(),
		[]string{"--via", "127.0.0.1:7144/" + strings.Repeat("a", 52), "--token"},
		func(c *cli.Context) error { _, err := ReadVia(c); return err },
	},
	"--token of relay serve": {
		Helping(),
		[]string{"--helper", "--token"},
		func(c *cli.Context) error { _, _, _, err := ReadHelping(c); return err },
	},
}

// said returns what the reader of a secret from a file writes to standard error.
func said(t *testing.T, reader, file string) string {
	t.Helper()
	r := secretReaders[reader]
	var stderr bytes.Buffer
	app := &cli.App{
		Writer: &stderr, ErrWriter: &stderr, ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{{Name: "it", Flags: r.flags, Action: r.read}},
	}
	if err := app.Run(append(append([]string{"relay", "it"}, r.args...), "@"+file)); err != nil {
		t.Errorf("%s @%s: %v", reader, file, err)
	}
	return stderr.String()
}

// secretFile returns a file with a secret and that mode, whatever the mask.
func secretFile(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestASecretFileThatOthersCanReadIsWarnedOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the mode says nothing there")
	}
	for reader := range secretReaders {
		for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o777} {
			name := secretFile(t, mode)
			want := fmt.Sprintf("relay: warning: %s has a secret, and others on this machine can read it (mode %04o)\n"+
				"relay: hint: chmod 600 %s; if somebody may have read it, take another secret\n", name, mode, name)
			if got := said(t, reader, name); got != want {
				t.Errorf("%s, mode %o: %q, want %q", reader, mode, got, want)
			}
		}
		for _, mode := range []fs.FileMode{0o600, 0o400, 0o700} {
			if got := said(t, reader, secretFile(t, mode)); got != "" {
				t.Errorf("%s, mode %o: %q", reader, mode, got)
			}
		}
	}
	name := secretFile(t, 0o644)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if got := said(t, "--key of relay source", link); !strings.Contains(got, "chmod 600 "+link+";") {
		t.Errorf("by a link: %q", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(name))
	if got := said(t, "--key of relay source", name); got != "" {
		t.Errorf("one of systemd's credentials: %q", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(name)+"/sec")
	if got := said(t, "--key of relay source", name); got == "" {
		t.Error("one beside the credentials: no warning")
	}
}
