package station

import (
	"net"
	"testing"
)

// at is a listener at an address, and no more.
type at struct {
	net.Listener
	addr string
}

func (a at) Addr() net.Addr {
	t, err := net.ResolveTCPAddr("tcp", a.addr)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWhereChannelsArePlayedOverRTMP(t *testing.T) {
	for _, c := range []struct{ listens, host, want string }{
		{"127.0.0.1:1935", "localhost:7145", "rtmp://127.0.0.1:1935/live"},
		{"127.0.0.1:1935", "127.0.0.1", "rtmp://127.0.0.1:1935/live"},
		{"127.0.0.1:1935", "[::1]:7145", "rtmp://127.0.0.1:1935/live"},
		{"127.0.0.1:1935", "192.168.1.5:7145", ""},
		{"127.0.0.1:1935", "studio:7145", ""},
		{"127.0.0.1:1935", "", ""},
		{"[::]:1936", "192.168.1.5:7145", "rtmp://192.168.1.5:1936/live"},
		{"[::]:1936", "studio", "rtmp://studio:1936/live"},
		{"[::]:1936", "[fd00::5]", "rtmp://[fd00::5]:1936/live"},
		{"192.168.1.5:1935", "studio:7145", "rtmp://192.168.1.5:1935/live"},
	} {
		s := &Station{RTMP: at{addr: c.listens}}
		if got := s.rtmpAt(c.host); got != c.want {
			t.Errorf("at %s for %q: %q, want %q", c.listens, c.host, got, c.want)
		}
	}
	if got := (&Station{}).rtmpAt("localhost"); got != "" {
		t.Errorf("without a listener: %q", got)
	}
}
