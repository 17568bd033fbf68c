//go:build e2e && linux

package netns

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/cli/privacy"
	"relay/relay"
	"relay/relay/seal"
)

const (
	privateTitle  = "A title that only some may read"
	privatePhrase = "rhubarb lantern octave mildew gazebo"
	// privateFor is how much of the clip, in ms, the source has sent at most when the test ends.
	privateFor = 60_000
	// privateTags is how many tags the viewer's player gets before the test ends: several seconds of the clip.
	privateTags = 250
)

// What only those with the join part have: it is kept on the disk of a relay, and in its memory.
const (
	joinText  = "the join part"
	joinBytes = "the join part's bytes"
)

// unread is a private channel with two relays in a row that cannot read it, and a viewer behind them.
type unread struct {
	source, blind, serve, viewer *node
	machines                     map[*node]*machine
	captures                     map[*node][]*capture
	needles                      *needles
}

func (u *unread) nodes() []*node  { return []*node{u.source, u.blind, u.serve, u.viewer} }
func (u *unread) relays() []*node { return []*node{u.blind, u.serve} }

// TestRelaysOfAPrivateChannelShowNothingOfIt captures every packet at a source, at a relay watch and a
// relay serve that have the join part of its secret, and at a viewer behind them. No packet, no file and
// no log of those in between has anything of the media, the title or the secret, nor has their memory, nor
// any answer that they give.
func TestRelaysOfAPrivateChannelShowNothingOfIt(t *testing.T) {
	t.Parallel()
	for how, flags := range map[string][]string{"secret": {"--private"}, "passphrase": {"--passphrase"}} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			u := newUnread(t)
			u.start(t, flags)
			player := u.viewer.play(t, "the player", u.viewer.url)
			for _, n := range u.relays() {
				u.needles.absent(t, "what "+n.name+" answers", u.ask(t, n))
			}
			wait.Until(t, "the player has a part of the clip", func() error {
				player.mu.Lock()
				defer player.mu.Unlock()
				if n := len(player.notes); n < privateTags {
					return errors.Join(fmt.Errorf("it has %d tags", n), player.err)
				}
				return nil
			})
			u.looksIntoMemory(t)
			u.inARow(t)
			player.quit()
			for _, n := range u.nodes() {
				n.signal(t, syscall.SIGINT) // what they keep for the next time is written then
			}
			for _, n := range u.nodes() {
				n.wait(t)
			}
			u.looksIntoFiles(t)
			u.looksIntoPackets(t)
		})
	}
}

// newUnread makes the machines and begins to capture.
func newUnread(t *testing.T) *unread {
	t.Helper()
	u := &unread{machines: make(map[*node]*machine), captures: make(map[*node][]*capture), needles: needlesOf(t, clip, privateFor)}
	hosts, dir := newNetwork(t, 4).hosts, folder(t)
	for i, n := range []**node{&u.source, &u.blind, &u.serve, &u.viewer} {
		*n = newNode(hosts[i], 1)
		(*n).name = []string{"source", "blind", "serve", "viewer"}[i]
		m := &machine{host: hosts[i], dir: filepath.Join(dir, (*n).name)}
		must(t, os.Mkdir(m.dir, 0o755))
		u.machines[*n] = m
		for _, of := range []string{nic, "lo"} {
			u.captures[*n] = append(u.captures[*n], m.capture(t, (*n).name, of))
		}
	}
	return u
}

// run starts relay as a node, with its one child.
func (u *unread) run(t *testing.T, n *node, args ...string) {
	t.Helper()
	n.process = u.machines[n].relay(t, n.name, append(args, "--max-children", "1", "--verbose", "--config", u.keys(n))...)
}

// keys is a node's folder.
func (u *unread) keys(n *node) string { return filepath.Join(u.machines[n].dir, "keys") }

