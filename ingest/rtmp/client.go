package rtmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"relay/ingest/flv"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"
)

// dialTimeout bounds getting a connection. The guard bounds agreeing on the stream.
const dialTimeout = 5 * time.Second

// errEnded says that the other side ended the stream properly.
var errEnded = errors.New("the stream ended")

// Target is where a stream can be fetched.
type Target struct {
	addr   string // host:port
	tcURL  string // the address up to app
	app    string
	stream string // with the query
}

// ParseTarget reads rtmp://host[:port]/app/stream[?query]. Without a port it is [DefaultPort].
func ParseTarget(u *url.URL) (Target, error) {
	if u.Scheme != "rtmp" || u.Hostname() == "" {
		return Target{}, errors.New("an RTMP address begins with rtmp://host/")
	}
	path := strings.Trim(u.Path, "/")
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return Target{}, errors.New("an RTMP address has two parts after the host: rtmp://host/app/stream")
	}
	t := Target{addr: u.Host, app: path[:at], stream: path[at+1:]}
	if u.Port() == "" {
		t.addr = net.JoinHostPort(u.Hostname(), strconv.Itoa(DefaultPort))
	}
	t.tcURL = "rtmp://" + t.addr + "/" + t.app
	if u.RawQuery != "" {
		t.stream += "?" + u.RawQuery
	}
	return t, nil
}

// Fetch connects and hands take each tag of the stream, which is good until take returns. It returns
// why it stopped, which is never nil: an error of take, the server's refusal, the end of
// the stream, or a broken connection. It closes the connection when ctx ends.
func (t Target) Fetch(ctx context.Context, take func(flv.Tag) error) error {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", t.addr, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return t.fetch(conn, take)
}

// fetch is Fetch over a connection.
func (t Target) fetch(conn net.Conn, take func(flv.Tag) error) error {
	g := newGuard(conn, nil)
	if _, _, err := handshake.DoClient(g, false, false); err != nil {
		if s := err.Error(); strings.HasPrefix(s, "invalid rtmp version") || strings.HasPrefix(s, "server replied with unexpected version") { // the library has no types
			err = errNoRTMP
		}
		return fmt.Errorf("RTMP handshake with %s: %w", t.addr, plain(err))
	}
	c := &fetcher{connection: newConnection(g), take: take}
	if err := t.ask(c); err != nil {
		return fmt.Errorf("ask %s for the stream: %w", t.addr, plain(err))
	}
	g.trust()
	for {
		if err := c.step(nil); err != nil {
			return fmt.Errorf("read from %s: %w", t.addr, plain(err))
		}
	}
}

// plain says in plain words what the system says of a connection that was closed, or
// that timed out.
func plain(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it closed the connection")
	case isTimeout(err):
		return errSilence
	}
	return err
}

// ask leads the dialogue up to play.
func (t Target) ask(c *fetcher) error {
	const connect, createStream = 1, 2 // transactions
	if err := c.greet(); err != nil {
		return err
	}
	if err := c.call(command{"connect", connect, []any{amf0.Object{
		{Key: "app", Value: t.app},
		{Key: "flashVer", Value: "LNX 9,0,124,2"},
		{Key: "tcUrl", Value: t.tcURL},
		{Key: "fpad", Value: false},
		{Key: "capabilities", Value: 15.0},
		{Key: "audioCodecs", Value: 4071.0}, // every codec that Flash knew
		{Key: "videoCodecs", Value: 252.0},  // likewise
		{Key: "videoFunction", Value: 1.0},
		{Key: "objectEncoding", Value: 0.0},
		{Key: "fourCcList", Value: enhancedCodecs},
		{Key: "capsEx", Value: float64(capsEx)},
	}}}); err != nil {
		return err
	}
	if err := c.call(command{"createStream", createStream, []any{nil}}); err != nil {
		return err
	}
	const live = -2000.0 // section 7.2.2.1: a live stream, or a recorded one
	return c.send(mediaStream, command{"play", 0, []any{nil, t.stream, live}})
}

// fetcher is the connection to a server that has a stream.
type fetcher struct {
	*connection
	take func(flv.Tag) error
}

// call sends a command and waits for its answer.
func (f *fetcher) call(cmd command) error {
	if err := f.send(0, cmd); err != nil {
		return err
	}
	answered := false
	for !answered {
		if err := f.step(func(reply command) { answered = answered || reply.id == cmd.id }); err != nil {
			return err
		}
	}
	return nil
}

// step deals with one message. A result goes to result, if there is one; a refusal
// or the stream's end is an error.
func (f *fetcher) step(result func(command)) error {
	m, err := f.next()
	if err != nil {
		return err
	}
	if !isCommand(m) {
		return f.tags.tagsOf(m, f.take)
	}
	cmd, err := parseCommand(m)
	if err != nil {
		return err
	}
	switch cmd.name {
	case "_result":
		if result != nil {
			result(cmd)
		}
	case "_error":
		return refusedBy(cmd)
	case "onStatus":
		level, _ := cmd.object(1).GetString("level")
		code, _ := cmd.object(1).GetString("code")
		switch {
		case level == "error":
			return refusedBy(cmd)
		case code == "NetStream.Play.Stop", code == "NetStream.Play.UnpublishNotify", code == "NetStream.Play.Complete":
			return errEnded
		}
	}
	return nil
}

// refusedBy words a server's error. Its text is data.
func refusedBy(cmd command) error {
	code, _ := cmd.object(1).GetString("code")
	description, _ := cmd.object(1).GetString("description")
	return fmt.Errorf("it refuses: %s (%s)", printable(description), printable(code))
}
