//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest/flv"
)

const (
	// handshakeLen is what each side of an RTMP handshake sends, in bytes.
	handshakeLen = 1 + 1536 + 1536
	// mediaStream is RTMP's message stream 1, in the order it has on the wire.
	mediaStream = 1 << 24
	// clientChunk is the chunk size that gortmplib's client sets, in bytes, and
	// rawChunkStream a chunk stream that it does not use.
	clientChunk    = 65536
	rawChunkStream = 20
	// msgSetChunkSize is the RTMP message that a reader must know to go on reading.
	msgSetChunkSize = 1
	// setDataFrame precedes the metadata that an encoder publishes. Viewers get what follows
	// it.
	setDataFrame = "\x02\x00\x0d@setDataFrame"
)

// tap is a connection that keeps a copy of what goes over it, until it is told not to.
type tap struct {
	net.Conn
	off atomic.Bool

	mu             sync.Mutex
	sent, received bytes.Buffer
}

func (c *tap) Write(p []byte) (int, error) {
	if !c.off.Load() {
		c.mu.Lock()
		c.sent.Write(p)
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.received.Write(p[:n])
	c.mu.Unlock()
	return n, err
}

// answers returns what the server said after the handshake.
func (c *tap) answers() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.received.Bytes()[min(handshakeLen, c.received.Len()):])
}

// tags are the media and data messages that were sent, as the tags they make.
func (c *tap) tags(t *testing.T) []tag {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	count := bytecounter.NewReader(bytes.NewReader(c.sent.Bytes()[handshakeLen:]))
	r := rawmessage.NewReader(count, count, nil)
	var tags []tag
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) {
			return tags
		}
		if err != nil {
			t.Fatal(err)
		}
		switch typ := flv.Type(m.Type); typ {
		case msgSetChunkSize:
			if err := r.SetChunkSize(uint32(m.Body[0])<<24 | uint32(m.Body[1])<<16 | uint32(m.Body[2])<<8 | uint32(m.Body[3])); err != nil {
				t.Fatal(err)
			}
		case flv.Audio, flv.Video, flv.Script:
			body := bytes.TrimPrefix(m.Body, []byte(setDataFrame))
			tags = append(tags, tag{typ: typ, ts: uint32(m.Timestamp / time.Millisecond), sum: sha256.Sum256(body)})
		}
	}
}

// publisher connects gortmplib's client as an encoder that gives app and key. It returns the
// tap even if the source refuses the encoder.
func publisher(t *testing.T, addr, app, key string) (*gortmplib.Client, *tap, error) {
	t.Helper()
	c := &tap{}
	client := &gortmplib.Client{
		URL:     &url.URL{Scheme: "rtmp", Host: addr, Path: "/" + app, Fragment: key},
		Publish: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			c.Conn = conn
			return c, err
		},
	}
	if err := client.Initialize(t.Context()); err != nil {
		return nil, c, err
	}
	t.Cleanup(client.Close)
	return client, c, nil
}

// rawWriter writes messages that gortmplib has no type for on a client's
// connection, on a chunk stream of its own.
func rawWriter(client *gortmplib.Client) *rawmessage.Writer {
	count := bytecounter.NewWriter(client.NetConn())
	w := rawmessage.NewWriter(count, count, false)
	w.SetChunkSize(clientChunk)
	return w
}

// sendRaw sends a message of media.
func sendRaw(w *rawmessage.Writer, typ flv.Type, ts time.Duration, body []byte) error {
	return w.Write(&rawmessage.Message{
		ChunkStreamID: rawChunkStream, Type: uint8(typ), Timestamp: ts, MessageStreamID: mediaStream, Body: body,
	})
}

// published connects an encoder that the source must accept.
func published(t *testing.T, s *source) (*gortmplib.Client, *tap) {
	t.Helper()
	client, c, err := publisher(t, s.rtmpAddr(), "live", streamKey)
	if err != nil {
		t.Fatalf("publish: %v", strings.ToValidUTF8(err.Error(), "?"))
	}
	return client, c
}
