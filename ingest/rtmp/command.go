package rtmp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest/flv"
)

// command is an RTMP command (RTMP 1.0, section 7.2): a name, the number of the
// transaction, and arguments, of which the first is an object or null.
type command struct {
	name string
	id   float64
	args []any
}

var errCommand = errors.New("malformed command")

// isCommand reports whether m is a command.
func isCommand(m message) bool {
	return m.typ == msgCommandAMF0 || m.typ == msgCommandAMF3
}

// parseCommand parses m, which is a command. The body is checked before the
// decoder, which recurses, sees it.
func parseCommand(m message) (command, error) {
	body := m.body
	if m.typ == msgCommandAMF3 {
		body = stripAMF3(body)
	}
	body, err := flv.PlainAMF0(body)
	if err != nil {
		return command{}, fmt.Errorf("command: %w", err)
	}
	v, err := amf0.Unmarshal(body)
	if err != nil || len(v) < 2 {
		return command{}, errCommand
	}
	name, ok := v[0].(string)
	id, ok2 := v[1].(float64)
	if !ok || !ok2 {
		return command{}, errCommand
	}
	return command{name, id, v[2:]}, nil
}

// stripAMF3 removes the byte that says that an AMF3 message goes on in AMF0, as
// all of them do.
func stripAMF3(body []byte) []byte {
	if len(body) > 0 && body[0] == 0 {
		return body[1:]
	}
	return body
}

// text returns argument i as a string, "" if it is none.
func (c command) text(i int) string {
	if i < len(c.args) {
		s, _ := c.args[i].(string)
		return s
	}
	return ""
}

// object returns argument i as an object, empty if it is none.
func (c command) object(i int) amf0.Object {
	if i < len(c.args) {
		switch o := c.args[i].(type) {
		case amf0.Object:
			return o
		case amf0.ECMAArray:
			return amf0.Object(o)
		}
	}
	return nil
}

// send writes a command on a message stream.
func (c *connection) send(streamID uint32, cmd command) error {
	body, err := append(amf0.Data{cmd.name, cmd.id}, cmd.args...).Marshal()
	if err != nil {
		return fmt.Errorf("marshal %s: %w", cmd.name, err)
	}
	return c.w.Write(&rawmessage.Message{
		ChunkStreamID:   commandChunkStream,
		Type:            msgCommandAMF0,
		MessageStreamID: streamID,
		Body:            body,
	})
}

// status sends an onStatus. level is "status" or "error".
func (c *connection) status(level, code, description string) error {
	return c.send(mediaStream, command{"onStatus", 0, []any{nil, amf0.Object{
		{Key: "level", Value: level},
		{Key: "code", Value: code},
		{Key: "description", Value: description},
	}}})
}