// start starts all, each below the one before. how makes the channel private.
func (u *unread) start(t *testing.T, how []string) {
	t.Helper()
	file := filepath.Join(u.machines[u.source].dir, "phrase")
	must(t, os.WriteFile(file, []byte(privatePhrase+"\n"), 0o600))
	phrase := how[0] == "--passphrase"
	if phrase {
		how = []string{how[0], "@" + file}
	}
	u.run(t, u.source, append([]string{"source", clip, "--loop", "--no-qr", "--title", privateTitle}, how...)...)
	whole := u.source.find(t, `(?m)^(relay://\S+#\S+)$`)
	join, errs, _ := u.machines[u.source].output(t, "link", "--join-only", "--config", u.keys(u.source))
	join = strings.TrimSpace(join)
	if !strings.Contains(join, "#join-") {
		t.Fatalf("the link for helpers is %q: %s", join, errs)
	}
	u.seek(t, whole, join, phrase)

	u.run(t, u.blind, "watch", join)
	shared := u.blind.find(t, `(?m)^Share   relay watch (relay://\S+)\n        \(nobody can watch with this link, only pass the stream on\)$`)
	list := filepath.Join(u.machines[u.serve].dir, "list")
	must(t, os.WriteFile(list, []byte(shared+"\n"), 0o644))
	u.run(t, u.serve, "serve", "--list", list)
	u.serve.find(t, `(?m)^relay: warning: (\S+ has a secret, and others on this machine can read it) \(mode 0644\)$`)
	u.serve.find(t, `(?m)^(Channel .*: connected to )`)

	id, rest, _ := strings.Cut(whole, "@")
	_, fragment, _ := strings.Cut(rest, "#")
	args := []string{"watch", id + "@" + u.serve.addr + ":7144#" + fragment}
	if phrase {
		args = append(args, how...)
	}
	u.run(t, u.viewer, args...)
	u.viewer.url = u.viewer.find(t, `(?m)^Watch +(http://\S+)\n`)
	u.viewer.find(t, `(?m)^(Live: "`+privateTitle+`")`)
	u.inARow(t)
}

// inARow waits until the stream comes to the viewer by way of both relays.
func (u *unread) inARow(t *testing.T) {
	t.Helper()
	wait.Until(t, "the viewer is behind both relays", func() error {
		st, err := u.viewer.channel()
		if err == nil && len(st.Path) != len(u.nodes()) {
			err = fmt.Errorf("its path is %v", st.Path)
		}
		return err
	})
}

// seek adds to the needles all that is secret of the channel: as text, and as bytes.
func (u *unread) seek(t *testing.T, whole, join string, phrase bool) {
	t.Helper()
	inv, err := relay.ParseInvite(whole)
	must(t, err)
	texts := u.needles.texts
	stored := inv.Access.Stored()
	if phrase {
		stored = privacy.Secret(privatePhrase, inv.Channel).Stored()
		stored = stored[strings.LastIndexByte(stored, '-')+1:]
		texts["the passphrase"] = []byte(privatePhrase)
	}
	secret, err := base32.HexEncoding.WithPadding(base32.NoPadding).DecodeString(inHex(stored))
	must(t, err)
	content, err := hkdf.Key(sha256.New, secret, inv.Channel[:], "relay/1 content", sha256.Size)
	must(t, err)
	helper, err := relay.ParseInvite(join)
	must(t, err)
	part := helper.Access.JoinPart(inv.Channel)
	// Else what follows would look for something that is nowhere.
	if want := seal.OfPassphrase([seal.SecretLen]byte(secret)).JoinPart(inv.Channel); part != want {
		t.Fatal("the join part does not follow from the secret that this test looks for")
	}
	texts["the title"] = []byte(privateTitle)
	texts["the secret"] = []byte(stored)
	texts["the secret's bytes"] = secret
	texts["the content key"] = content
	texts[joinText] = []byte(helper.Access.Fragment())
	texts[joinBytes] = part[:]
}

// inHex turns the letters of secrets and IDs into those of another alphabet of 32, which a decoder knows.
func inHex(s string) string {
	const ours, theirs = "abcdefghijklmnopqrstuvwxyz234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	return strings.Map(func(r rune) rune { return rune(theirs[strings.IndexRune(ours, r)]) }, s)
}

// ask returns all that a relay answers on its own machine: its page, its API, its metrics, what players
// ask for, and what the commands that ask it say. They print the link, which has the join part.
func (u *unread) ask(t *testing.T, n *node) []byte {
	t.Helper()
	id := regexp.MustCompile(`relay://([a-z2-7]+)@`).FindStringSubmatch(u.source.said(t))[1]
	var told []byte
	get := func(port int, path string, code int) {
		t.Helper()
		b, got := n.get(t, fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
		if told = append(told, b...); got != code {
			t.Errorf("%s answers %d for %s: %.200s", n.name, got, path, b)
		}
	}
	for _, path := range []string{"/", "/api/v1/status", "/api/v1/channels", "/api/v1/tree", "/api/v1/events", "/api/v1/dialback"} {
		get(7145, path, http.StatusOK)
	}
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/channels", "/api/v1/tree", "/api/v1/events"} {
		get(7147, path, http.StatusOK)
	}
	for _, path := range []string{".flv", ".mp4", ".ts", ".m3u", ".jpg"} {
		get(7145, "/"+id[:8]+path, http.StatusForbidden)
	}
	get(7145, "/hls/"+id[:8]+"/index.m3u8", http.StatusForbidden)
	for _, args := range [][]string{{"tree"}, {"tree", "--json"}, {"top", "--json"}, {"list"}, {"doctor"}, {"link", "--config", u.keys(n)}} {
		out, errs, _ := u.machines[n].output(t, args...)
		told = append(told, bytes.ReplaceAll([]byte(out+errs), u.needles.texts[joinText], []byte("the link's end"))...)
	}
	return told
}

