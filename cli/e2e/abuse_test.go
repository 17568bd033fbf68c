//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/e2e/internal/attack"
	"relay/cli/e2e/internal/program"
)

// abused runs relay abuse against a node, and reports every bar that it missed.
func abused(t *testing.T, link string, args ...string) {
	t.Helper()
	p := run(t, "abuse", relayBin, attack.Args(link, args...)...)
	attack.Judge(t, p.out.String(), p.err.tail(), p.cmd.ProcessState.ExitCode())
}

// notCrashed checks that a program that was attacked neither ended nor told of a fault of its own.
func (p *process) notCrashed(t *testing.T) {
	t.Helper()
	if !p.running() {
		t.Errorf("%s has ended", p.name)
	}
	if m := attack.Fault.FindString(p.err.String()); m != "" {
		t.Errorf("%s says %q", p.name, m)
	}
}

// TestStrangersTakeNothingFromThoseWhoWatch has every port of a source attacked, while a player at it
// and one at its child watch.
func TestStrangersTakeNothingFromThoseWhoWatch(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	asked, query := discovered(t)
	src := w.source(append([]string{"--admin", loopback, "--srt", loopback}, asked...)...)
	ff := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	child := w.watch(src.link, "-o", "/dev/null", "--no-discovery")
	viewers := []*viewer{play(t, "viewer at the source", src.url), play(t, "viewer at its child", child.url)}
	allGet(t, viewers, 50)
	said := len(src.err.String())
	admin := strings.TrimPrefix(metricsAt(t, src.process), "http://")
	players := strings.TrimPrefix(src.url[:strings.LastIndexByte(src.url, '/')], "http://")
	abused(t, src.link, append(query, "--http", players, "--rtmp", src.rtmpAddr(), "--srt", src.find(t, &src.err, `srt://([^?]+)`), "--admin", admin, "--tag-log", src.tagLog, "--for", "1500ms")...)
	t.Logf("the source has written %d KiB of log", (len(src.err.String())-said)>>10)
	for _, p := range []*process{src.process, child.process, ff} {
		p.notCrashed(t)
	}
	allGet(t, viewers, 50)
	ff.interrupt(t)
	want := allOf(t, src)
	for _, v := range viewers {
		v.reaches(t, want)
		v.open(t)
		complete(t, v.name, v.got(), want)
	}
}

// discovered has a node answer those who look for channels, at a port that no other test has, and relay abuse
// ask there. Only Linux sends a query on loopback to all.
func discovered(t *testing.T) (node, abuse []string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return []string{"--no-discovery"}, nil
	}
	c, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() // before the node starts
	port := strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
	return []string{"--discovery-port", port}, []string{"--discovery", "127.255.255.255:" + port}
}

// TestHostileMediaBreakNoOutput has an encoder with the right key send what decoders have choked on,
// while each form in which a channel can be had is made of it.
func TestHostileMediaBreakNoOutput(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--admin", loopback, "--no-discovery")
	admin := strings.TrimPrefix(metricsAt(t, src.process), "http://")
	players := strings.TrimPrefix(src.url[:strings.LastIndexByte(src.url, '/')], "http://")
	ctx, leave := context.WithCancel(t.Context())
	base := strings.TrimSuffix(src.url, ".flv")
	done := make(chan struct{})
	outputs := []string{base + ".mp4", base + ".ts", strings.Replace(base, players, players+"/hls", 1) + "/index.m3u8", base + ".flv"}
	var once sync.WaitGroup
	for _, url := range outputs {
		once.Add(1)
		go func() { // ends with ctx
			defer func() { done <- struct{}{} }()
			fetchAll(ctx, url)
			for once.Done(); ctx.Err() == nil; {
				fetchAll(ctx, url)
			}
		}()
	}
	// What the source has running for these viewers is not to be taken for what strangers leave.
	encoded(t, encode(t, src.rtmp, 3, picture360, tone, h264, aac))
	once.Wait()
	key := w.path("key")
	if err := os.WriteFile(key, []byte(streamKey), 0o600); err != nil {
		t.Fatal(err)
	}
	abused(t, src.link, "--http", players, "--rtmp", src.rtmpAddr(), "--admin", admin, "--key", "@"+key, "--only", "media", "--for", "1s")
	leave()
	for range outputs {
		<-done
	}
	src.notCrashed(t)
	// An honest encoder is served after all that.
	encoded(t, encode(t, src.rtmp, 3, picture360, tone, h264, aac))
	src.notCrashed(t)
}

// filesAtATime is how many hostile files are read at a time: each mostly waits.
const filesAtATime = 8

// TestHostileFilesEndInWords has relay source read broken FLV from a pipe.
func TestHostileFilesEndInWords(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	slots := make(chan struct{}, filesAtATime)
	for _, f := range hostile.Files() {
		slots <- struct{}{}
		go func() { // ends with the program, which ends with the test
			defer func() { <-slots }()
			cmd := program.Command(relayBin, "source", "-", "--listen", loopback, "--http", loopback, "--admin", "off", "--no-discovery", "--config", w.config)
			cmd.Stdin = bytes.NewReader(f.Bytes)
			tooLong := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // an error says that it has ended
			said, _ := cmd.CombinedOutput()                                        // the exit code tells
			tooLong.Stop()
			if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 && code != 2 || attack.Fault.Match(said) {
				t.Errorf("%s: it ended with %d and said:\n%s", f.Name, code, said)
			}
		}()
	}
	for range cap(slots) { // all have ended
		slots <- struct{}{}
	}
}

// fetchAll reads what an address has, for two seconds at most.
func fetchAll(ctx context.Context, url string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	if resp, err := http.DefaultClient.Do(req); err == nil { // hostile media may be of no form at all
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
