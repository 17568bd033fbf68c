//go:build e2e && linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strings"

	"relay/ingest/flv"
)

const (
	handshakeLen = 1536
	rtmpVersion  = 3
	publishChunk = 4096 // bytes, as OBS has it
	mediaStream  = 1
)

// address is rtmp://host:port/app/stream, taken apart.
type address struct{ host, app, stream string }

func parseRTMP(s string) (address, error) {
	u, err := url.Parse(s)
	if err != nil {
		return address{}, err
	}
	app, stream, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if u.Scheme != "rtmp" || !ok {
		return address{}, fmt.Errorf("%s is not rtmp://host:port/app/stream", s)
	}
	if u.RawQuery != "" {
		stream += "?" + u.RawQuery
	}
	return address{u.Host, app, stream}, nil
}

// client is the dialogue of a publisher or player, up to where media flow.
type client struct {
	conn   io.ReadWriter
	parser *rtmpParser
	in     []byte // a buffer
	said   []command
}

// command is a command of the server: its name, and all of its body.
type command struct {
	name string
	body []byte
}

// ask leads the dialogue: play for a player, publish for a publisher. Media that come with the
// answer go to the parser, which goes on with what comes next.
func (a address) ask(conn io.ReadWriter, p *rtmpParser, play bool) error {
	c := &client{conn: conn, parser: p, in: make([]byte, 4096)}
	p.reply = c.hear
	defer func() { p.reply = nil }()
	if err := c.shake(); err != nil {
		return fmt.Errorf("RTMP handshake: %w", err)
	}
	hello := amf("connect", 1.0, object{
		{"app", a.app},
		{"flashVer", "LNX 9,0,124,2"},
		{"tcUrl", "rtmp://" + a.host + "/" + a.app},
		{"audioCodecs", 4071.0},
		{"videoCodecs", 252.0}, // all of them
	})
	if err := c.call(0, hello, "_result"); err != nil {
		return fmt.Errorf("RTMP connect: %w", err)
	}
	if err := c.call(0, amf("createStream", 2.0, nil), "_result"); err != nil {
		return fmt.Errorf("RTMP createStream: %w", err)
	}
	if play {
		return c.call(mediaStream, amf("play", 3.0, nil, a.stream, -2000.0), "onStatus")
	}
	return c.call(mediaStream, amf("publish", 3.0, nil, a.stream, "live"), "onStatus")
}

func (c *client) shake() error {
	b := make([]byte, 1+handshakeLen)
	b[0] = rtmpVersion
	if _, err := c.conn.Write(b); err != nil {
		return err
	}
	in := make([]byte, 1+2*handshakeLen)
	if _, err := io.ReadFull(c.conn, in); err != nil {
		return err
	}
	_, err := c.conn.Write(in[1 : 1+handshakeLen])
	return err
}

// call sends a command and waits for an answer of that name.
func (c *client) call(stream uint32, body []byte, answer string) error {
	c.said = nil
	if _, err := c.conn.Write(chunked(nil, commandStream, cmdMessage, stream, 0, body, defaultChunk)); err != nil {
		return err
	}
	for {
		n, err := c.conn.Read(c.in)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		if err := c.parser.feed(c.in[:n], func(int) {}); err != nil {
			return err
		}
		for _, s := range c.said {
			switch {
			case s.name == "_error", bytes.Contains(s.body, []byte("\x05error")):
				return fmt.Errorf("it refuses: %q", s.body)
			case s.name == answer:
				return nil
			}
		}
	}
}

// hear notes the server's commands.
func (c *client) hear(typ byte, body []byte) {
	if typ != cmdMessage || len(body) < 3 {
		return
	}
	n := int(binary.BigEndian.Uint16(body[1:]))
	if len(body) < 3+n {
		return
	}
	c.said = append(c.said, command{name: string(body[3 : 3+n]), body: bytes.Clone(body)})
}

// property is one of an object.
type property struct {
	key   string
	value any
}

type object []property

// amf encodes values in AMF0.
func amf(values ...any) []byte {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, 5)
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, 0), math.Float64bits(v))
		case string:
			b = append(binary.BigEndian.AppendUint16(append(b, 2), uint16(len(v))), v...)
		case object:
			b = append(b, 3)
			for _, p := range v {
				b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.key))), p.key...)
				b = append(b, amf(p.value)...)
			}
			b = append(b, 0, 0, 9)
		default:
			panic(errors.ErrUnsupported)
		}
	}
	return b
}

const (
	controlStream = 2
	commandStream = 3
	audioStream   = 4
	videoStream   = 6
)

// chunked appends a message as chunks of at most size bytes. ts is below [longTime].
func chunked(b []byte, id, typ byte, stream, ts uint32, body []byte, size int) []byte {
	b = append(b, id, byte(ts>>16), byte(ts>>8), byte(ts), byte(len(body)>>16), byte(len(body)>>8), byte(len(body)), typ)
	b = binary.LittleEndian.AppendUint32(b, stream)
	for {
		n := min(len(body), size)
		b = append(b, body[:n]...)
		if body = body[n:]; len(body) == 0 {
			return b
		}
		b = append(b, 0xc0|id)
	}
}

// published returns a tag as a publisher sends it.
func published(b []byte, t flv.Tag) []byte {
	switch body := t.Body(); t.Type() {
	case flv.Audio:
		return chunked(b, audioStream, audioMessage, mediaStream, t.Timestamp(), body, publishChunk)
	case flv.Video:
		return chunked(b, videoStream, videoMessage, mediaStream, t.Timestamp(), body, publishChunk)
	default:
		return chunked(b, audioStream, dataMessage, mediaStream, t.Timestamp(), append(amf("@setDataFrame"), body...), publishChunk)
	}
}
