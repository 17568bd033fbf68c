//go:build e2e && linux

package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// ringFull is after how long a ring has all that it will have.
const ringFull = 70 * time.Second

// readBare is the least that a node without viewers has to do: it reads the stream at address, and
// verifies a signature whenever something has come. It says on out that it is there.
func readBare(address string, out io.Writer) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", u.RequestURI(), u.Host); err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	message := make([]byte, 64)
	signature := ed25519.Sign(private, message)
	if _, err := fmt.Fprintln(out, "reads"); err != nil {
		return err
	}
	for b := make([]byte, 64<<10); ; {
		if _, err := conn.Read(b); err != nil {
			return err
		}
		if !ed25519.Verify(public, message, signature) {
			return errors.New("a signature did not verify")
		}
	}
}

// idle has relay watch take the stream, with nobody to pass it on to, beside a bare reader, and tells
// what both use of a core within d, and what relay watch has in memory.
func (p plan) idle(ctx context.Context, d time.Duration) (err error) {
	m := p.machine
	m.most = spare
	if m.dir, err = os.MkdirTemp("", "relay-load-"); err != nil {
		return err
	}
	defer os.RemoveAll(m.dir)
	s, err := startRelay(m, ".flv")
	if err != nil {
		return err
	}
	defer s.stop()
	ctx, _, published, err := p.feed(ctx, s, ringFull+d+drainTime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, published()) }()
	ours, err := startWatch(m, s.link)
	if err != nil {
		return err
	}
	defer ours.stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bare, _, err := begin(m.program(self, bareReaderArg, s.play))
	if err != nil {
		return err
	}
	defer bare.stop()
	if err := pause(ctx, ringFull); err != nil {
		return err
	}
	var used [2]time.Duration
	begun := now()
	for range 2 {
		for i, of := range []*server{ours, bare} {
			t, err := cpuTime(of.cmd.Process.Pid)
			if err != nil {
				return err
			}
			used[i] = t - used[i]
		}
		if now() < begun+d {
			if err := pause(ctx, d); err != nil {
				return err
			}
		}
	}
	rss, err := resident(ours.cmd.Process.Pid)
	if err != nil {
		return err
	}
	took := (now() - begun).Seconds()
	share := func(t time.Duration) float64 { return 100 * t.Seconds() / took }
	fmt.Printf("relay watch without viewers: %.2f %% of a core, %.1f MB resident; a bare reader that verifies what comes: %.2f %%; ratio %.2f; load average %.1f\n",
		share(used[0]), float64(rss)/1e6, share(used[1]), used[0].Seconds()/used[1].Seconds(), loadAverage())
	return nil
}

// startWatch starts relay watch on the server's core.
func startWatch(m machine, link string) (*server, error) {
	const loopback = "127.0.0.1:0"
	s, line, err := begin(m.program(m.relay, "watch", link, "--json", "--no-discovery", "--admin", "off",
		"--listen", loopback, "--http", loopback, "--config", filepath.Join(m.dir, "watcher")))
	if err != nil {
		return nil, err
	}
	var said struct{ Event string }
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		s.stop()
		return nil, fmt.Errorf("relay watch begins with %q", line)
	}
	return s, nil
}
