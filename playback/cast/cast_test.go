package cast

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"relay/playback/playtest"
)

const patience = time.Minute

func play(t *testing.T, c *playtest.Chromecast, told func(string)) error {
	t.Helper()
	c.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := Dial(ctx, c.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if told == nil {
		told = func(string) {}
	}
	err = s.Play(ctx, Media{"http://192.0.2.1/x", "T"}, told)
	if ctx.Err() == context.DeadlineExceeded {
		t.Error("it does not end")
	}
	return err
}

func TestADeviceThatDoesNotPlayIsLeftClean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		device *playtest.Chromecast
		want   error
	}{
		"no player":     {&playtest.Chromecast{Refuse: "NOT_FOUND"}, ErrLaunch},
		"cannot load":   {&playtest.Chromecast{Play: func(string) string { return "LOAD_FAILED" }}, ErrLoad},
		"another wins":  {&playtest.Chromecast{Play: func(string) string { return "LOAD_CANCELLED" }}, ErrLoad},
		"does not know": {&playtest.Chromecast{Play: func(string) string { return "INVALID_REQUEST" }}, ErrLoad},
	} {
		if err := play(t, c.device, nil); !errors.Is(err, c.want) || c.device.Busy() {
			t.Errorf("%s: %v, busy %v; said %v", name, err, c.device.Busy(), c.device.Said())
		}
	}
}

func TestNonsenseEndsASession(t *testing.T) {
	t.Parallel()
	receiver := func(text string) []byte { return playtest.Cast(platform, sender, aboutReceiver, text) }
	for name, c := range map[string]struct {
		script []byte
		want   error
	}{
		"4 GB":                   {[]byte("\xff\xff\xff\xff\x08\x00"), ErrNonsense},
		"a byte more than fits":  {[]byte("\x00\x01\x00\x01\x08\x00"), ErrNonsense},
		"no UTF-8":               {receiver("{\"type\":\"\xff\"}"), ErrNonsense},
		"no JSON":                {receiver("hello"), ErrNonsense},
		"a list":                 {receiver("[]"), ErrNonsense},
		"deep JSON":              {receiver(strings.Repeat("[", 60_000)), ErrNonsense},
		"a status of text":       {receiver(`{"type":"RECEIVER_STATUS","status":"x"}`), ErrNonsense},
		"a field beyond the end": {[]byte("\x00\x00\x00\x03\x12\x7fx"), ErrNonsense},
		"groups":                 {[]byte("\x00\x00\x00\x02\x0b\x0c"), ErrNonsense},
		"HTTP":                   {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), ErrNonsense},
	} {
		if err := play(t, &playtest.Chromecast{Script: c.script}, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the device says while it plays ends the session with the right word.
func TestHowPlayingEnds(t *testing.T) {
	s := &Session{session: "s1", transport: "web-1", loaded: 2, playing: true}
	for text, want := range map[string]error{
		`{"type":"MEDIA_STATUS","status":[{"playerState":"IDLE","idleReason":"FINISHED"}]}`:    ErrEnded,
		`{"type":"MEDIA_STATUS","status":[{"playerState":"IDLE","idleReason":"ERROR"}]}`:       ErrLoad,
		`{"type":"MEDIA_STATUS","status":[{"playerState":"IDLE","idleReason":"CANCELLED"}]}`:   ErrTaken,
		`{"type":"MEDIA_STATUS","status":[{"playerState":"IDLE","idleReason":"INTERRUPTED"}]}`: ErrTaken,
		`{"type":"MEDIA_STATUS","status":[{"playerState":"PAUSED"}]}`:                          nil,
		`{"type":"MEDIA_STATUS","status":[]}`:                                                  nil,
		`{"type":"QUEUE_CHANGE"}`:                                                              nil,
	} {
		if _, err := s.take(message{"web-1", sender, aboutMedia, text}); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := s.take(message{platform, sender, aboutReceiver, `{"type":"RECEIVER_STATUS","status":{"applications":[{"appId":"YouTube","sessionId":"s2","transportId":"x"}]}}`}); err != ErrTaken || s.session != "" {
		t.Errorf("another app: %v", err)
	}
}

func TestAnswersNameDevices(t *testing.T) {
	from := netip.MustParseAddr("192.0.2.7")
	pack := func(change func(*dns.Msg)) []byte {
		h := func(name string, kind uint16) dns.RR_Header {
			return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 1}
		}
		m := dns.Msg{Extra: []dns.RR{
			&dns.SRV{Hdr: h("X-1."+service, dns.TypeSRV), Port: 8009, Target: "x.local."},
			&dns.TXT{Hdr: h("x-1."+service, dns.TypeTXT), Txt: []string{"fn=Küche \x1b[2J\u202e", "md=TV"}},
		}}
		m.Response = true
		change(&m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		change func(*dns.Msg)
		want   []Device
	}{
		"no address": {func(*dns.Msg) {}, []Device{{"Küche ?[2J?", "TV", netip.AddrPortFrom(from, 8009)}}},
		"a question": {func(m *dns.Msg) { m.Response = false }, nil},
		"no text":    {func(m *dns.Msg) { m.Extra = m.Extra[:1] }, []Device{{"x-1", "", netip.AddrPortFrom(from, 8009)}}},
		"port 0":     {func(m *dns.Msg) { m.Extra[0].(*dns.SRV).Port = 0 }, nil},
		"another service": {func(m *dns.Msg) {
			m.Extra[0].Header().Name = "x._printer._tcp.local."
		}, nil},
	} {
		got := parseAnswer(pack(c.change), from)
		if len(got) == 1 && len(c.want) == 1 { // how marks are shown is oneline's
			if strings.ContainsAny(got[0].Name, "\x1b\u202e") || !strings.HasPrefix(got[0].Name, strings.SplitN(c.want[0].Name, " ", 2)[0]) {
				t.Errorf("%s: %q", name, got[0].Name)
			}
			got[0].Name = c.want[0].Name
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzCast(f *testing.F) {
	f.Add(message{"a", "b", aboutMedia, `{"type":"MEDIA_STATUS","status":[{"playerState":"IDLE"}]}`}.frame())
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x00\x84\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		parseAnswer(b, netip.MustParseAddr("192.0.2.7"))
		r := bytes.NewReader(b)
		s := &Session{session: "s", transport: "t", loaded: 1}
		for {
			m, err := readMessage(r)
			if err == io.EOF {
				return
			}
			if err != nil {
				if err != errFrame && err != io.ErrUnexpectedEOF {
					t.Fatal(err)
				}
				return
			}
			if again, err := readMessage(bytes.NewReader(m.frame())); err != nil && len(m.frame()) <= maxFrame+4 || err == nil && again != m {
				t.Fatalf("%+v becomes %+v, %v", m, again, err)
			}
			if m.namespace != aboutHeartbeat {
				s.take(m)
			}
		}
	})
}
