//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

const privateTitle = "A title that only some may read"

// TestPrivateChannelShowsNothingToThoseWithoutTheSecret broadcasts a clip to a viewer by way of a node that
// has the join part, and one of relay serve, and looks for the clip, its title and the secret in all that
// these two tell, and in their memory.
func TestPrivateChannelShowsNothingToThoseWithoutTheSecret(t *testing.T) {
	w := newWorld(t)
	const file = "../../testdata/flv/video.flv"
	clip, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := w.sourceOf(file, "--loop", "--private", "--title", privateTitle, "--max-children", "1", "--admin", loopback)
	s.ready(t)
	bare, secret, ok := strings.Cut(s.link, "#")
	if !ok {
		t.Fatalf("the link is %s", s.link)
	}
	page := s.find(t, &s.err, `(?m)^Page +http://(\S+)/$`)
	asked := run(t, "link", relayBin, "link", "--join-only", "--http", page, "--config", w.config)
	join := strings.TrimSpace(asked.out.String())
	part := join[strings.Index(join, "#")+1:]

	blind := start(t, "blind", relayBin, "watch", join, "--listen", loopback, "--http", loopback, "--rtmp", loopback, "--admin", loopback,
		"--config", w.path("blind"), "--max-children", "1", "--verbose")
	blindAt := blind.find(t, &blind.err, `(?m)^Page +(http://\S+)/$`)
	links := blind.find(t, &blind.err, `(?m)^Share +relay watch relay://[a-z2-7]+@([^#]+)#`)
	serve := start(t, "serve", relayBin, "serve", bare[:strings.Index(bare, "@")+1]+links+"#"+part, "--listen", loopback, "--http", loopback,
		"--admin", loopback, "--config", w.path("serve"), "--max-children", "1", "--verbose")
	serveAt := strings.TrimSuffix(serve.find(t, &serve.out, `(?m)^(http://\S+)$`), "/")
	serve.find(t, &serve.err, `(connected to)`)
	v := w.watch(bare[:strings.Index(bare, "@")+1]+links+"#"+secret, "--config", w.path("watch"), "--admin", loopback)
	v.find(t, &v.err, `Live: "(`+privateTitle+`)"`)
	if d := status(t, v.url).Depth; d < 2 {
		t.Errorf("the viewer is %d links from the source: nobody is in between", d)
	}
	eventually(t, "the viewer records the clip", func() error {
		if b, err := os.ReadFile(v.rec); err != nil || len(b) < len(clip) {
			return fmt.Errorf("%d bytes, %v", len(b), err)
		}
		return nil
	})

	id := bare[len("relay://"):strings.Index(bare, "@")]
	for _, n := range []struct {
		p      *process
		at     string
		unread bool
	}{{blind, blindAt, true}, {serve, serveAt, true}, {v.process, strings.TrimSuffix(v.url, "/"+id[:8]+".flv"), false}, {s.process, "http://" + page, false}} {
		u, err := url.Parse(n.at)
		if err != nil {
			t.Fatal(err)
		}
		told := n.p.err.String()
		for _, path := range []string{"/", "/api/v1/status", "/api/v1/channels", "/api/v1/tree", "/api/v1/events"} {
			told += get(t, "http://"+u.Host+path, http.StatusOK)
		}
		admin := regexp.MustCompile(`(?m)^Metrics (http://\S+)/metrics$`).FindStringSubmatch(n.p.err.String())
		if admin == nil {
			t.Fatalf("%s has no metrics", n.p.name)
		}
		for _, path := range []string{"/metrics", "/api/v1/status", "/api/v1/channels", "/api/v1/events"} {
			told += get(t, admin[1]+path, http.StatusOK)
		}
		if n.unread {
			for _, path := range []string{"/" + id + ".flv", "/" + id[:8] + ".mp4", "/" + id[:8] + ".ts", "/" + id[:8] + ".jpg", "/" + id[:8] + ".m3u", "/hls/" + id[:8] + "/index.m3u8"} {
				if said := get(t, "http://"+u.Host+path, http.StatusForbidden); !strings.Contains(said, "This channel is private, and this node has only the part of its secret") {
					t.Errorf("%s%s: %q", n.p.name, path, said)
				}
			}
			if strings.Contains(told, privateTitle) {
				t.Errorf("%s tells the title", n.p.name)
			}
		}
		told = strings.ReplaceAll(told, "#"+part, "#join part\n") // in the links that a person is shown on the terminal
		if n.p == s.process || n.p == v.process {
			told = regexp.MustCompile(`(?m)^Share .*$`).ReplaceAllString(told, "")
		}
		if strings.Contains(told, secret) || strings.Contains(told, part) {
			t.Errorf("%s tells the secret", n.p.name)
		}
	}

	// What their memory holds. Pieces of the clip that are long enough not to be there by chance.
	pieces := [][]byte{[]byte(privateTitle), []byte(secret)}
	for at := len(clip) / 3; at+16 <= len(clip) && len(pieces) < 40; at += 997 {
		pieces = append(pieces, clip[at:at+16])
	}
	if found := inMemory(t, v.process, pieces); found < 10 {
		t.Errorf("%d of %d pieces are in the viewer's memory: this test sees nothing", found, len(pieces))
	}
	for _, p := range []*process{blind, serve} {
		if found := inMemory(t, p, pieces); found != 0 {
			t.Errorf("%d of %d pieces are in the memory of %s", found, len(pieces), p.name)
		}
	}
}

// get asks a node and returns what it says, within a second where the answer does not end.
func get(t *testing.T, address string, code int) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer time.AfterFunc(time.Second, cancel).Stop()
	if resp.StatusCode != code {
		t.Errorf("%s answers %s", address, resp.Status)
	}
	b, _ := io.ReadAll(resp.Body) // events go on
	return string(b)
}

// inMemory counts how many of the pieces are in what a process has written to its memory.
func inMemory(t *testing.T, p *process, pieces [][]byte) int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	found := make([]bool, len(pieces))
	read := 0
	for _, line := range strings.Split(string(maps), "\n") {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") || to-from > 256<<20 {
			continue // what it cannot write holds its program
		}
		b := make([]byte, to-from)
		n, _ := mem.ReadAt(b, from) // parts of it may be gone
		read += n
		for i, piece := range pieces {
			found[i] = found[i] || bytes.Contains(b[:n], piece)
		}
	}
	if read == 0 {
		t.Fatalf("nothing of %s was read", p.name)
	}
	count := 0
	for _, f := range found {
		if f {
			count++
		}
	}
	return count
}
