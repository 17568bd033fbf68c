package station

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"testing"

	"go.uber.org/zap"

	"relay/cli/lan"
	"relay/cli/term"
	"relay/relay/seal"
)

// Ports opened before the one that fails must be closed again, because a retry needs them.
func TestAStationThatCannotBeOpenedLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free := func() string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		return ln.Addr().String()
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []string{"rtmp", "listen", "http", "admin"} {
		addrs := map[string]string{}
		port := func(flag string) Port {
			addrs[flag] = free()
			if flag == last {
				addrs[flag] = taken.Addr().String()
			}
			return Port{What: flag, Flag: flag, Addr: addrs[flag], Given: true}
		}
		cfg := Config{
			Key: key, RTMP: port("rtmp"), Listen: port("listen"), HTTP: port("http"), Admin: port("admin"),
			Discovery: lan.Config{Off: true},
		}
		quiet := &term.Terminal{Out: io.Discard, Err: io.Discard}
		if s, err := Open(quiet, zap.NewNop(), cfg); err == nil {
			s.Close()
			t.Fatalf("a station opens though the port for %s is taken", last)
		}
		delete(addrs, last)
		for flag, addr := range addrs {
			ln, err := net.Listen("tcp", addr)
			if err != nil {
				t.Errorf("without a port for %s: %s is still open: %v", last, flag, err)
				continue
			}
			ln.Close()
		}
	}
}

func TestPlayersOfAPrivateChannelStayHereUnlessTVsAreAsked(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{HTTP: Port{Addr: ":7145"}, Near: true}, "127.0.0.1:7145"},
		{Config{HTTP: Port{Addr: ":7145"}, Near: true, TV: Port{Addr: ":7150"}}, ":7145"},
		{Config{HTTP: Port{Addr: ":7145"}}, ":7145"}, // the user has said so
	} {
		c.cfg.Private(seal.New())
		if c.cfg.HTTP.Addr != c.want {
			t.Errorf("players ask at %s, want %s", c.cfg.HTTP.Addr, c.want)
		}
	}
}
