//go:build e2e

package e2e

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback/api"
)

const (
	// fatFrame, at 30 Hz, makes a stream of 80 Mb/s. That fills the buffers between a node and
	// a reader at once, and a node's ring of 64 MiB in seconds.
	fatFrame = 330_000
	// fullRing is what such a ring holds when it begins to drop old chunks, in bytes.
	fullRing = 60 << 20
	// moreMemory bounds the memory that readers that do not read may cost a node, in bytes.
	moreMemory = 64 << 20
)

// flood publishes a fat stream until the test calls stop.
func flood(t *testing.T, s *source) (stop func()) {
	t.Helper()
	client, c := published(t, s)
	c.off.Store(true)
	raw := rawWriter(client)
	// A configuration with a sequence and a picture parameter set (ISO/IEC 14496-15, 5.3.3.1).
	config := []byte("\x17\x00\x00\x00\x00\x01\x64\x00\x1e\xff\xe1\x00\x04\x67\x64\x00\x1e\x01\x00\x02\x68\xee")
	if err := sendRaw(raw, flv.Video, 0, config); err != nil {
		t.Fatal(err)
	}
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() { // ends with stop
		body := noise(fatFrame)
		tick := time.NewTicker(time.Second / 30)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-quit:
				done <- nil
				return
			case <-tick.C:
			}
			copy(body, []byte{0x27, 1})
			if i%30 == 0 {
				body[0] = 0x17
			}
			binary.BigEndian.PutUint32(body[5:], uint32(len(body)-9)) // of the one NAL unit
			body[9] = 0x41                                            // which is a picture
			binary.BigEndian.PutUint32(body[10:], uint32(i))
			if err := sendRaw(raw, flv.Video, time.Duration(i)*time.Second/30, body); err != nil {
				done <- err
				return
			}
		}
	}()
	return func() {
		t.Helper()
		close(quit)
		if err := <-done; err != nil {
			t.Errorf("publish: %v", err)
		}
		client.Close()
	}
}

// lazy is the connection of a player that reads little or nothing until it is told to hurry.
type lazy struct {
	net.Conn
	eager atomic.Bool
	pace  time.Duration // between two reads
	most  int           // bytes per read
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.eager.Load() {
		return l.Conn.Read(p)
	}
	time.Sleep(l.pace)
	return l.Conn.Read(p[:min(len(p), l.most)])
}

// ask sends a player's request over a connection with a small receive buffer.
func ask(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	tcp := conn.(*net.TCPConn)
	if err := tcp.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s?start=gop HTTP/1.1\r\nHost: %s\r\n\r\n", u.Path, u.Host); err != nil {
		t.Fatal(err)
	}
	return tcp
}

// viewerAt finds a player by its address in a node's status.
func viewerAt(url string, conn net.Conn) (api.Viewer, error) {
	st, err := channelStatus(url)
	if err != nil {
		return api.Viewer{}, err
	}
	for _, v := range st.Viewers {
		if v.Addr == conn.LocalAddr().String() {
			return v, nil
		}
	}
	return api.Viewer{}, errNotThere
}

var errNotThere = errors.New("the node does not list it")

// TestReadersThatDoNotReadHarmNobody lets one player stop reading and another read far too
// slowly, at a node that has other players too.
func TestReadersThatDoNotReadHarmNobody(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "1")
	node := w.watch(src.link, "-o", "/dev/null")
	below := w.watch(src.link, "-o", "/dev/null") // fed by node
	stop := flood(t, src)
	others := []*viewer{play(t, "viewer at the node", node.url), play(t, "viewer below it", below.url)}
	eventually(t, "the node's ring is full", func() error {
		st, err := channelStatus(node.url)
		if err == nil && st.Ring.Bytes < fullRing {
			err = fmt.Errorf("it holds %d bytes", st.Ring.Bytes)
		}
		return err
	})
	others[0].gets(t, 90) // the ring has been full for a while, so garbage has been collected
	before, most := node.rss(t), 0

	stuck := ask(t, node.url)
	slow := &lazy{Conn: ask(t, node.url), pace: 500 * time.Millisecond, most: 64 << 10}
	resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal(err)
	}
	slowViewer := &viewer{name: "slow viewer", stopped: make(chan struct{})}
	go func() { // ends with the connection
		defer close(slowViewer.stopped)
		slowViewer.read(flv.NewReader(resp.Body))
	}()
	t.Cleanup(func() { slow.Close(); <-slowViewer.stopped })

	eventually(t, "the slow viewer was moved", func() error {
		most = max(most, node.rss(t))
		v, err := viewerAt(node.url, slow)
		if err == nil && (v.Moves == 0 || v.Missed == 0) {
			err = fmt.Errorf("the node shows %+v", v)
		}
		return err
	})
	slow.eager.Store(true)
	eventually(t, "the stuck viewer was cut", func() error {
		most = max(most, node.rss(t))
		v, err := viewerAt(node.url, stuck)
		if errors.Is(err, errNotThere) {
			return nil
		}
		return errors.Join(fmt.Errorf("the node shows %+v", v), err)
	})
	slowViewer.gets(t, 60)
	slowViewer.open(t)
	v, err := viewerAt(node.url, slow)
	if err != nil || v.Missed == 0 {
		t.Errorf("the node shows %+v, %v", v, err)
	}
	t.Logf("slow viewer: missed %d chunks, moved %d times; node: %d MiB before, %d MiB at most", v.Missed, v.Moves, before>>20, most>>20)
	if most > before+moreMemory {
		t.Errorf("the node has grown from %d to %d MiB", before>>20, most>>20)
	}

	stop()
	want := allOf(t, src)
	for _, v := range others {
		v.reaches(t, want)
		v.open(t)
		complete(t, v.name, v.got(), want)
	}
	slowViewer.ends(t, want)
	parts := runs(t, slowViewer.name, slowViewer.got(), want)
	monotonic(t, slowViewer.name, slowViewer.got())
	if len(parts) < 2 {
		t.Errorf("the slow viewer has no gap: %v", parts)
	}
	t.Logf("slow viewer got %v of %d", parts, len(want))
	for _, v := range []*watcher{node, below} {
		if c := status(t, v.url).Chunks; c.Lost > 0 {
			t.Errorf("%s lost %d chunks", v.name, c.Lost)
		}
	}
}
