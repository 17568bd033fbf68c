//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"relay/cli/e2e/internal/program"
	"relay/cli/e2e/internal/wait"
)

const (
	streamKey = "s3cret-key"
	loopback  = "127.0.0.1:0"
)

// world holds a test's processes, with one folder for their keys and files.
type world struct {
	t      *testing.T
	dir    string
	config string
	bin    string // the program
}

func newWorld(t *testing.T) *world {
	wait.Repeat(t)
	dir := t.TempDir()
	return &world{t, dir, filepath.Join(dir, "config"), relayBin}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// source is a running relay source.
type source struct {
	*process
	link   string // relay://…
	rtmp   string // where an encoder publishes; "" if the media comes from elsewhere
	url    string // where a player on this machine finds the channel
	tagLog string
}

// source starts a source that waits for an encoder. Later args win.
func (w *world) source(args ...string) *source {
	w.t.Helper()
	s := w.sourceOf("", args...)
	s.ready(w.t)
	return s
}

// sourceOf starts a source with an input and does not wait for it: its link comes
// once it has media.
func (w *world) sourceOf(input string, args ...string) *source {
	w.t.Helper()
	s := &source{tagLog: w.path(fmt.Sprintf("source%d.tags", nextID()))}
	all := []string{
		"source", "--listen", loopback, "--http", loopback, "--config", w.config,
		"--max-children", "2", "--tag-log", s.tagLog, "--verbose",
	}
	if input != "" {
		all = append(all, input)
	} else {
		all = append(all, "--rtmp", loopback, "--key", streamKey)
	}
	cmd := program.Command(w.bin, append(all, args...)...)
	if strings.Contains(input, "://") { // which relay reads itself, with an ffmpeg or without
		cmd.Env = append(cmd.Env, "PATH=")
	}
	s.process = startCommand(w.t, "source", cmd)
	return s
}

// ready waits until the source has said where everything is.
func (s *source) ready(t *testing.T) {
	t.Helper()
	s.link = s.find(t, &s.out, `(?m)^(relay://\S+)\n`)
	s.url = s.find(t, &s.err, `(?m)^Watch +(http://\S+)\n`)
	if strings.Contains(s.err.String(), "Waiting for an encoder") {
		s.rtmp = s.find(t, &s.err, `(?m)^  Server +(rtmp://\S+)\n`) + "/" + streamKey
	}
}

// listen is the address of the source's links.
func (s *source) listen() string { return s.link[strings.LastIndex(s.link, "@")+1:] }

// rtmpAddr is the host and port that an encoder connects to.
func (s *source) rtmpAddr() string {
	return strings.Split(strings.TrimPrefix(s.rtmp, "rtmp://"), "/")[0]
}

// watcher is a running relay watch that records.
type watcher struct {
	*process
	url string // of the channel at this node
	rec string
}

// watch starts a watcher and waits until it has a parent.
func (w *world) watch(link string, args ...string) *watcher {
	w.t.Helper()
	v := w.watchAlone(link, args...)
	v.attached(w.t)
	return v
}

// watchAlone starts a watcher and waits for its address only.
func (w *world) watchAlone(link string, args ...string) *watcher {
	w.t.Helper()
	name := fmt.Sprintf("watcher%d", nextID())
	v := &watcher{rec: w.path(name + ".flv")}
	v.process = start(w.t, name, w.bin, append([]string{
		"watch", link, "--listen", loopback, "--http", loopback,
		"--config", w.config, "--max-children", "2", "-o", v.rec, "--verbose",
	}, args...)...)
	v.url = v.find(w.t, &v.out, `(?m)^(http://\S+)\n`)
	return v
}

// attached waits until the watcher has a parent.
func (v *watcher) attached(t *testing.T) {
	t.Helper()
	eventually(t, v.name+" has a parent", func() error {
		st, err := channelStatus(v.url)
		if err == nil && st.Parent == nil {
			err = errors.New("it has none")
		}
		return err
	})
}

// watchMany starts n watchers, each once the one before has a parent.
func (w *world) watchMany(n int, link string) []*watcher {
	w.t.Helper()
	var all []*watcher
	for range n {
		all = append(all, w.watch(link))
	}
	return all
}

var lastID atomic.Int64

// nextID numbers what a test run starts.
func nextID() int { return int(lastID.Add(1)) }
