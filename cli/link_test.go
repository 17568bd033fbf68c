package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/store"
	"relay/relay/stream"
)

func TestLinkOfTheChannelThatIsMeant(t *testing.T) {
	channel := func(id, title, link string) api.ChannelStatus {
		return api.ChannelStatus{Channel: api.Channel{ID: id, Name: id[:4], Title: title}, Share: api.Share{Link: link}}
	}
	finals, table, quiet := channel("aaaabbbb", "Finals", "relay://1"), channel("aaaacccc", "Finals, table 3", "relay://2"), channel("dddd", "", "")
	for _, c := range []struct {
		wanted string
		of     []api.ChannelStatus
		want   string
		code   int
	}{
		{"", []api.ChannelStatus{finals}, "relay://1", 0},
		{"", []api.ChannelStatus{finals, table}, "", fault.ExitUsage},
		{"aaaa", []api.ChannelStatus{finals, table}, "", fault.ExitUsage},
		{"aaaac", []api.ChannelStatus{finals, table}, "relay://2", 0},
		{"finals", []api.ChannelStatus{table, finals}, "relay://1", 0}, // the very title
		{"finals,", []api.ChannelStatus{finals, table}, "relay://2", 0},
		{"zzzz", []api.ChannelStatus{finals}, "", fault.ExitNobody},
		{"", nil, "", fault.ExitNobody},
		{"dddd", []api.ChannelStatus{finals, quiet}, "", fault.ExitRuntime}, // has none
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(mustJSON(t, api.Status{Channels: c.of})))
		}))
		share, err := runningLink(t.Context(), &asker{addr: srv.Listener.Addr().String()}, c.wanted)
		srv.Close()
		var f *fault.Error
		if share.Link != c.want || c.code == 0 && err != nil || c.code != 0 && (!errors.As(err, &f) || f.Code != c.code) {
			t.Errorf("%q of %d: %q, %v; want %q, exit %d", c.wanted, len(c.of), share.Link, err, c.want, c.code)
		}
	}
}

func TestLinkOfAKeyThatIsStored(t *testing.T) {
	own := func(names ...string) []store.OwnChannel {
		var all []store.OwnChannel
		for i, n := range names {
			all = append(all, store.OwnChannel{Name: n, ID: stream.ChannelID{byte(i) << 4}})
		}
		return all
	}
	id := func(i byte) string { return stream.ChannelID{i << 4}.String() }
	for _, c := range []struct {
		wanted string
		own    []store.OwnChannel
		want   string // whose ID
		code   int
	}{
		{"", own("live"), id(0), 0},
		{"", own("second"), id(0), 0},         // there is no other
		{"", own("finals", "live"), id(1), 0}, // as plain relay source has it
		{"", own("a", "b"), "", fault.ExitUsage},
		{id(1), own("a", "b"), id(1), 0},
		{id(1)[:5], own("a", "b"), id(1), 0},
		{"zzz", own("a"), "", fault.ExitNobody},
		{"", nil, "", fault.ExitNobody},
	} {
		got, err := storedLink("NAME", c.wanted, c.own, []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:9")}, 7144)
		var f *fault.Error
		if c.code != 0 {
			if !errors.As(err, &f) || f.Code != c.code || f.Hint == "" {
				t.Errorf("%q of %v: %v, want exit %d", c.wanted, c.own, err, c.code)
			}
			continue
		}
		u, parseErr := relay.ParseInvite(got)
		if err != nil || parseErr != nil || !strings.HasPrefix(got, "relay://"+c.want+"@[2001:db8::1]:9,") || u.Hosts[len(u.Hosts)-1].Port != 7144 {
			t.Errorf("%q of %v: %s, %v, %v", c.wanted, c.own, got, err, parseErr)
		}
	}
}

func TestStatusThatIsNotTold(t *testing.T) {
	for code, says := range map[int]string{
		http.StatusNotFound:  "is it a relay of this version?",
		http.StatusForbidden: "does not tell how it is doing (403 Forbidden)",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		a := asker{addr: srv.Listener.Addr().String()}
		if _, err := a.status(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d: %v", code, err)
		}
		srv.Close()
	}
}
