package flag

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// runFlags runs a command that has the flags, and returns what it makes of them.
func runFlags(t *testing.T, args []string, action cli.ActionFunc) error {
	t.Helper()
	app := &cli.App{Writer: nil, Commands: []*cli.Command{{
		Name: "source", Flags: append(Serving(), Text("key", ""), Text("token", "")), Action: action,
	}}, ExitErrHandler: func(*cli.Context, error) {}}
	return app.Run(append([]string{"relay", "source"}, args...))
}

func TestTrustedProxiesAreAddressesOrPrefixes(t *testing.T) {
	for value, want := range map[string]string{
		"127.0.0.1":                "127.0.0.1/32",
		"::1":                      "::1/128",
		"10.1.2.3/8":               "10.0.0.0/8",
		"127.0.0.1, 2001:db8::/32": "127.0.0.1/32 2001:db8::/32",
		"::ffff:127.0.0.1":         "127.0.0.1/32",
		"nginx":                    "",
		"10.0.0.0/33":              "",
		"0.0.0.0/0":                "",
		"127.0.0.1,::/0":           "",
	} {
		var got []string
		err := runFlags(t, []string{"--trusted-proxy", value}, func(c *cli.Context) error {
			all, err := Proxies(c)
			for _, p := range all {
				got = append(got, p.String())
			}
			return err
		})
		if (err != nil) != (want == "") || want != "" && strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", value, got, err)
		}
	}
}

func TestStreamKeysComeFromFilesAndTheEnvironment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	for text, want := range map[string]string{"s3cret\n": "s3cret", " \n": "", "a\nb": "", strings.Repeat("x", 5000): ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var key string
		var shown []string
		err := runFlags(t, []string{"--key", "@" + name}, func(c *cli.Context) (err error) {
			shown = Shown(c)
			key, err = StreamKey(c)
			return err
		})
		if (err != nil) != (want == "") || key != want || len(shown) > 0 {
			t.Errorf("%.10q: %q, %v, %v", text, key, shown, err)
		}
		if err != nil && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	see := func(args ...string) (shown []string) {
		if err := runFlags(t, args, func(c *cli.Context) error { shown = Shown(c); return nil }); err != nil {
			t.Fatal(err)
		}
		return shown
	}
	if got := see("--key", "s3cret", "--token", "abc"); !slices.Equal(got, []string{"key", "token"}) {
		t.Errorf("on the command line: %v", got)
	}
	t.Setenv("RELAY_KEY", "s3cret")
	if got := see(); len(got) > 0 {
		t.Errorf("in the environment: %v", got)
	}
}
