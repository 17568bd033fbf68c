package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"relay/relay"
)

// narrow is a connection that takes in at most narrowRate, over a small buffer: what
// waits does so at the source.
type narrow struct{ net.Conn }

const (
	narrowRate   = 150_000  // bytes a second
	narrowBuffer = 32 << 10 // bytes
)

func (c narrow) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), 4096)])
	time.Sleep(time.Duration(n) * time.Second / narrowRate)
	return n, err
}

func narrowDial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { // before it connects, or the window is larger
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, narrowBuffer)
		})
		return errors.Join(err, set)
	}}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return narrow{conn}, nil
}

// The clip is on its way to a narrow child for two seconds after the source has read it.
func TestASourceStaysUntilASlowChildHasTheEnd(t *testing.T) {
	t.Parallel()
	clip, err := os.ReadFile("demo/demo.flv")
	if err != nil {
		t.Fatal(err)
	}
	input, feed := io.Pipe()
	told, out := io.Pipe()
	cmd := exec.Command("relay", "source", "-", "--no-discovery", "--no-qr", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--http", "127.0.0.1:0", "--config", t.TempDir()+"/keys")
	cmd.Stdin, cmd.Stderr = input, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); out.Close() }()
	t.Cleanup(func() {
		feed.Close()
		_ = cmd.Process.Kill()
		<-ended
	})
	const begun = 32 << 10 // bytes: the first keyframe is in them, and no second one
	if _, err := feed.Write(clip[:begun]); err != nil {
		t.Fatal(err)
	}
	u, err := relay.ParseInvite(linkIn(t, told))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, told) }() // ends with the process

	_, key, _ := ed25519.GenerateKey(rand.Reader)
	node, err := relay.New(relay.Config{Key: key, Dial: narrowDial})
	if err != nil {
		t.Fatal(err)
	}
	child, err := node.Watch(u, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() { _ = child.Run(ctx); close(gone) }()
	defer func() { cancel(); <-gone }()
	// It begins with the newest keyframe: what comes before it takes the stream is not its to have.
	first, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if _, err := child.Ring().Cursor().Next(first); err != nil {
		t.Fatalf("the child gets nothing: %v", err)
	}

	if _, err := feed.Write(clip[begun:]); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	fed := time.Now()
	select {
	case err := <-ended:
		ended <- err
	case <-time.After(patience):
		t.Fatal("the source does not end")
	}
	t.Logf("the source stayed for %v", time.Since(fed))
	has := func() int { return int(child.Ring().Stats().Bytes) }
	want := len(clip) - 1000 // what is in the header does not come again
	// What is on its way still arrives.
	for end := time.Now().Add(patience); has() < want; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the child has %d bytes of a clip of %d", has(), len(clip))
		}
	}
}

// linkIn reads up to the link that a source prints.
func linkIn(t *testing.T, r io.Reader) string {
	t.Helper()
	link := regexp.MustCompile(`relay://\S+`)
	var text []byte
	b := make([]byte, 1024)
	for {
		n, err := r.Read(b)
		text = append(text, b[:n]...)
		if l := link.Find(text); l != nil {
			return string(l)
		}
		if err != nil {
			t.Fatalf("no link in %q", text)
		}
	}
}
