package doctor

import (
	"errors"
	"testing"

	"relay/playback/api"
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
		"nobody to ask":      {internet{asked: true, err: errors.New("no relay runs here")}, "todo Nobody could be asked to dial this machine: no relay runs here. => relay doctor --internet LINK"},
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
