package rtmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"
)

// version is the first byte of a plain RTMP handshake. 6 begins an encrypted
// one, which protects from nobody who can answer it.
const version = 3

// tlsHandshake is the first byte that a client of TLS sends (RFC 8446, 5.1).
const tlsHandshake = 0x16

// httpAnswer is for who opens the port in a browser.
const httpAnswer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"This port is for encoders, which speak RTMP. The page for viewers has another address: relay prints it when it starts.\n"

// What is no RTMP at all.
var (
	// ErrTLS says that a peer speaks TLS, as for rtmps:// addresses.
	ErrTLS = errors.New("it speaks RTMPS, or something else in TLS, and not plain RTMP")
	// ErrHTTP says that a peer speaks HTTP, as a browser does.
	ErrHTTP = errors.New("it speaks HTTP, not RTMP")
)

// enhancedCodecs are the FourCCs that encoders may send without asking back; any
// other passes as well.
var enhancedCodecs = amf0.StrictArray{"av01", "vp09", "vp08", "hvc1", "avc1", "vvc1", "Opus", "mp4a", "fLaC", "ac-3", "ec-3", ".mp3"}

// capsEx are the capabilities of enhanced RTMP v2: multitrack, ModEx, nanosecond
// offsets. All of them pass untouched.
const capsEx = 0x02 | 0x04 | 0x08

// peer is an encoder's or a player's connection from the handshake on.
type peer struct {
	*connection
	software string // what it calls itself

	sink Sink // of an encoder, nil for a player

	viewing Viewing // of a player, nil for an encoder
	head    []byte  // what the player is told before the media
	replies *replies
}

// accept leads the dialogue up to publish or play. If it returns a peer with an
// error, the peer was told why and should get the time to read it.
func (s *Server) accept(ctx context.Context, g *guard) (*peer, error) {
	if err := shake(g); err != nil {
		return nil, err
	}
	p := &peer{connection: newConnection(g)}
	app, connected := "", false
	for {
		m, err := p.next()
		if err != nil {
			return nil, err
		}
		if !isCommand(m) {
			continue
		}
		cmd, err := parseCommand(m)
		if err != nil {
			return nil, err
		}
		switch {
		case cmd.name == "connect":
			app, _ = cmd.object(0).GetString("app")
			p.software, _ = cmd.object(0).GetString("flashVer")
			connected = true
			err = p.connected(cmd.id)
		case !connected:
			return nil, fmt.Errorf("%q before connect", printable(cmd.name))
		case cmd.name == "publish":
			return p, s.publish(ctx, p, app, cmd.text(1))
		case cmd.name == "play":
			return p, s.play(p, g.RemoteAddr(), app, cmd.text(1))
		default:
			err = p.reply(cmd)
		}
		if err != nil {
			return nil, err
		}
	}
}

// shake does the handshake of a plain connection and refuses anything else.
func shake(g *guard) error {
	first := make([]byte, 1)
	if _, err := io.ReadFull(g, first); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	switch first[0] {
	case version:
	case tlsHandshake:
		return ErrTLS
	case 'G', 'P', 'H', 'O': // GET, POST, PUT, HEAD, OPTIONS
		_, err := io.WriteString(g, httpAnswer)
		return errors.Join(ErrHTTP, err)
	default:
		return fmt.Errorf("handshake begins with %#02x: %w", first[0], errNoRTMP)
	}
	if _, _, err := handshake.DoServer(struct {
		io.Reader
		io.Writer
	}{io.MultiReader(bytes.NewReader(first), g), g}, false); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return nil
}

// streamPath tells app and key apart whichever field an encoder puts the slash in: the key is the
// last part. Either field may have a query, which is part of neither; the one of the last field
// that is not empty is returned.
func streamPath(app, name string) (path, key, query string) {
	app, ofApp, _ := strings.Cut(app, "?")
	name, query, _ = strings.Cut(name, "?")
	if strings.Trim(name, "/") == "" && query == "" {
		query = ofApp
	}
	path = strings.Trim(strings.Trim(app, "/")+"/"+strings.Trim(name, "/"), "/")
	if at := strings.LastIndexByte(path, '/'); at >= 0 {
		return path[:at], path[at+1:], query
	}
	return path, "", query
}

// connected answers connect.
func (p *peer) connected(id float64) error {
	if err := p.greet(); err != nil {
		return err
	}
	return p.send(0, command{"_result", id, []any{
		amf0.Object{
			{Key: "fmsVer", Value: "FMS/3,0,1,123"},
			{Key: "capabilities", Value: 31.0},
		},
		amf0.Object{
			{Key: "level", Value: "status"},
			{Key: "code", Value: "NetConnection.Connect.Success"},
			{Key: "description", Value: "Connection succeeded."},
			{Key: "objectEncoding", Value: 0.0}, // AMF0
			{Key: "fourCcList", Value: enhancedCodecs},
			{Key: "capsEx", Value: float64(capsEx)},
		},
	}})
}

// reply answers what some encoders ask on the way to publish. Unknown questions
// get an empty answer: an encoder that waits for one would wait in vain.
func (p *peer) reply(cmd command) error {
	switch {
	case cmd.id == 0: // asks for no answer
		return nil
	case cmd.name == "createStream":
		return p.send(0, command{"_result", cmd.id, []any{nil, 1.0}})
	case cmd.name == "getStreamLength":
		return p.send(0, command{"_result", cmd.id, []any{nil, 0.0}})
	}
	return p.send(0, command{"_result", cmd.id, []any{nil, amf0.Undefined{}}})
}
