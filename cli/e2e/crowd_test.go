//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// tabs is how many viewers one node has at once.
	tabs = 50
	// mostPerViewer bounds the memory that one more viewer costs a node, in bytes.
	mostPerViewer = 4 << 20
	// crowded is how long they watch before the node is measured.
	crowded = 10 * time.Second
	// clockTicks is the unit of processor time in /proc, in 1/s. Linux has always shown
	// programs 100 (sysconf(3), _SC_CLK_TCK).
	clockTicks = 100
)

// tabOpen is a viewer that only counts what it is sent.
type tabOpen struct {
	bytes, parts atomic.Int64 // parts are MP4's fragments, or TS's pictures
	ended        atomic.Bool
}

// countIn reads until the connection ends; mark is what each part has in it.
func (v *tabOpen) countIn(r io.Reader, mark []byte) {
	b := make([]byte, 64<<10)
	for {
		n, err := r.Read(b)
		v.bytes.Add(int64(n))
		v.parts.Add(int64(bytes.Count(b[:n], mark)))
		if err != nil {
			v.ended.Store(true)
			return
		}
	}
}

// cpu returns the processor time that a process has used.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), ") ") // the name may have blanks in it
	fields := strings.Fields(after)             // from the third on (proc(5))
	sum := 0
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / clockTicks
}

// TestManyTabs lets fifty viewers watch one node, in a format that the node makes for each of
// them. It prints what they cost.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		output string
		mark   []byte
	}{
		{".flv", []byte("\x00\x00\x00\x00\x17\x01")}, // stream ID 0 and a keyframe; other frames are not counted
		{".mp4", []byte("moof")},                     // one for a picture, when it is live
		{".ts", []byte("\x00\x00\x00\x01\x09\xf0")},  // an access unit delimiter in front of each
	} {
		t.Run(c.output, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source()
			node := w.watch(src.link, "-o", "/dev/null")
			encode(t, src.rtmp, forEver, picture360, tone, withB, aac)
			play(t, "viewer", node.url).gets(t, 200)
			idle := node.cpuOver(t, crowded/2)
			before := node.rss(t)

			var all []*tabOpen
			for range tabs {
				resp, err := http.Get(outputAt(node.url, c.output))
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("status %s", resp.Status)
				}
				v := &tabOpen{}
				all = append(all, v)
				done := make(chan struct{})
				go func() { // ends with the connection
					defer close(done)
					v.countIn(resp.Body, c.mark)
				}()
				t.Cleanup(func() { resp.Body.Close(); <-done })
			}
			eventually(t, "all see pictures", func() error {
				for i, v := range all {
					if v.parts.Load() == 0 {
						return fmt.Errorf("viewer %d has none", i)
					}
				}
				return nil
			})
			var had []int64
			for _, v := range all {
				had = append(had, v.bytes.Load())
			}
			busy := node.cpuOver(t, crowded)
			after := node.rss(t)
			least := int64(1 << 62)
			for i, v := range all {
				if v.ended.Load() {
					t.Errorf("viewer %d was cut", i)
				}
				least = min(least, v.bytes.Load()-had[i])
			}
			if least == 0 {
				t.Error("a viewer got nothing while the others watched")
			}
			each := (after - before) / tabs
			t.Logf("%s: %d viewers, at least %d KB each in %v; processor time for a viewer's minute %v; memory %d MiB, and %d KiB for each viewer",
				c.output, tabs, least/1000, crowded, time.Duration((busy-idle)*float64(time.Minute)/tabs).Round(time.Millisecond), before>>20, each>>10)
			if each > mostPerViewer {
				t.Errorf("a viewer costs %d bytes", each)
			}
		})
	}
}

// cpuOver returns the share of one core that a process uses over a period of time.
func (p *process) cpuOver(t *testing.T, d time.Duration) float64 {
	t.Helper()
	begun, had := time.Now(), p.cpu(t)
	sleep(t, d)
	return float64(p.cpu(t)-had) / float64(time.Since(begun))
}
