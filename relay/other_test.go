package relay

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// besideLinks runs a node whose port takes another protocol, too.
func besideLinks(t *testing.T, o Other) (*Node, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(Config{Key: newKey(t), Listener: ln, Other: o})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n, ln.Addr().String()
}

func say(t *testing.T, addr, what string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, what); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestTheFirstByteTellsAnotherProtocolFromLinks(t *testing.T) {
	n, addr := besideLinks(t, Other{Begins: "Gp", Take: func(_ context.Context, conn net.Conn, first []byte) {
		defer conn.Close()
		rest := make([]byte, 3)
		if _, err := io.ReadFull(conn, rest); err == nil {
			conn.Write(append(append([]byte("took "), first...), rest...))
		}
	}})
	for _, what := range []string{"GET ", "pcp\n"} {
		if got, err := io.ReadAll(say(t, addr, what)); err != nil || string(got) != "took "+what {
			t.Errorf("%q: %q, %v", what, got, err)
		}
	}
	if n := n.door.refused.All(); len(n) > 0 {
		t.Errorf("refused: %v", n)
	}
	for _, what := range []string{"POST", "\x80\x2e\x01\x00"} {
		if got, err := io.ReadAll(say(t, addr, what)); err == nil && bytes.HasPrefix(got, []byte("took")) {
			t.Errorf("%q: %q", what, got)
		}
	}
	eventually(t, "both are refused", func() bool { return n.door.refused.All()[doorTLS] == 2 })
}

func TestWithoutAnotherProtocolAllIsALink(t *testing.T) {
	n, addr := besideLinks(t, Other{})
	say(t, addr, "GET / HTTP/1.0\r\n\r\n")
	eventually(t, "it is refused", func() bool { return n.door.refused.All()[doorTLS] == 1 })
}

// TestWhoIsTakenElsewhereStandsAtNoDoor: what the other protocol bounds by itself takes no room from links.
func TestWhoIsTakenElsewhereStandsAtNoDoor(t *testing.T) {
	in := make(chan struct{})
	n, addr := besideLinks(t, Other{Begins: "G", Take: func(ctx context.Context, conn net.Conn, _ []byte) {
		defer conn.Close()
		close(in)
		<-ctx.Done() // the node waits for that
	}})
	say(t, addr, "G")
	<-in
	if there := n.door.there(func(*visitor) bool { return true }); there != 0 {
		t.Errorf("%d are at the door", there)
	}
}
