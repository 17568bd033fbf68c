//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
)

// viewer is a player over HTTP: one request, whose tags it keeps as they come.
type viewer struct {
	name string

	mu      sync.Mutex
	tags    []tag
	keyAt   time.Time // the first key frame came
	err     error     // why the connection ended, io.EOF at a clean end
	stopped chan struct{}
	leave   func() // closes the connection and waits
}

// play opens a channel's address, for the stream as it was sent. The connection is closed when the test
// ends.
func play(t *testing.T, name, url string) *viewer {
	t.Helper()
	return playFrom(t, name, url+"?start=gop")
}

// playFrom is play for an address that says where to begin.
func playFrom(t *testing.T, name, url string) *viewer {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || ct != "video/x-flv" {
		resp.Body.Close()
		t.Fatalf("%s answers %s, %q", url, resp.Status, ct)
	}
	v := &viewer{name: name, stopped: make(chan struct{})}
	go func() { // ends with the connection
		defer close(v.stopped)
		v.read(flv.NewReader(resp.Body))
	}()
	v.leave = func() {
		resp.Body.Close()
		<-v.stopped
	}
	t.Cleanup(v.leave)
	return v
}

func (v *viewer) read(r *flv.Reader) {
	for {
		ft, err := r.Next()
		v.mu.Lock()
		if err != nil {
			v.err = err
			v.mu.Unlock()
			return
		}
		g := tagOf(ft)
		if g.kind.Key && v.keyAt.IsZero() {
			v.keyAt = time.Now()
		}
		v.tags = append(v.tags, g)
		v.mu.Unlock()
	}
}

// got returns the tags so far.
func (v *viewer) got() []tag {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tags[:len(v.tags):len(v.tags)]
}

// open fails the test if the connection has ended.
func (v *viewer) open(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err != nil {
		t.Errorf("%s: the connection ended: %v", v.name, v.err)
	}
}

// reaches waits until the last of want has come.
func (v *viewer) reaches(t *testing.T, want []tag) {
	t.Helper()
	last := want[len(want)-1]
	eventually(t, v.name+" has the last tag", func() error {
		got := v.got()
		if len(got) == 0 {
			return errors.New("it has none")
		}
		if g := got[len(got)-1]; !g.same(last) || g.ts != last.ts {
			return fmt.Errorf("its last is %v, the source's %v", g, last)
		}
		return nil
	})
}

// ends waits until the last of want has come, with any timestamp.
func (v *viewer) ends(t *testing.T, want []tag) {
	t.Helper()
	eventually(t, v.name+" has the last tag", func() error {
		if got := v.got(); len(got) == 0 || !got[len(got)-1].same(want[len(want)-1]) {
			return errors.New("not yet")
		}
		return nil
	})
}

// gets waits until n more tags than at the call have come.
func (v *viewer) gets(t *testing.T, n int) {
	t.Helper()
	v.has(t, len(v.got())+n)
}

// allGet waits until every viewer has got n more tags than at the call.
func allGet(t *testing.T, viewers []*viewer, n int) {
	t.Helper()
	before := make([]int, len(viewers))
	for i, v := range viewers {
		before[i] = len(v.got())
	}
	for i, v := range viewers {
		v.has(t, before[i]+n)
	}
}

// has waits until n tags have come.
func (v *viewer) has(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s has %d tags", v.name, n), func() error {
		if got := len(v.got()); got < n {
			return fmt.Errorf("it has %d", got)
		}
		return nil
	})
}

// firstKey waits for the first key frame and returns when it came.
func (v *viewer) firstKey(t *testing.T) time.Time {
	t.Helper()
	var at time.Time
	eventually(t, v.name+" gets a key frame", func() error {
		v.mu.Lock()
		defer v.mu.Unlock()
		if at = v.keyAt; at.IsZero() {
			return io.ErrNoProgress
		}
		return nil
	})
	return at
}
