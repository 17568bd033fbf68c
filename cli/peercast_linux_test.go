package cli

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay/pcp/pcptest"
)

// keptText is what a process has written.
type keptText struct {
	mu sync.Mutex
	strings.Builder
}

func (k *keptText) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Builder.Write(b)
}

// until waits until a regular expression matches, and returns what its last group does.
func (k *keptText) until(t *testing.T, exp string) string {
	t.Helper()
	want, end := regexp.MustCompile("(?m)"+exp), time.Now().Add(patience)
	for ; ; time.Sleep(10 * time.Millisecond) {
		k.mu.Lock()
		text := k.String()
		k.mu.Unlock()
		if m := want.FindStringSubmatch(text); m != nil {
			return m[len(m)-1]
		}
		if time.Now().After(end) {
			t.Fatalf("%q does not come to match %q", text, exp)
		}
	}
}

// begin runs a command until the test ends, with what it writes.
func begin(t *testing.T, args ...string) *keptText {
	t.Helper()
	said := new(keptText)
	args = append(args, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "off", "--no-discovery", "--no-dht", "--no-port-mapping", "--config", t.TempDir()+"/keys")
	cmd := exec.Command("relay", args...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return said
}

// model listens as a PeerCast for the test.
func model(t *testing.T, session byte) *pcptest.Peer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := pcptest.New(pcptest.YT, session, netip.MustParseAddrPort(ln.Addr().String()), 4)
	during(t, func(ctx context.Context) { p.Serve(ctx, ln) })
	return p
}

// during runs f until the test ends.
func during(t *testing.T, f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { f(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
}

// What is said of a channel of PeerCast's that a source brings in is said to PeerCast by the source and by who watches;
// what a flag of the source says goes above, at both.
func TestWhatIsSaidOfAChannelThatIsBroughtInGoesOn(t *testing.T) {
	t.Parallel()
	clip, err := os.ReadFile("demo/demo.flv")
	if err != nil {
		t.Fatal(err)
	}
	tip, id := model(t, 1), pcptest.ID{7}
	info := pcptest.Info{Name: "Game", Genre: "first\x1b", Description: "theirs", URL: "https://example.org/them", Comment: "hello", Type: "FLV"}
	c := tip.Broadcast(id, info)
	c.SetHead(clip[:flv.FileHeaderLen])
	during(t, func(ctx context.Context) { // at some pace, as often as it takes
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			for rest := clip[flv.FileHeaderLen:]; len(rest) > 0; {
				size := 11 + int(rest[1])<<16 + int(rest[2])<<8 + int(rest[3]) + 4
				c.Write(rest[:size])
				rest = rest[size:]
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	src := begin(t, "source", "pcp://"+tip.At.String()+"/"+id.String(), "--no-qr", "--peercast", "--description", "ours")
	watch := begin(t, "watch", src.until(t, `^(relay://\S+)\n`), "--peercast")
	var got []*pcptest.Channel
	for i, said := range []*keptText{src, watch} {
		at := regexp.MustCompile(`^(.*)/(\w{32})$`).FindStringSubmatch(said.until(t, `^PeerCast +pcp://(\S+)`))
		var of pcptest.ID
		for n := range of {
			of[n] = hexByte(at[2][2*n:])
		}
		p := model(t, byte(2+i))
		got = append(got, p.Broadcast(of, pcptest.Info{}))
		during(t, func(ctx context.Context) { p.Pull(ctx, of, at[1]) })
	}
	says := func(genre string) {
		t.Helper()
		want := pcptest.Info{Genre: genre, Description: "ours", URL: info.URL, Comment: "hello"}
		for _, c := range got {
			for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				i := c.Told()
				if (pcptest.Info{Genre: i.Genre, Description: i.Description, URL: i.URL, Comment: i.Comment}) == want {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%+v, want %+v", i, want)
				}
			}
		}
	}
	says("first")
	info.Genre = "second"
	c.SetInfo(info)
	says("second")
}

func hexByte(s string) (b byte) {
	for _, c := range []byte(s[:2]) {
		b = b<<4 | byte(strings.IndexByte("0123456789ABCDEF", c))
	}
	return b
}
