package cli

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goText is how Go and the system word errors, and no person does.
var goText = regexp.MustCompile(`dial tcp|dial udp|read tcp|write tcp|connect:|connection refused|connection reset|i/o timeout|\bEOF\b|` +
	`lookup |no such host|x509:|tls:|no such file or directory|broken pipe|context (deadline|canceled)|permission denied|` +
	`address already in use|(is|not) a directory|invalid (syntax|argument|character|port)|strconv|parsing "|JSON input|malformed HTTP|net/http|` +
	`unsupported protocol|: (open|stat|mkdir|read|write) [^ ]+: |no route to host|is unreachable|cannot assign|file exists|%!|` +
	`invalid rtmp|\d{4}/\d\d/\d\d \d\d:\d\d`) // as Go's own log begins a line

// TestNoErrorOfGosReachesAPerson runs commands on bad input and in bad company.
func TestNoErrorOfGosReachesAPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := at("text", "hello")
	empty := at("empty", "")
	tables := at("tables.ts", strings.Repeat("\x47\x1f\xff\x10"+strings.Repeat("\xff", 184), 4))
	damaged := at("damaged.flv", "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x63\xff\xff\xff")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }))
	defer page.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	hangsUp := server(t, func(c net.Conn) { c.Close() })
	babbles := server(t, func(c net.Conn) { io.WriteString(c, "220 mail\r\n\r\n"); c.Close() })
	taken := server(t, func(c net.Conn) { c.Close() })
	const pcpID = "97968780D09CC97BB98D4A2BF221EDE7"
	link := "relay://" + strings.Repeat("a", 52) + "@"
	for _, c := range []string{
		"tree --http 127.0.0.1:1", "top --http 127.0.0.1:1", "link --http 127.0.0.1:1", "doctor --http 127.0.0.1:1 --no-discovery",
		"tree --http " + hangsUp, "tree --http " + babbles, "tree --http " + page.URL, "link --http " + hangsUp, "link --qr --http " + babbles,
		"watch http://127.0.0.1:1/", "watch " + page.URL, "watch " + secure.URL, "watch https://" + hangsUp, "watch http://" + babbles,
		"watch " + strings.Replace(page.URL, "http:", "https:", 1), "watch http://" + hangsUp + "/", "watch http://h:x/", "watch http://%zz/",
		"watch " + link + "127.0.0.1:1 --timeout 10ms --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off",
		"watch " + link + hangsUp + " --timeout 300ms --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off",
		"watch " + link + babbles + " --timeout 300ms --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off",
		"watch " + link + "127.0.0.1:1 --listen " + taken, "watch " + link + "127.0.0.1:1 --http 192.0.2.1:1", "watch " + link + "127.0.0.1:1 --listen a:b:c",
		"watch " + link + "127.0.0.1:1 --record " + filepath.Join(dir, "none", "a.mp4"), "watch " + link + "127.0.0.1:1 -o " + dir,
		"watch --timeout x", "watch --offset x", "watch --max-children x", "watch --batch x", "watch --upload 1e999", "watch --start x -o -",
		"watch --config " + text + " " + link + "127.0.0.1:1 --timeout 10ms --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off",
		"watch --rtmp x " + link + "127.0.0.1:1", "watch --advertise x:y " + link + "127.0.0.1:1", "watch --webhook :// " + link + "127.0.0.1:1",
		"source " + filepath.Join(dir, "none.flv"), "source " + dir, "source " + text + "/below", "source " + text, "source " + empty, "source " + damaged,
		"source rtmp://127.0.0.1:1/a/b", "source rtmp://" + hangsUp + "/a/b", "source rtmp://" + babbles + "/a/b", "source rtmp://a:b:c/d/e",
		"source http://127.0.0.1:1/a.flv", "source http://" + hangsUp + "/a.flv", "source http://" + babbles + "/a.flv", "source " + page.URL, "source " + secure.URL + "/a.flv",
		"source rtsp://127.0.0.1:1/a", "source rtsp://" + hangsUp + "/a", "source rtsp://" + babbles + "/a", "source rtsp://u:p#a@h/", "source rtsps://" + hangsUp + "/a",
		"source " + strings.Replace(page.URL, "http:", "rtsp:", 1), "source " + strings.Replace(secure.URL, "https:", "rtsps:", 1), "watch --rtsp x " + link + "127.0.0.1:1",
		"source pcp://127.0.0.1:1/" + pcpID, "source pcp://" + hangsUp + "/" + pcpID, "source pcp://" + babbles + "/" + pcpID, "source pcp://h:x/" + pcpID, "source pcp://%zz/",
		"source --tag-log " + filepath.Join(dir, "none", "log") + " " + text, "source --key @" + filepath.Join(dir, "none"), "source --rtmp 192.0.2.1:1",
		"source --config " + text + "/below " + text, "source --passphrase @" + dir, "source --via x", "source -",
		"watch example.org --no-discovery --resolver 127.0.0.1:1", "watch example.org --resolver 127.0.0.1:1", "serve example.org --resolver 127.0.0.1:1",
		"watch example.org --no-discovery --resolver " + hangsUp, "watch example.org --config " + text, "watch " + link + "@example.org --no-discovery --resolver 127.0.0.1:1 --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off",
		"follow --import " + filepath.Join(dir, "none"), "follow --import " + dir, "follow --config " + text, "follow " + link + "127.0.0.1:1 x --config " + text, "unfollow x --config " + text,
		"follow --import " + text, "follow http://127.0.0.1:1/ x", "list --wait x", "link --dns x",
		"source " + tables, "source udp://x", "source udp://192.0.2.1:1234", "source udp://127.0.0.1:1234?program=x",
		"serve --list " + filepath.Join(dir, "none"), "serve --list " + dir, "serve --list http://127.0.0.1:1/l", "serve --list http://" + babbles + "/l",
		"serve --token @" + filepath.Join(dir, "none") + " --helper", "serve http://127.0.0.1:1/",
		"key --config " + text, "key export --config " + dir + " " + filepath.Join(dir, "none", "k"), "key import " + filepath.Join(dir, "none"), "key import " + text, "key import " + dir,
		"doctor --internet http://127.0.0.1:1/",
	} {
		said := runFor(t, dir, c, nil)
		if bad := goText.FindString(said); bad != "" {
			t.Errorf("relay %s says %q:\n%s", c, bad, said)
		}
		if !strings.Contains(said, "relay: error: ") && !strings.HasPrefix(c, "doctor") {
			t.Errorf("relay %s makes no mistake, so it shows nothing here:\n%s", c, said)
		}
	}
	// Nobody reads what is written.
	for _, c := range []string{"help", "man", "completion bash", "key", "version", "doctor --no-discovery --http 127.0.0.1:1"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		said := runFor(t, dir, c, w)
		w.Close()
		if bad := goText.FindString(said); bad != "" {
			t.Errorf("relay %s says %q to nobody:\n%s", c, bad, said)
		}
	}
	// With --verbose it is told.
	if said := runFor(t, dir, "source --verbose --listen 127.0.0.1:0 rtmp://127.0.0.1:1/a/b", nil); !strings.Contains(said, "relay: raw error: connect to 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: ") {
		t.Errorf("the raw error is missing:\n%s", said)
	}
}

// runFor runs relay with what config.toml and the keys of a folder of its own say, and returns what it says. out is
// standard output, nil for one that is told with the rest.
func runFor(t *testing.T, home, command string, out *os.File) string {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "relay", strings.Fields(command)...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "config"), "RELAY_NO_PORT_MAPPING=true", "RELAY_NO_DHT=true", "RELAY_DISCOVERY_INTERFACES="+loopbackName(t))
	var said bytes.Buffer
	cmd.Stderr, cmd.Stdout = &said, &said
	if out != nil {
		cmd.Stdout = out
	}
	_ = cmd.Run() // what it says is what counts
	if ctx.Err() != nil {
		t.Errorf("relay %s does not end", command)
	}
	return said.String()
}

// server returns the address of a program that serves each connection so.
func server(t *testing.T, serve func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() { // ends with the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return ln.Addr().String()
}
