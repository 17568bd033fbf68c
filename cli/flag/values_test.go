package flag

import (
	"errors"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

func TestWhereToListen(t *testing.T) {
	for _, c := range []struct {
		args, host string
		want       string
	}{
		{"", "", ":7144"},
		{"", "127.0.0.1", "127.0.0.1:7144"},
		{"--offset 10", "127.0.0.1", "127.0.0.1:7154"},
		{"--offset 40000", "", ":47144"},
		{"--listen 9000", "", ":9000"},
		{"--listen 9000", "127.0.0.1", "127.0.0.1:9000"},
		{"--listen 9000 --offset 10", "127.0.0.1", "127.0.0.1:9000"}, // --offset is for default ports
		{"--listen :9000", "127.0.0.1", ":9000"},
		{"--listen 0", "127.0.0.1", "127.0.0.1:0"},
		{"--listen 65535", "", ":65535"},
		{"--listen 0.0.0.0:9000", "127.0.0.1", "0.0.0.0:9000"},
		{"--listen [::1]:9000", "127.0.0.1", "[::1]:9000"},
		{"--listen localhost:9000", "", "localhost:9000"},
	} {
		app := cli.App{
			Flags: []cli.Flag{Text("listen", ""), Number("offset", "", "0")},
			Action: func(ctx *cli.Context) error {
				addr, given, err := Listen(ctx, "listen", c.host, 7144)
				if err != nil || addr != c.want || given != strings.Contains(c.args, "--listen") {
					t.Errorf("%q at host %q: %s, given %t, %v, want %s", c.args, c.host, addr, given, err, c.want)
				}
				return nil
			},
		}
		if err := app.Run(append([]string{"relay"}, strings.Fields(c.args)...)); err != nil {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

func TestWhereNobodyCanListen(t *testing.T) {
	for _, value := range []string{"", "nope", "127.0.0.1", "65536", "-1", "+1", ":", ":http", ":65536", ":-1", "::1", "::1:9000", "[::1]", "1:2:3", "http://127.0.0.1:9000"} {
		addr, err := listenAddr("listen", value, "", 7144)
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%q is taken for %q, %v", value, addr, err)
			continue
		}
		if f.Code != fault.ExitUsage || !strings.Contains(f.Error(), "--listen") || !strings.Contains(f.Hint, ":7144") {
			t.Errorf("%q: exit %d, %q, hint %q", value, f.Code, f, f.Hint)
		}
	}
}

func TestWebhookTakesOnlyWebAddresses(t *testing.T) {
	for _, bad := range []string{"", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "http://", "//x", "http:x", "https://[", "javascript:alert(1)"} {
		if u, err := webhookURL(bad); err == nil {
			t.Errorf("%q is taken as %v", bad, u)
		}
	}
	if u, err := webhookURL("HTTPS://hooks.example/x?y=z"); err != nil || u.Host != "hooks.example" {
		t.Errorf("%v, %v", u, err)
	}
}

func TestAddressToAsk(t *testing.T) {
	for value, want := range map[string]string{
		"7145":                             "127.0.0.1:7145",
		":7145":                            "127.0.0.1:7145",
		"0.0.0.0:7145":                     "127.0.0.1:7145",
		"[::]:7145":                        "127.0.0.1:7145",
		"192.168.1.5:80":                   "192.168.1.5:80",
		"[::1]:80":                         "[::1]:80",
		"localhost:80":                     "localhost:80",
		"http://127.0.0.1:4711/abcd.flv":   "127.0.0.1:4711",
		"http://127.0.0.1:4711":            "127.0.0.1:4711",
		"http://127.0.0.1/abcd.flv":        "",
		"127.0.0.1":                        "",
		"127.0.0.1:0":                      "",
		"127.0.0.1:http":                   "",
		"127.0.0.1:70000":                  "",
		"":                                 "",
		"relay://x@127.0.0.1:7144":         "",
		"https://127.0.0.1:4711/abcd.flv":  "",
		"http://127.0.0.1:x/\x1babcd.flv":  "",
		"http://user:pass@127.0.0.1:80/ab": "127.0.0.1:80",
	} {
		if got, err := askedAddr("http", value, 7145); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
}

// A new picture replaces the previous one line by line, and never exceeds the screen.
