//go:build e2e && linux

package netns

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
)

// from is a client at a host that asks from one of its addresses.
func (h *host) from(addr string) *http.Client {
	dial := func(ctx context.Context, network, to string) (conn net.Conn, err error) {
		err = h.do(func() error {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
			conn, err = d.DialContext(ctx, network, to)
			return err
		})
		return conn, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 5 * time.Second}
}

// TestASourceAnswersPlayersOfItsOwnNetworksAlone asks a source from its own subnet, from a
// network behind a router there, and from its own machine.
func TestASourceAnswersPlayersOfItsOwnNetworksAlone(t *testing.T) {
	const far = "10.99.0.2"
	n := newNetwork(t, 2)
	src, guest := n.hosts[0], n.hosts[1]
	must(t, guest.run("addr add "+far+"/32 dev lo\n", "ip", "-batch", "-"))
	must(t, src.run("route add 10.99.0.0/24 via "+guest.addr+"\n", "ip", "-batch", "-"))
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		far  int
	}{
		{"by default", nil, http.StatusForbidden},
		{"for everyone", []string{"--http", ":7145"}, http.StatusOK},
	} {
		p := src.start(t, "source "+c.name, filepath.Join(dir, c.name), relayBin, append([]string{
			"source", "../../../testdata/flv/video.flv", "--loop", "--no-qr", "--config", filepath.Join(dir, "keys"),
		}, c.args...)...)
		p.find(t, `(?m)^Live: `)
		name := p.find(t, `(?m)^Watch +http://\S+/([a-z2-7]{8})\.flv\n`)
		for _, asked := range []struct {
			by     *http.Client
			where  string
			status int // for what anyone may have
			own    int // for what only this machine may have
		}{
			{guest.from(guest.addr), src.addr, http.StatusOK, http.StatusForbidden},
			{guest.from(far), src.addr, c.far, http.StatusForbidden},
			{src.from("127.0.0.1"), "127.0.0.1", http.StatusOK, http.StatusOK},
		} {
			for path, want := range map[string]int{
				"/": asked.status, "/api/v1/channels": asked.status, "/api/v1/events": asked.status,
				"/" + name + ".flv": asked.status, "/api/v1/status": asked.own,
			} {
				var text string
				wait.Until(t, "an answer to "+path, func() error {
					resp, err := asked.by.Get("http://" + asked.where + ":7145" + path)
					if err != nil {
						return err
					}
					defer resp.Body.Close()
					begin := make([]byte, 400)
					k, _ := io.ReadAtLeast(resp.Body, begin, 10) // a stream has no end
					text = string(begin[:k])
					if resp.StatusCode != want {
						t.Errorf("%s, %s from %s: %d %q, want %d", c.name, path, asked.where, resp.StatusCode, text, want)
					}
					return nil
				})
				if asked.status == http.StatusForbidden && !strings.Contains(text, "relay watch LINK") {
					t.Errorf("%s, %s: %q does not say what to do", c.name, path, text)
				}
			}
		}
		p.kill()
	}
}
