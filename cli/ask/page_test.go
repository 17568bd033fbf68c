package ask

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/playback/api"
	"relay/relay/stream"
)

func TestAPageIsAskedForItsLink(t *testing.T) {
	id := func(b byte) string { return stream.ChannelID{b << 3}.String() }
	channel := func(b byte, title, link string) api.PublicChannel {
		return api.PublicChannel{Channel: api.Channel{ID: id(b), Title: title}, URLs: api.URLs{Link: link}}
	}
	link := "relay://" + id(1) + "@192.168.1.5:9000"
	for name, c := range map[string]struct {
		status int
		of     []api.PublicChannel
		path   string
		want   string
		code   int
	}{
		"one channel":                    {200, []api.PublicChannel{channel(1, "Finals", link)}, "", link, 0},
		"a node that tells no link":      {200, []api.PublicChannel{channel(1, "", "")}, "", "relay://" + id(1) + "@127.0.0.1:7144", 0},
		"a link to another channel":      {200, []api.PublicChannel{channel(2, "", link)}, "", "relay://" + id(2) + "@127.0.0.1:7144", 0},
		"a link that makes no sense":     {200, []api.PublicChannel{channel(1, "", "relay://\x1b[2J")}, "", "relay://" + id(1) + "@127.0.0.1:7144", 0},
		"the one that is named":          {200, []api.PublicChannel{channel(2, "", ""), channel(1, "", link)}, "/#" + id(1)[:8], link, 0},
		"a stream of the page's":         {200, []api.PublicChannel{channel(2, "", ""), channel(1, "", link)}, "/" + id(1)[:8] + ".mp4", link, 0},
		"none of that name":              {200, []api.PublicChannel{channel(1, "", link)}, "/#zzzz", "", fault.ExitNobody},
		"several":                        {200, []api.PublicChannel{channel(2, "", ""), channel(1, "", link)}, "", "", fault.ExitUsage},
		"none":                           {200, nil, "", "", fault.ExitNobody},
		"no ID":                          {200, []api.PublicChannel{{}}, "", "", fault.ExitRuntime},
		"not for this machine":           {403, nil, "", "", fault.ExitNobody},
		"another program":                {404, nil, "", "", fault.ExitNobody},
		"another program that says well": {-1, nil, "", "", fault.ExitRuntime},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/v1/channels" {
				t.Errorf("%s: asked for %s", name, r.URL.Path)
			}
			if c.status < 0 {
				io.WriteString(w, "<html>")
				return
			}
			w.WriteHeader(c.status)
			io.WriteString(w, encoded(t, api.Channels{Channels: c.of}))
		}))
		p, err := Paste(srv.URL + c.path)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := p.InviteFrom(t.Context())
		got := ""
		if err == nil {
			got = inv.String()
		}
		var f *fault.Error
		if got != c.want || c.code == 0 && err != nil || c.code != 0 && (!errors.As(err, &f) || f.Code != c.code || f.Hint == "") {
			t.Errorf("%s: %s, %v; want %s, exit code %d", name, got, err, c.want, c.code)
		}
		srv.Close()
		if _, err := p.InviteFrom(t.Context()); !errors.As(err, &f) || f.Code != fault.ExitNobody || !strings.Contains(f.Hint, "the page's address") {
			t.Errorf("%s: nobody is there: %v", name, err)
		}
	}
}

func TestALinkNeedsNoQuestion(t *testing.T) {
	for _, text := range []string{"relay://" + pastedID + "@127.0.0.1:1", "finals", ""} {
		p, err := Paste(text)
		if err != nil {
			t.Fatal(err)
		}
		if inv, err := p.InviteFrom(t.Context()); err != nil || len(inv.Hosts) != len(p.Invite.Hosts) {
			t.Errorf("%q: %v, %v", text, inv, err)
		}
	}
}
