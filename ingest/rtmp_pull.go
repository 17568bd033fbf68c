package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"
	"go.uber.org/zap"

	"relay/ingest/flv"
)

// rtmpPort is RTMP's port, when an address names none.
const rtmpPort = "1935"

// RTMPPull fetches a live stream from an RTMP server and connects again when it
// breaks.
type RTMPPull struct {
	URL  *url.URL // rtmp://host[:port]/app/stream[?query]
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first attempt brings
// nothing is an error; after that, broken connections are not.
func (r *RTMPPull) Run(ctx context.Context) error {
	t, err := parseRTMPTarget(r.URL)
	if err != nil {
		return err
	}
	p := pull{from: r.URL.Host, open: r.Open, log: logger(r.Log), fetch: t.fetch}
	return p.run(ctx)
}

// rtmpTarget is where a stream is fetched.
type rtmpTarget struct {
	addr   string // host:port
	tcURL  string // the address up to app
	app    string
	stream string // with the query
}

func parseRTMPTarget(u *url.URL) (rtmpTarget, error) {
	if u.Scheme != "rtmp" || u.Hostname() == "" {
		return rtmpTarget{}, errors.New("an RTMP address begins with rtmp://host/")
	}
	path := strings.Trim(u.Path, "/")
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return rtmpTarget{}, errors.New("an RTMP address has two parts after the host: rtmp://host/app/stream")
	}
	t := rtmpTarget{addr: u.Host, app: path[:at], stream: path[at+1:]}
	if u.Port() == "" {
		t.addr = net.JoinHostPort(u.Hostname(), rtmpPort)
	}
	t.tcURL = "rtmp://" + t.addr + "/" + t.app
	if u.RawQuery != "" {
		t.stream += "?" + u.RawQuery
	}
	return t, nil
}

func (t rtmpTarget) fetch(ctx context.Context, take func(flv.Tag) error) error {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return t.play(conn, take)
}

// play fetches over a connection.
func (t rtmpTarget) play(conn net.Conn, take func(flv.Tag) error) error {
	g, err := newGuard(conn)
	if err != nil {
		return err
	}
	if _, _, err := handshake.DoClient(g, false, false); err != nil {
		return fmt.Errorf("RTMP handshake with %s: %w", t.addr, plain(err))
	}
	c := &player{rtmpConn: newRTMPConn(g), take: take}
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

// plain puts the two ends of a connection that need no system's words into ours.
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
func (t rtmpTarget) ask(c *player) error {
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

// player is the connection to a server that has a stream.
type player struct {
	*rtmpConn
	take func(flv.Tag) error
}

// call sends a command and waits for its answer.
func (p *player) call(cmd command) error {
	if err := p.send(0, cmd); err != nil {
		return err
	}
	answered := false
	for !answered {
		if err := p.step(func(reply command) { answered = answered || reply.id == cmd.id }); err != nil {
			return err
		}
	}
	return nil
}

// step deals with one message. A result goes to result, if there is one; a refusal
// or the stream's end is an error.
func (p *player) step(result func(command)) error {
	m, err := p.next()
	if err != nil {
		return err
	}
	if !isCommand(m) {
		return tagsOf(m, p.take)
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
		return refusal(cmd)
	case "onStatus":
		level, _ := cmd.object(1).GetString("level")
		code, _ := cmd.object(1).GetString("code")
		switch {
		case level == "error":
			return refusal(cmd)
		case code == "NetStream.Play.Stop", code == "NetStream.Play.UnpublishNotify", code == "NetStream.Play.Complete":
			return errEnded
		}
	}
	return nil
}

// refusal words a server's error. Its text is data.
func refusal(cmd command) error {
	code, _ := cmd.object(1).GetString("code")
	description, _ := cmd.object(1).GetString("description")
	return fmt.Errorf("it refuses: %s (%s)", printable(description), printable(code))
}
