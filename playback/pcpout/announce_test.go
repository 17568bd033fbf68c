package pcpout_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"relay/playback/api"
	"relay/playback/pcpout"
	"relay/relay/pcp"
)

// list is a YP, which takes one announcer.
type list struct {
	t     *testing.T
	ln    net.Listener
	conn  net.Conn
	atoms *pcp.Reader
}

func newList(t *testing.T) *list {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return &list{t: t, ln: ln}
}

// greet takes the announcer in, and tries its port as lists do.
func (l *list) greet() pcp.Helo {
	l.t.Helper()
	var err error
	if l.conn, err = l.ln.Accept(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { l.conn.Close() })
	l.conn.SetDeadline(time.Now().Add(time.Minute))
	l.atoms = pcp.NewReader(bufio.NewReader(l.conn))
	if over, err := pcp.ParseConnect(l.next()); err != nil || over != pcp.Over4 {
		l.t.Fatal(over, err)
	}
	h, err := pcp.ParseHelo(l.next())
	if err != nil {
		l.t.Fatal(err)
	}
	l.say(pcp.Oleh{Agent: "YP", Session: id(0x99), Version: 1218, Remote: l.conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), Port: h.Ping}.Append(nil))
	return h
}

func (l *list) next() pcp.Atom {
	l.t.Helper()
	a, err := l.atoms.Next()
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l *list) say(b []byte) {
	l.t.Helper()
	if _, err := l.conn.Write(b); err != nil {
		l.t.Fatal(err)
	}
}

func (l *list) entry() pcp.Bcst {
	l.t.Helper()
	m, err := pcp.ParseBcst(l.next())
	if err != nil {
		l.t.Fatal(err)
	}
	return m
}

func TestAListHasTheChannelAsLongAsItIsOnTheAir(t *testing.T) {
	s := start(t)
	s.group()
	l := newList(t)
	told := make(chan error, 10)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.server.Announce(ctx, pcpout.Announcement{
			List: l.ln.Addr().String(), Channel: s.id, Port: 7144, Every: time.Hour,
			Told: func(port uint16, err error) {
				if err == nil && port != 7144 {
					err = errors.New("another port")
				}
				told <- err
			},
		})
	}()
	defer func() { cancel(); <-ended }()
	h := l.greet()
	if h.Session != ours || h.Ping != 7144 || h.Port != 0 || h.Broadcast != pcp.BroadcastID(s.id) {
		t.Errorf("%+v", h)
	}
	m := l.entry()
	if m.Group != pcp.ToRoot || m.TTL != 7 || m.Hops != 0 || m.From != ours || m.Chan == nil || m.Host == nil {
		t.Fatalf("%+v", m)
	}
	if c := m.Chan; c.ID != pcp.ChannelID(s.id) || c.Broadcast != pcp.BroadcastID(s.id) || c.Info.Name != "The title" || c.Info.Genre != "Музыка" || c.Info.Type != "FLV" || c.Packet != nil {
		t.Errorf("%+v, %+v", c, c.Info)
	}
	if h := m.Host; h.Channel != m.Chan.ID || h.Session != ours || h.Global.String() != "127.0.0.1:7144" || h.Flags != pcp.Tracker|pcp.Receiving|pcp.RelayFree {
		t.Errorf("%+v", h)
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
	began := time.Now()
	// It wants the entry again at once, and would have it every second for ever.
	update := bytesOf("root", 2, "uint\x04\x00\x00\x00\x01\x00\x00\x00"+"upd\x00\x00\x00\x00\x80")
	for range 100 { // more than are taken before the end, which must not wait for them
		l.say(update)
	}
	l.entry()
	s.mu.Lock()
	s.facts = api.Facts{Closed: true}
	s.mu.Unlock()
	more := 0
	for a := l.next(); ; a = l.next() {
		if why, err := pcp.ParseQuit(a); err == nil {
			if why != pcp.QuitOffAir {
				t.Errorf("%s", why)
			}
			break
		}
		more++
	}
	if most := 1 + int(time.Since(began)/(5*time.Second)); more > most {
		t.Errorf("%d more entries, want %d at most", more, most)
	}
	if err := <-told; !errors.Is(err, pcpout.ErrNotOnAir) {
		t.Error(err)
	}
}

// bytesOf is an atom with children that are written already.
func bytesOf(name string, kids byte, children string) []byte {
	return append([]byte(name), append([]byte{kids, 0, 0, 0x80}, children...)...)
}

func TestAListThatSaysNoIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		says []byte
		want string
	}{
		"it quits":               {pcp.AppendQuit(nil, pcp.QuitUnavailable), pcpout.ErrListQuit.Error()},
		"it speaks no PCP":       {[]byte("HTTP/1.0"), "PCP atom \"HTTP\": pcp_unknown_atom"},
		"it breaks the protocol": {bytesOf("root", 1, "uint\x02\x00\x00\x00\x01\x00"), "PCP atom \"uint\": pcp_wrong_size"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.group()
			l := newList(t)
			told := make(chan error, 10)
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.server.Announce(ctx, pcpout.Announcement{List: l.ln.Addr().String(), Channel: s.id, Port: 7144, Told: func(_ uint16, err error) { told <- err }})
			}()
			defer func() { cancel(); <-ended }()
			l.greet()
			l.entry()
			l.say(c.says)
			if err := <-told; err != nil {
				t.Error(err)
			}
			if err := <-told; err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestAddressesOfLists(t *testing.T) {
	for text, want := range map[string]string{"pcp://yp.example/": "yp.example:7144", "pcp://yp.example:7146": "yp.example:7146", "pcp://[2001:db8::1]/": "[2001:db8::1]:7144"} {
		if got, err := pcpout.ParseList(text); err != nil || got != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "yp.example", "http://yp.example/", "pcp://", "pcp://yp.example/index.txt", "pcp://yp.example:0/"} {
		if got, err := pcpout.ParseList(text); err == nil {
			t.Errorf("%s is %s", text, got)
		}
	}
}
