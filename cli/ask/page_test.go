package ask

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/cli/fault"
	"relay/playback/api"
	"relay/relay"
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
		"an ID of no sense":              {200, []api.PublicChannel{channel(1, "", ""), {Channel: api.Channel{ID: "\x1b[2J"}}}, "", "", fault.ExitRuntime},
		"a secret in a stranger's link":  {200, []api.PublicChannel{channel(1, "", link+"#passphrase")}, "", link, 0},
		"the one that is titled so":      {200, []api.PublicChannel{channel(2, "", ""), channel(1, "live", link)}, "/live.flv", link, 0},
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
			got = inv.Link()
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

// pageAt serves a page below base.
func pageAt(t *testing.T, base, link string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != base+"/api/v1/channels" {
			http.NotFound(w, r)
			return
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(link, relay.Scheme), "@")
		io.WriteString(w, encoded(t, api.Channels{Channels: []api.PublicChannel{{Channel: api.Channel{ID: id}, URLs: api.URLs{Link: link}}}}))
	}
}

func TestAPageMayBeBelowAProxysPath(t *testing.T) {
	id := stream.ChannelID{5 << 3}.String()
	link := "relay://" + id + "@192.168.1.5:9000"
	for _, c := range []struct {
		base, path string
		ok         bool
	}{
		{"", "", true},
		{"", "/", true},
		{"", "/index.html", true},
		{"", "/somewhere/else/", true}, // of the page, by a mistake
		{"", "/" + id[:8], true},
		{"", "/" + id[:8] + ".flv", true},
		{"", "/hls/" + id[:8] + "/index.m3u8", true},
		{"/live", "/live", true}, // could be a channel
		{"/live", "/live/", true},
		{"/live", "/live/#" + id[:8], true},
		{"/live", "/live/" + id[:8] + ".ts?start=gop", true},
		{"/live", "/live/hls/" + id[:8] + "/index.m3u8", true},
		{"/tv/live", "/tv/live/" + id[:8], true},
		{"/live", "/", false},
		{"", "/#zzzzzzzz", false},
	} {
		srv := httptest.NewServer(pageAt(t, c.base, link))
		inv, err := Invite(t.Context(), srv.URL+c.path, nil)
		if srv.Close(); (err == nil) != c.ok || err == nil && inv.Link() != link {
			t.Errorf("a page at %q, asked for as %q: %v, %v", c.base, c.path, inv, err)
		}
	}
}

func TestAPageIsBelievedWithinBounds(t *testing.T) {
	link := "relay://" + stream.ChannelID{5 << 3}.String() + "@192.168.1.5:9000"
	other := httptest.NewServer(pageAt(t, "", link)) // another port of this host
	defer other.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(other.URL, "http://"), ":")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string // "" for a link
	}{
		"sent on, on its host":   {http.RedirectHandler(other.URL+"/api/v1/channels", http.StatusFound).ServeHTTP, ""},
		"sent on to elsewhere":   {http.RedirectHandler("http://localhost:"+port+"/api/v1/channels", http.StatusFound).ServeHTTP, "no relay's page: it leads to another host"},
		"sent on for ever":       {http.RedirectHandler("/api/v1/channels", http.StatusFound).ServeHTTP, "no relay's page: it leads"},
		"most":                   {func(w http.ResponseWriter, r *http.Request) { padded(w, r, pageAt(t, "", link), pageMost-1000) }, ""},
		"more":                   {func(w http.ResponseWriter, r *http.Request) { padded(w, r, pageAt(t, "", link), pageMost) }, "it is longer than 64 KiB"},
		"no end of header lines": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*pageMost)) }, "no relay answers at"},
		"a page of words":        {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>\x1b[2J") }, "makes no sense"},
		"another thing":          {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"channels":7}`) }, "makes no sense"},
		"nothing":                {func(w http.ResponseWriter, r *http.Request) {}, "makes no sense"},
	} {
		srv := httptest.NewServer(c.answer)
		inv, err := Invite(t.Context(), srv.URL, nil)
		srv.Close()
		if c.says == "" && (err != nil || inv.Link() != link) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\x1b\n") || errHint(err) == "") {
			t.Errorf("%s: %v, %v", name, inv, err)
		}
	}
}

// padded answers with n bytes of blanks first.
func padded(w http.ResponseWriter, r *http.Request, next http.HandlerFunc, n int) {
	io.WriteString(w, strings.Repeat(" ", n))
	next(w, r)
}

func TestAPageIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, trip := range map[string]tripper{
			"silent": func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			},
			"a byte each second": func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(trickle{r.Context()})}, nil
			},
		} {
			p, err := Paste("http://10.0.0.1/live/")
			if err != nil {
				t.Fatal(err)
			}
			a := p.stranger()
			a.client.Transport = trip
			began := time.Now()
			_, err = p.inviteAsked(t.Context(), a)
			if took := time.Since(began); took != pagePatience || err == nil || err.Error() != "no relay answers at 10.0.0.1 within 5s" {
				t.Errorf("%s: %v, after %v", name, err, took)
			}
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// trickle is a body that has a blank each second.
type trickle struct{ ctx context.Context }

func (s trickle) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func TestAMachinesNameIsOneWhereNoChannelsNameIsOfUse(t *testing.T) {
	for text, says := range map[string]string{
		"relay.invalid": "no relay answers at relay.invalid:7145",
		"finals":        `"finals" is no link`,
		"":              `"" is no link`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nobody is asked
		if _, err := Invite(ctx, text, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