// get asks a node, for a second where the answer does not end.
func (n *node) get(t *testing.T, address string) (body []byte, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	must(t, err)
	// In the clear, as it could be read on the way.
	resp, err := (&http.Transport{DialContext: n.dial, DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
	must(t, err)
	defer resp.Body.Close()
	if strings.HasSuffix(address, "/events") {
		time.AfterFunc(time.Second, cancel)
	}
	body, _ = io.ReadAll(resp.Body) // events go on
	return body, resp.StatusCode
}

// looksIntoMemory looks for the needles in what the processes have written to their memory.
func (u *unread) looksIntoMemory(t *testing.T) {
	t.Helper()
	for _, n := range u.relays() {
		u.needles.absent(t, "the memory of "+n.name, n.memory(t), joinText, joinBytes)
	}
	if windows, texts := u.needles.in(u.viewer.memory(t)); windows < 100 || !slices.Contains(texts, "the title") || !slices.Contains(texts, "the secret's bytes") {
		t.Errorf("%d windows and %q are in the viewer's memory: this test sees too little there", windows, texts)
	}
}

// looksIntoFiles looks for the needles in the logs and in all that the relays keep.
func (u *unread) looksIntoFiles(t *testing.T) {
	t.Helper()
	for _, n := range u.relays() {
		log := regexp.MustCompile(`(?m)^Share .*$`).ReplaceAllString(n.said(t), "") // what a person is shown
		u.needles.absent(t, "the log of "+n.name, []byte(log))
		files := 0
		must(t, filepath.WalkDir(u.keys(n), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			files++
			u.needles.absent(t, path, b, joinText, joinBytes)
			return err
		}))
		if files == 0 {
			t.Errorf("%s has no files in its folder", n.name)
		}
	}
}

// looksIntoPackets looks for the needles in all that went over the network, and within each machine but
// the viewer's own.
func (u *unread) looksIntoPackets(t *testing.T) {
	t.Helper()
	for _, n := range u.nodes() {
		for _, c := range u.captures[n] {
			got := c.end(t)
			if c.nic == nic && float64(len(got)) < 0.9*float64(n.sent(t)) {
				t.Errorf("%d bytes were captured at %s, which has sent %d", len(got), c.name(), n.sent(t))
			}
			var may []string
			if n == u.source && c.nic == "lo" {
				may = []string{"the title"} // relay link has asked there
			}
			if n != u.viewer || c.nic != "lo" {
				u.needles.absent(t, "what was captured at "+c.name(), got, may...)
				continue
			}
			windows, texts := u.needles.in(got)
			t.Logf("%d of %d windows are in what the player was sent, %d bytes", windows, len(u.needles.windows), len(got))
			if windows < 1000 || !slices.Equal(texts, []string{"the title"}) {
				t.Errorf("%d windows and %q are in what the viewer's player was sent", windows, texts)
			}
		}
	}
	u.seesTheWire(t)
}

// seesTheWire checks that a piece of the clip would have been found on the network, where packets are short: it is sent
// there in the clear.
func (u *unread) seesTheWire(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(clip)
	must(t, err)
	c := u.blind.capture(t, "blind", nic)
	var l net.Listener
	must(t, u.blind.do(func() (err error) {
		l, err = net.Listen("tcp", u.blind.addr+":0")
		return err
	}))
	defer l.Close()
	conn, err := u.source.dial(t.Context(), "tcp", l.Addr().String())
	must(t, err)
	_, err = conn.Write(b[:64<<10]) // the sockets' queues take it
	must(t, errors.Join(err, conn.Close()))
	in, err := l.Accept()
	must(t, err)
	defer in.Close()
	_, err = io.Copy(io.Discard, in)
	must(t, err)
	windows, _ := u.needles.in(c.end(t))
	if t.Logf("%d windows are in 64 KiB of the clip that went over the network in the clear", windows); windows < 1000 {
		t.Error("this test sees nothing there")
	}
}
