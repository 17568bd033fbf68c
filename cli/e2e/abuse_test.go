//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/e2e/internal/program"
)

// patientNewcomer is what a newcomer may wait for on a machine that is busy with other things. How
// long it waits is for relay abuse itself to say, on one that is not.
const patientNewcomer = "6s"

// abused runs relay abuse against a node, and reports every bar that it missed.
func abused(t *testing.T, link string, args ...string) {
	t.Helper()
	p := run(t, "abuse", relayBin, append([]string{"abuse", link, "--newcomer", patientNewcomer}, args...)...)
	t.Logf("relay abuse:\n%s", p.out.String())
	said, missed, _ := strings.Cut(p.out.String(), "\nMissed:\n")
	if code := p.cmd.ProcessState.ExitCode(); code > 1 || code == 1 && missed == "" || !strings.Contains(said, "Goroutines: ") {
		t.Fatalf("it ended with %d:\n%s", code, p.err.tail())
	}
	for line := range strings.Lines(missed) {
		t.Error(strings.TrimSpace(line))
	}
}

// fault is what Go says of a program that breaks.
var fault = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+ \[)|runtime error`)

// notCrashed checks that a program that was attacked neither ended nor told of a fault of its own.
func (p *process) notCrashed(t *testing.T) {
	t.Helper()
	if !p.running() {
		t.Errorf("%s has ended", p.name)
	}
	if m := fault.FindString(p.err.String()); m != "" {
		t.Errorf("%s says %q", p.name, m)
	}
}

// TestStrangersTakeNothingFromThoseWhoWatch has every port of a source attacked, while a player at it
// and one at its child watch.
func TestStrangersTakeNothingFromThoseWhoWatch(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--admin", loopback, "--no-discovery")
	ff := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	child := w.watch(src.link, "-o", "/dev/null", "--no-discovery")
	viewers := []*viewer{play(t, "viewer at the source", src.url), play(t, "viewer at its child", child.url)}
	allGet(t, viewers, 50)
	said := len(src.err.String())
	admin := strings.TrimPrefix(metricsAt(t, src.process), "http://")
	players := strings.TrimPrefix(src.url[:strings.LastIndexByte(src.url, '/')], "http://")
	abused(t, src.link, "--http", players, "--rtmp", src.rtmpAddr(), "--admin", admin, "--tag-log", src.tagLog, "--for", "1500ms")
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
	for _, url := range outputs {
		go func() { // ends with ctx
			defer func() { done <- struct{}{} }()
			for ctx.Err() == nil {
				fetchAll(ctx, url)
			}
		}()
	}
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
			if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 && code != 2 || fault.Match(said) {
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
