package rtmp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
	"go.uber.org/zap/zaptest"
)

// run runs a server on loopback until the test ends, and returns its address.
func run(t *testing.T, s *Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s.Listener, s.Log = ln, zaptest.NewLogger(t)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	return ln.Addr().String()
}

// serve runs a server that takes publishers for b and plays nothing.
func serve(t *testing.T, b *inbox) string {
	t.Helper()
	return run(t, &Server{Publish: b.Publish})
}

// encoder is a publisher, or a player, that says what it is told to.
type encoder struct {
	*connection
	net.Conn
}

// dial connects to a server and shakes hands.
func dial(t *testing.T, addr string) *encoder {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * time.Minute)) // a test that hangs should fail
	if _, _, err := handshake.DoClient(conn, false, true); err != nil {
		t.Fatal(err)
	}
	return &encoder{newConnection(conn), conn}
}

// say sends commands, all as transaction 1.
func (e *encoder) say(t *testing.T, name string, args ...any) {
	t.Helper()
	if err := e.send(0, command{name, 1, args}); err != nil {
		t.Fatal(err)
	}
}

// publish asks to publish and returns the code of the answer.
func (e *encoder) publish(t *testing.T, app, key string) string {
	t.Helper()
	e.say(t, "connect", amf0.Object{{Key: "app", Value: app}})
	e.say(t, "releaseStream", nil, key)
	e.say(t, "FCPublish", nil, key)
	e.say(t, "createStream", nil)
	e.say(t, "publish", nil, key, "live")
	return e.answer(t)
}

// publishing connects an encoder to a server that takes it.
func publishing(t *testing.T, addr string) *encoder {
	t.Helper()
	e := dial(t, addr)
	if got := e.publish(t, testApp, testKey); got != statusStart {
		t.Fatal(got)
	}
	return e
}

// answer waits for an onStatus and returns its code.
func (e *encoder) answer(t *testing.T) string {
	t.Helper()
	code, _, _ := e.onStatus(t)
	return code
}

// onStatus waits for an onStatus. It returns its code, its text and the message stream
// that it came on.
func (e *encoder) onStatus(t *testing.T) (code, text string, on uint32) {
	t.Helper()
	for {
		m, err := e.next()
		if err != nil {
			t.Fatal(err)
		}
		cmd, err := parseCommand(m)
		if err != nil {
			t.Fatal(err)
		}
		if cmd.name == "onStatus" {
			code, _ = cmd.object(1).GetString("code")
			text, _ = cmd.object(1).GetString("description")
			return code, text, m.stream
		}
	}
}

func (e *encoder) media(t *testing.T, typ uint8, ms int, body string) {
	t.Helper()
	m := &rawmessage.Message{ChunkStreamID: 4, Type: typ, Timestamp: time.Duration(ms) * time.Millisecond, MessageStreamID: mediaStream, Body: []byte(body)}
	if err := e.w.Write(m); err != nil {
		t.Fatal(err)
	}
}

// gone waits until the server has closed the connection, and closes it as well.
func (e *encoder) gone(t *testing.T) {
	t.Helper()
	e.Conn.SetReadDeadline(time.Now().Add(strangerTime / 2)) // before the server's own deadlines help
	if _, err := io.Copy(io.Discard, e.Conn); err != nil && isTimeout(err) {
		t.Error("the connection is still open")
	}
	e.Conn.Close()
}

// recorder keeps what a client writes.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.sent.Write(p)
	return r.Conn.Write(p)
}

// handshakeLen is C0, C1 and C2.
const handshakeLen = 1 + 1536 + 1536

// messages returns the media and data messages that were sent.
func (r *recorder) messages(t *testing.T) []message {
	t.Helper()
	c := &connection{r: newChunkReader(bytes.NewReader(r.sent.Bytes()[handshakeLen:]), nil)}
	var media []message
	for {
		m, err := c.next()
		if errors.Is(err, io.EOF) {
			return media
		}
		if err != nil {
			t.Fatal(err)
		}
		if !isCommand(m) {
			m.body = bytes.Clone(m.body)
			media = append(media, m)
		}
	}
}

// client connects gortmplib's client to a server, as a publisher.
func client(t *testing.T, addr string) (*gortmplib.Client, *recorder) {
	t.Helper()
	rec := &recorder{}
	c := &gortmplib.Client{
		URL:     &url.URL{Scheme: "rtmp", Host: addr, Path: "/" + testApp, Fragment: testKey},
		Publish: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			rec.Conn = conn
			return rec, err
		},
	}
	if err := c.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, rec
}
