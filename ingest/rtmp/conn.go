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

// RTMP message types (RTMP 1.0, sections 5.4 and 7.1).
const (
	msgSetChunkSize  = 1
	msgAbort         = 2
	msgAcknowledge   = 3
	msgUserControl   = 4
	msgWindowAckSize = 5
	msgPeerBandwidth = 6
	msgAudio         = 8
	msgVideo         = 9
	msgDataAMF3      = 15
	msgCommandAMF3   = 17
	msgDataAMF0      = 18
	msgCommandAMF0   = 20
	msgAggregate     = 22
)

// Events of a user control message (section 7.1.7).
const (
	eventStreamBegin  = 0
	eventStreamEOF    = 1
	eventPingRequest  = 6
	eventPingResponse = 7
)

const (
	// minChunk is the least chunk size taken from a peer, in bytes; RTMP's default
	// is the same. The chunk reader keeps every chunk as a slice of its own, which
	// takes 24 bytes at least: chunks of 1 byte would cost 32 times what is sent.
	minChunk = 128
	// maxChunk is the largest, in bytes: the chunk reader allocates that much on
	// the peer's word. Encoders use 4096 to 65536.
	maxChunk = 128 << 10
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
// writes the replies. Protocol control is dealt with here. Its reader and writer are
// the chunk layer, which nothing else touches.
type connection struct {
	r *rawmessage.Reader
	w *rawmessage.Writer
}

func newConnection(rw io.ReadWriter) *connection {
	count := bytecounter.NewReadWriter(rw)
	c := &connection{w: rawmessage.NewWriter(count, count.Writer, false)}
	c.r = rawmessage.NewReader(count, count.Reader, func(n uint32) error {
		return c.control(msgAcknowledge, binary.BigEndian.AppendUint32(nil, n))
	})
	c.r.SetWindowAckSize(ackWindow)
	return c
}

// divert keeps in r what is written from now on, for whoever writes the media to put in
// between them. gortmplib's writer begins anew, as RTMP allows at any message.
func (c *connection) divert(r *replies) {
	c.w = rawmessage.NewWriter(r, bytecounter.NewWriter(r), false)
	c.w.SetChunkSize(ourChunk)
}

// next returns the next message that is not protocol control. Script and command
// bodies are at most [flv.MaxScript], media 10 MiB.
func (c *connection) next() (*rawmessage.Message, error) {
	for {
		m, err := c.r.Read()
		if err != nil {
			return nil, err
		}
		switch m.Type {
		case msgSetChunkSize, msgAbort, msgWindowAckSize, msgUserControl:
			if err := c.controlled(m); err != nil {
				return nil, err
			}
		case msgAcknowledge, msgPeerBandwidth:
		case msgCommandAMF0, msgCommandAMF3, msgDataAMF0, msgDataAMF3:
			if len(m.Body) > flv.MaxScript {
				return nil, errLongMessage
			}
			return m, nil
		default:
			return m, nil
		}
	}
}

var errControl = errors.New("protocol control message cut short")

func (c *connection) controlled(m *rawmessage.Message) error {
	if m.Type == msgUserControl {
		if len(m.Body) == 6 && binary.BigEndian.Uint16(m.Body) == eventPingRequest {
			return c.event(eventPingResponse, binary.BigEndian.Uint32(m.Body[2:]))
		}
		return nil
	}
	if len(m.Body) < 4 {
		return errControl
	}
	v := binary.BigEndian.Uint32(m.Body)
	switch m.Type {
	case msgSetChunkSize:
		if v < minChunk || v > maxChunk {
			return fmt.Errorf("chunk size %d, only %d to %d is taken", v, minChunk, maxChunk)
		}
		return c.r.SetChunkSize(v)
	case msgAbort:
		c.r.AbortChunkStream(v)
	case msgWindowAckSize:
		c.r.SetWindowAckSize(max(v, minAckWindow))
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
