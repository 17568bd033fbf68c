package rtmp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/relay/lobby"
	"relay/relay/refusal"
)

// pipe returns a peer's end of a connection that a server serves, and a channel
// that is closed when it has ended.
func pipe(c *inbox) (net.Conn, <-chan struct{}) {
	peer, conn := net.Pipe()
	ended := make(chan struct{})
	s := &Server{Publish: c.Publish}
	go func() {
		s.serve(context.Background(), conn, lobby.New(1, nil).Enter(conn))
		close(ended)
	}()
	return peer, ended
}

func TestASlowStrangerIsCutInTime(t *testing.T) {
	for name, talk := range map[string]func(peer net.Conn){
		"silent from the start": func(net.Conn) {},
		"a byte a second": func(peer net.Conn) {
			peer.Write([]byte{version})
			for {
				if _, err := peer.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(time.Second) // the bubble's
			}
		},
		"silent after the handshake": func(peer net.Conn) { handshake.DoClient(peer, false, false) },
		"deaf":                       func(peer net.Conn) { peer.Write(make([]byte, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, ended := pipe(newInbox())
				defer peer.Close()
				start := time.Now()
				var talking sync.WaitGroup
				talking.Go(func() { talk(peer) })
				<-ended
				if d := time.Since(start); d > strangerTime+lingerTime {
					t.Errorf("cut after %v", d)
				}
				peer.Close()
				talking.Wait()
			})
		})
	}
}

func TestWhoSpeaksAnotherProtocolIsKnown(t *testing.T) {
	refused := make(chan error, 1)
	addr := run(t, &Server{Publish: newInbox().Publish, Refused: func(why error) { refused <- why }})
	for _, c := range []struct {
		says, gets string
		want       error
	}{
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", ErrTLS},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1:1935\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", ErrHTTP},
		{"\x06" + strings.Repeat("x", 1536), "", nil}, // encrypted RTMP
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, c.says)
		answer, _ := io.ReadAll(conn)
		conn.Close()
		why := <-refused
		if c.want != nil && !errors.Is(why, c.want) || errors.Is(why, ErrDenied) || !strings.HasPrefix(string(answer), c.gets) {
			t.Errorf("%.4q: %v, answered %q", c.says, why, answer)
		}
	}
}

// publishOver publishes over a pipe, and returns the answer.
func publishOver(t *testing.T, peer net.Conn) (*encoder, string) {
	t.Helper()
	if _, _, err := handshake.DoClient(peer, false, false); err != nil {
		t.Fatal(err)
	}
	// A pipe has no buffer: read what the server answers while it is asked.
	e := &encoder{newConnection(peer), peer}
	code := make(chan string)
	go func() { code <- e.answer(t) }()
	e.say(t, "connect", nil)
	e.say(t, "publish", nil, testApp+"/"+testKey)
	return e, <-code
}

func TestASilentEncoderIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newInbox()
		peer, ended := pipe(c)
		defer peer.Close()
		if _, got := publishOver(t, peer); got != statusStart {
			t.Fatal(got)
		}
		start := time.Now()
		<-ended
		if d := time.Since(start); d != silence {
			t.Errorf("cut after %v", d)
		}
		if c.busy() {
			t.Error("its sink is still open")
		}
	})
}

func TestWhoSpeaksIsServedAtOnceBesideManyWhoDoNot(t *testing.T) {
	var count refusal.Counts
	c := newInbox()
	addr := run(t, &Server{Publish: c.Publish, Refusals: &count})
	for range 10 * strangers {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	began := time.Now()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, got := publishOver(t, conn); got != statusStart {
		t.Fatal(got)
	}
	if d := time.Since(began); d >= strangerTime {
		t.Errorf("it waited for %v, until the others had to go anyway", d)
	}
	if count.All()[RefusedCrowd] == 0 {
		t.Error("nobody who gave way is counted")
	}
}

func TestWhoGivesWayAtOnceIsCounted(t *testing.T) {
	var count refusal.Counts
	l := lobby.New(1, nil)
	peer, conn := net.Pipe()
	defer peer.Close()
	first := l.Enter(conn)
	_, other := net.Pipe()
	defer other.Close()
	l.Enter(other) // before anything was read from the first
	(&Server{Refusals: &count}).serve(t.Context(), conn, first)
	if n := count.All()[RefusedCrowd]; n != 1 {
		t.Errorf("%d counted", n)
	}
}

func TestAListenerThatFailsIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := (&Server{Listener: ln, Publish: newInbox().Publish}).Run(t.Context()); err == nil {
		t.Error("it is none")
	}
}

