package rtmp

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib/pkg/handshake"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

func TestTarget(t *testing.T) {
	for in, want := range map[string]Target{
		"rtmp://h/a/s":          {"h:1935", "rtmp://h:1935/a", "a", "s"},
		"rtmp://h:5/a/b/s?x=y":  {"h:5", "rtmp://h:5/a/b", "a/b", "s?x=y"},
		"rtmp://u:p@[::1]/a/s/": {"[::1]:1935", "rtmp://[::1]:1935/a", "a", "s"},
	} {
		if got, err := ParseTarget(ingesttest.ParseURL(t, in)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"rtmp://h", "rtmp://h/a", "rtmp:///a/b", "http://h/a/b"} {
		if _, err := ParseTarget(ingesttest.ParseURL(t, in)); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
}

// origin is an RTMP server that plays: it answers the dialogue, and then runs
// after.
func origin(t *testing.T, conn net.Conn, after func(*encoder)) {
	t.Helper()
	defer conn.Close()
	if _, _, err := handshake.DoServer(conn, true); err != nil {
		t.Error(err)
		return
	}
	e := &encoder{newConnection(conn), conn}
	for {
		m, err := e.next()
		if err != nil {
			t.Error(err)
			return
		}
		cmd, err := parseCommand(m)
		if err != nil {
			t.Error(err)
			return
		}
		switch cmd.name {
		case "connect":
			if app, _ := cmd.object(0).GetString("app"); app != "app" {
				t.Errorf("app %q", app)
			}
			e.send(0, command{"_result", cmd.id, []any{nil, nil}})
		case "createStream":
			e.send(0, command{"_result", cmd.id, []any{nil, 1.0}})
		case "play":
			if cmd.text(1) != "stream?x" {
				t.Errorf("stream %q", cmd.text(1))
			}
			e.status("status", "NetStream.Play.Start", "")
			after(e)
			return
		}
	}
}

func TestFetch(t *testing.T) {
	target := Target{addr: "host:1", app: "app", stream: "stream?x"}
	for name, c := range map[string]struct {
		after func(e *encoder)
		want  string
	}{
		"ends": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.status("status", "NetStream.Play.UnpublishNotify", "")
		}, "the stream ended"},
		"breaks": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
		}, "closed the connection"},
		"refuses": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.status("error", "NetStream.Play.StreamNotFound", "no\x1b[2J such")
		}, "it refuses: no\ufffd[2J such (NetStream.Play.StreamNotFound)"},
		"falls silent": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			io.Copy(io.Discard, e.Conn)
		}, "nothing came for 10 s"},
		"nests": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.media(t, msgCommandAMF0, 0, strings.Repeat(deepArray, 1000))
		}, "levels deep"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				// A pipe has no buffer, and both ends greet first.
				go origin(t, &ingesttest.Buffered{Conn: there}, c.after)
				var tags []flv.Tag
				conn := &ingesttest.Buffered{Conn: here}
				err := target.fetch(conn, func(tag flv.Tag) error { tags = append(tags, slices.Clone(tag)); return nil })
				conn.Close()
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if len(tags) != 1 || string(tags[0]) != string(video(40, avcKey)) {
					t.Errorf("%q", tags)
				}
				synctest.Wait()
			})
		})
	}
}

func TestFetchGivesUpOnASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there) // ends with the pipe
		begun := time.Now()
		err := Target{addr: "host:1", app: "app", stream: "stream"}.fetch(here, nil)
		here.Close()
		if err == nil || !strings.Contains(err.Error(), "not agreed on within 5 s") {
			t.Errorf("%v", err)
		}
		if d := time.Since(begun); d != 5*time.Second {
			t.Errorf("after %v", d)
		}
	})
}
