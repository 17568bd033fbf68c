package rtmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest/flv"
)

// Events of a user control message (section 7.1.7).
const (
	eventStreamBegin  = 0
	eventStreamEOF    = 1
	eventPingRequest  = 6
	eventPingResponse = 7
)

const (
	// ourChunk is the chunk size of what is sent, in bytes: any reply fits one.
	ourChunk = 4096
	// ackWindow is how much may be unacknowledged, in bytes: the value in common
	// use.
	ackWindow = 2_500_000
	// minAckWindow is the least window taken from a peer, in bytes: one of 1 byte
	// would ask for a reply to every chunk.
	minAckWindow = 32 << 10
)

const (
	controlChunkStream = 2
	commandChunkStream = 3
	// mediaStream is message stream 1, the only one. It stands in little-endian
	// order on the wire, which gortmplib's chunk layer does not know.
	mediaStream = 1 << 24
)

var errLongMessage = fmt.Errorf("script or command message of more than %d bytes", flv.MaxScript)

// connection is an RTMP connection after the handshake. One goroutine reads, and
// writes the replies. Protocol control is dealt with here. Nothing else touches its reader and
// writer, which put messages together and take them apart.
type connection struct {
	r    *chunkReader
	w    *rawmessage.Writer
	tags tagger // of what comes
}

func newConnection(rw io.ReadWriter) *connection {
	c := &connection{w: rawmessage.NewWriter(rw, bytecounter.NewWriter(rw), false)}
	c.r = newChunkReader(rw, func(came uint32) error {
		return c.control(msgAcknowledge, binary.BigEndian.AppendUint32(nil, came))
	})
	c.r.window = ackWindow
	return c
}

// divert keeps in r what is written from now on, for whoever writes the media to put in
// between them. gortmplib's writer begins anew, as RTMP allows at any message.
func (c *connection) divert(r *replies) {
	c.w = rawmessage.NewWriter(r, bytecounter.NewWriter(r), false)
	c.w.SetChunkSize(ourChunk)
}

// next returns the next message that is not protocol control. Script and command
// bodies are at most [flv.MaxScript], media [maxMessage].
func (c *connection) next() (message, error) {
	for {
		m, err := c.r.read()
		if err != nil {
			return m, err
		}
		switch m.typ {
		case msgSetChunkSize, msgAbort, msgWindowAckSize, msgUserControl:
			if err := c.controlled(m); err != nil {
				return m, err
			}
		case msgAcknowledge, msgPeerBandwidth:
		case msgCommandAMF0, msgCommandAMF3, msgDataAMF0, msgDataAMF3:
			if len(m.body) > flv.MaxScript {
				return m, errLongMessage
			}
			return m, nil
		default:
			return m, nil
		}
	}
}

var errControl = errors.New("protocol control message cut short")

func (c *connection) controlled(m message) error {
	if m.typ == msgUserControl {
		if len(m.body) == 6 && binary.BigEndian.Uint16(m.body) == eventPingRequest {
			return c.event(eventPingResponse, binary.BigEndian.Uint32(m.body[2:]))
		}
		return nil
	}
	if len(m.body) < 4 {
		return errControl
	}
	v := binary.BigEndian.Uint32(m.body)
	switch m.typ {
	case msgSetChunkSize:
		if v == 0 || v > maxChunkSize {
			return fmt.Errorf("chunk size %d, only 1 to %d are taken", v, maxChunkSize)
		}
		c.r.size = v
	case msgAbort:
		c.r.abort(v)
	case msgWindowAckSize:
		c.r.window = max(v, minAckWindow)
	}
	return nil
}

// greet sends the settings of this side.
func (c *connection) greet() error {
	const dynamic = 2 // limit type of SetPeerBandwidth
	window := binary.BigEndian.AppendUint32(nil, ackWindow)
	if err := c.control(msgWindowAckSize, window); err != nil {
		return err
	}
	if err := c.control(msgPeerBandwidth, append(window, dynamic)); err != nil {
		return err
	}
	if err := c.control(msgSetChunkSize, binary.BigEndian.AppendUint32(nil, ourChunk)); err != nil {
		return err
	}
	c.w.SetChunkSize(ourChunk)
	return nil
}

func (c *connection) event(event uint16, value uint32) error {
	b := binary.BigEndian.AppendUint16(nil, event)
	return c.control(msgUserControl, binary.BigEndian.AppendUint32(b, value))
}

func (c *connection) control(typ uint8, body []byte) error {
	return c.w.Write(&rawmessage.Message{ChunkStreamID: controlChunkStream, Type: typ, Body: body})
}
