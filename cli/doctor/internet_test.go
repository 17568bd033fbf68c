package doctor

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/cli/ask"
	"relay/playback/api"
	"relay/relay"
)

func TestWhatOthersFoundOutIsSaidWithWhatToDo(t *testing.T) {
	asked := func(ds ...api.DialBack) internet {
		return internet{asked: true, DialBacks: api.DialBacks{Channels: []api.ChannelDialBack{{Name: "aaaaaaaa", Asked: ds}}}}
	}
	d := func(tcp, udp string) api.DialBack {
		return api.DialBack{By: "198.51.100.1:7144", Addr: "203.0.113.7:9000", TCP: tcp, UDP: udp}
	}
	near := d(api.ReachOpen, "")
	near.Near = true
	for name, c := range map[string]struct {
		in   internet
		want string
	}{
		"it was not wanted":  {internet{}, ""},
		"nobody to ask":      {internet{asked: true, err: errors.New("no relay runs here"), next: "Name a link."}, "todo Nobody could be asked to dial this machine: no relay runs here. => Name a link."},
		"nobody is known":    {asked(), "note No other node of channel aaaaaaaa is known => Have somebody elsewhere"},
		"it takes no links":  {internet{asked: true, DialBacks: api.DialBacks{Channels: []api.ChannelDialBack{{Name: "a", Problem: "it takes no links"}}}}, "note Nobody was asked about channel a: it takes no links."},
		"it does not answer": {asked(api.DialBack{By: "a:1", Problem: "it does not answer: timeout"}), "note a:1 was asked to dial this machine, and has not: it does not answer: timeout."},
		"both":               {asked(d(api.ReachOpen, api.ReachOpen)), "ok 198.51.100.1:7144 gets through to 203.0.113.7:9000, over TCP and over UDP."},
		"in this network":    {asked(near), "ok 198.51.100.1:7144 gets through to 203.0.113.7:9000 over TCP; UDP was not tried. It is in this network"},
		"no UDP":             {asked(d(api.ReachOpen, api.ReachClosed)), "todo 198.51.100.1:7144 gets through to 203.0.113.7:9000 over TCP, and not over UDP. => let port 9000 in over UDP"},
		"no TCP":             {asked(d(api.ReachClosed, api.ReachOpen)), "todo 198.51.100.1:7144 gets through to 203.0.113.7:9000 over UDP, and not over TCP. => let port 9000 in over TCP"},
		"neither":            {asked(d(api.ReachClosed, api.ReachClosed)), "todo 198.51.100.1:7144 sees this machine at 203.0.113.7:9000 and does not get through => Forward port 9000, TCP and UDP"},
	} {
		wantFindings(t, name, machine{internet: c.in}.checkInternet(), c.want)
	}
}

func TestWhatToDoIfNobodyCanBeAskedFollowsFromWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	old := httptest.NewServer(http.NotFoundHandler())
	defer old.Close()
	invite := relay.Invite{Hosts: []relay.HostPort{{Host: "127.0.0.1", Port: 1}}}
	for name, c := range map[string]struct {
		running bool
		invite  *relay.Invite
		why     string
		next    string
	}{
		"no relay and no link":      {false, nil, "no relay runs here", "Name a link"},
		"the port is taken":         {false, &invite, "cannot be opened", "takes another port"},
		"the relay is an older one": {true, &invite, "of this version", "in this version"},
	} {
		cfg := Config{
			Relay: &ask.Relay{Addr: strings.TrimPrefix(old.URL, "http://")}, Invite: c.invite,
			Ports: []Port{{Number: taken.Addr().(*net.TCPAddr).Port}},
		}
		in := askInternet(t.Context(), cfg, c.running)
		if in.err == nil || !strings.Contains(in.err.Error(), c.why) || !strings.Contains(in.next, c.next) {
			t.Errorf("%s: %v, %q", name, in.err, in.next)
		}
	}
}
