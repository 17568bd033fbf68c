package playback

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/playback/api"
	"relay/relay/stream"
)

// asks has a page ask what there is to share: from is whose address, host how it calls the node.
func asks(t *testing.T, s *Server, path, from, host string) (in api.Invitation, code int, text string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = host, from
	w := httptest.NewRecorder()
	s.handler(t.Context()).ServeHTTP(w, r)
	text = w.Body.String()
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil {
			t.Fatal(err)
		}
	}
	return in, w.Code, text
}

const (
	thisMachine = "127.0.0.1:50000"
	aPhone      = "192.168.1.9:50000"
)

// sharing makes a server that knows an address of its own for programs on this machine.
func sharing(channels ...*Channel) Config {
	return Config{
		Channels: list(channels...),
		Share: func(id stream.ChannelID) api.Share {
			return api.Share{Link: "relay://" + id.String() + "@198.51.100.7:7144,192.168.1.5:7144", Page: "http://192.168.1.5:7145/"}
		},
		Link: func(id stream.ChannelID, host string) string { return "relay://" + id.String() + "@" + host },
	}
}

func TestWhatIsSharedDependsOnWhoAsks(t *testing.T) {
	src := newSource(t, stream.Limits{})
	id := src.id.String()
	s := NewServer(sharing(src.channel()))
	here, _, _ := asks(t, s, "/api/v1/share?channel="+id, thisMachine, "127.0.0.1:7145")
	if here.Link != "relay://"+id+"@198.51.100.7:7144,192.168.1.5:7144" || here.Page != "http://192.168.1.5:7145/" || !here.Near {
		t.Errorf("on this machine: %+v", here)
	}
	phone, _, text := asks(t, s, "/api/v1/share", aPhone, "192.168.1.5:7145")
	if phone.Link != "relay://"+id+"@192.168.1.5:7145" || phone.Page != "http://192.168.1.5:7145/" || !phone.Near {
		t.Errorf("a phone: %+v", phone)
	}
	if strings.Contains(text, "198.51.100.7") {
		t.Errorf("a phone is told of another address: %s", text)
	}
	if len(phone.QR) < 21 {
		t.Fatalf("a code of %d rows", len(phone.QR))
	}
	for _, row := range phone.QR {
		if len(row) != len(phone.QR) || strings.Trim(row, "01") != "" {
			t.Errorf("a row of %q in a code of %d", row, len(phone.QR))
		}
	}
	if n := len(phone.QR); !strings.HasPrefix(phone.QR[0], "1111111"+"0") || !strings.HasSuffix(phone.QR[0], "0"+"1111111") || !strings.HasPrefix(phone.QR[n-1], "11111110") {
		t.Errorf("no QR code:\n%s", strings.Join(phone.QR, "\n"))
	}
	if phone.Embed == nil || len(phone.Embed) != 0 {
		t.Errorf("sites: %v", phone.Embed)
	}
}

// What only this machine reaches has no code for phones.
func TestAPageForThisMachineAloneIsNoneForPhones(t *testing.T) {
	src := newSource(t, stream.Limits{})
	c := sharing(src.channel())
	c.Share = func(stream.ChannelID) api.Share { return api.Share{Page: "http://127.0.0.1:7145/"} }
	in, _, _ := asks(t, NewServer(c), "/api/v1/share", thisMachine, "localhost:7145")
	if in.Near || in.QR == nil || len(in.QR) > 0 || in.Link != "" {
		t.Errorf("%+v", in)
	}
	for page, want := range map[string]bool{
		"http://192.168.1.5:7145/": true, "https://live.example.org/relay/#abcd": true, "http://studio/": true, "http://[2001:db8::1]:7145/": true,
		"http://localhost:7145/": false, "http://a.localhost/": false, "http://[::1]:7145/": false, "http://127.9.9.9/": false, "": false,
	} {
		if got := reachable(page); got != want {
			t.Errorf("%s: %v", page, got)
		}
	}
}

// Nobody is given a link to a private channel, not even this machine: what a page knows, a program that
// looks at the page knows.
func TestAPrivateChannelIsSharedByNoPage(t *testing.T) {
	src := newSource(t, stream.Limits{})
	for _, canRead := range []bool{true, false} {
		ch := NewChannel(src.id, src.ring, nil)
		ch.Private(canRead)
		c := sharing(ch)
		c.Share = func(stream.ChannelID) api.Share {
			return api.Share{Link: "relay://x#secret", Page: "http://192.168.1.5:7145/"}
		}
		for _, from := range []string{thisMachine, aPhone} {
			in, code, text := asks(t, NewServer(c), "/api/v1/share", from, "192.168.1.5:7145")
			if code != http.StatusOK || !in.Private || in.Link != "" || strings.Contains(text, "relay://") || strings.Contains(text, "secret") {
				t.Errorf("%s: %d %s", from, code, text)
			}
		}
	}
}

func TestOneOfSeveralChannelsIsNamed(t *testing.T) {
	src := newSource(t, stream.Limits{})
	two := NewChannel(stream.ChannelID{1, 2, 3}, src.ring, nil)
	c := sharing(src.channel(), two)
	c.Embed = Origins{"https://example.org"}
	s := NewServer(c)
	for _, from := range []string{thisMachine, aPhone} {
		in, _, _ := asks(t, s, "/api/v1/share?channel="+two.id.Short(), from, "192.168.1.5:7145")
		if in.Page != "http://192.168.1.5:7145/#"+two.id.Short() || len(in.Embed) != 1 || in.Embed[0] != "https://example.org" {
			t.Errorf("%s: %+v", from, in)
		}
	}
	for _, path := range []string{"/api/v1/share", "/api/v1/share?channel=zzzz"} {
		if _, code, text := asks(t, s, path, aPhone, "192.168.1.5:7145"); code != http.StatusNotFound {
			t.Errorf("%s: %d %q", path, code, text)
		}
	}
}