// Each kind is one that has kept other servers busy or in the dark.
func TestEachRefusalIsCountedByItsReason(t *testing.T) {
	shaken := func(more string) func(*testing.T, net.Conn) {
		return func(t *testing.T, peer net.Conn) {
			if _, _, err := handshake.DoClient(peer, false, false); err != nil {
				t.Error(err)
			}
			go io.Copy(io.Discard, peer) // ends with peer
			io.WriteString(peer, more)
		}
	}
	says := func(b string) func(*testing.T, net.Conn) {
		return func(_ *testing.T, peer net.Conn) {
			go io.Copy(io.Discard, peer) // ends with peer
			io.WriteString(peer, b)
		}
	}
	asks := func(cmd string, args ...any) func(*testing.T, net.Conn) {
		return func(t *testing.T, peer net.Conn) {
			if _, _, err := handshake.DoClient(peer, false, false); err != nil {
				t.Error(err)
				return
			}
			go io.Copy(io.Discard, peer) // ends with peer
			e := &encoder{newConnection(peer), peer}
			e.send(0, command{"connect", 1, []any{amf0.Object{{Key: "app", Value: testApp}}}})
			e.send(0, command{cmd, 2, args})
		}
	}
	for name, c := range map[string]struct {
		talk func(*testing.T, net.Conn)
		want refusal.Reason
	}{
		"nothing":                       {says(""), RefusedSilent},
		"a version, and nothing":        {says("\x03"), RefusedSlow},
		"the handshake, and nothing":    {shaken(""), RefusedSlow},
		"half a chunk":                  {shaken("\x03\x00\x00\x00\x00\x00\x19"), RefusedSlow},
		"TLS":                           {says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), RefusedProtocol},
		"HTTP":                          {says("GET / HTTP/1.1\r\n\r\n"), RefusedProtocol},
		"SSH":                           {says("SSH-2.0-OpenSSH_9.6\r\n"), RefusedProtocol},
		"encrypted RTMP":                {says("\x06" + strings.Repeat("x", 1536)), RefusedProtocol},
		"a chunk size of 0":             {shaken("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00"), RefusedGarbage},
		"a chunk that continues none":   {shaken("\xc3\x00"), RefusedGarbage},
		"a command of 16 MiB":           {shaken("\x03\x00\x00\x00\xff\xff\xff\x14\x00\x00\x00\x00" + strings.Repeat("\x0a", 128)), RefusedGarbage},
		"a message that is never whole": {shaken(strings.Repeat("\x04\x00\x00\x00\x01\x00\x00\x09\x01\x00\x00\x00"+strings.Repeat("x", 128), 1000)), RefusedGarbage},
		"publish before connect":        {shaken("\x03\x00\x00\x00\x00\x00\x13\x14\x00\x00\x00\x00\x02\x00\x07publish\x00\x3f\xf0\x00\x00\x00\x00\x00\x00"), RefusedGarbage},
		"a wrong key":                   {asks("publish", nil, "wrong"), RefusedKey},
		"a stream that is not there":    {asks("play", nil, "nothing"), RefusedStream},
		"a stream that has no room":     {asks("play", nil, "full"), RefusedStream},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var count refusal.Counts
				peer, conn := net.Pipe()
				s := &Server{Publish: newInbox().Publish, Refusals: &count, Play: func(_ net.Addr, _, name string) (Viewing, error) {
					if name == "full" {
						return nil, errors.New("there is no room")
					}
					return nil, ErrNoStream
				}}
				var talking sync.WaitGroup
				talking.Go(func() { c.talk(t, peer) })
				s.serve(t.Context(), conn, lobby.New(1, nil).Enter(conn))
				peer.Close()
				talking.Wait()
				for _, r := range Refusals {
					if n := count.All()[r]; (n == 1) != (r == c.want) {
						t.Errorf("%s: %d", r, n)
					}
				}
			})
		})
	}
}

// dialogue returns what a publisher sends after the handshake.
func dialogue(f *testing.F) []byte {
	f.Helper()
	var b bytes.Buffer
	c := newConnection(&b)
	for _, cmd := range []command{
		{"connect", 1, []any{amf0.Object{{Key: "app", Value: testApp}}}},
		{"createStream", 2, []any{nil}},
		{"publish", 3, []any{nil, testKey}},
	} {
		if err := c.send(0, cmd); err != nil {
			f.Fatal(err)
		}
	}
	for typ, body := range map[uint8]string{msgVideo: avcKey, msgAudio: aacFrame, msgDataAMF0: setDataFrame + onMetaDataAMF, msgAggregate: string(audio(3, aacFrame))} {
		if err := c.w.Write(&rawmessage.Message{ChunkStreamID: 4, Type: typ, MessageStreamID: mediaStream, Body: []byte(body)}); err != nil {
			f.Fatal(err)
		}
	}
	return b.Bytes()
}

func FuzzServer(f *testing.F) {
	f.Add(dialogue(f))
	f.Add([]byte("\x03\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x80"))
	f.Add([]byte("\x03\x00\x00\x00\x00\x00\x19\x14\x00\x00\x00\x00\x02\x00\x07connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00\x03\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, b []byte) {
		peer, ended := pipe(newInbox())
		go func() {
			defer peer.Close()
			if _, _, err := handshake.DoClient(peer, false, false); err != nil {
				return
			}
			go io.Copy(io.Discard, peer) // ends with peer
			peer.Write(b)
		}()
		<-ended
	})
}
