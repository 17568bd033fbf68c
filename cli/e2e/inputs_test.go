//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
	"relay/ingest/flv"
)

var (
	videoClip = filepath.Join("..", "..", "testdata", "flv", "video.flv")
	demoClip  = filepath.Join("..", "demo", "demo.flv")
)

// cut makes a clip of the demo's first seconds. Further arguments are ffmpeg's.
func (w *world) cut(seconds int, name string, args ...string) string {
	w.t.Helper()
	path := w.path(name)
	args = append([]string{"-v", "error", "-nostdin", "-i", demoClip, "-t", strconv.Itoa(seconds), "-c", "copy"}, args...)
	faultless(w.t, "ffmpeg", append(args, path)...)
	return path
}

// singleGOP lets a newcomer get a clip from its beginning, whenever it comes.
var singleGOP = []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "9999", "-sc_threshold", "0"}

// recordedWhole ends a watcher once it has the last of what was taken in, and
// checks that it has all, the first media included, and that it decodes.
func recordedWhole(t *testing.T, v *watcher, want []tag) []tag {
	t.Helper()
	reached(t, v.rec, want)
	v.interrupt(t)
	got := recording(t, v.rec)
	first := complete(t, v.name, got, want)
	header, _ := split(got)
	for i, g := range want[:first] {
		if !contains(header, g) {
			t.Errorf("%s has not got tag %d of %d, %v", v.name, i, len(want), g)
			break
		}
	}
	if frames := decodes(t, v.rec); frames != pictures(got) {
		t.Errorf("ffprobe counts %d frames of %d in what %s recorded", frames, pictures(got), v.name)
	}
	return got
}

// allOf waits until a source's input has gone, and returns what it took in.
func allOf(t *testing.T, src *source) []tag {
	t.Helper()
	eventually(t, "the source sees its input go", func() error {
		st, err := channelStatus(src.url)
		if err == nil && st.State != "reconnecting" {
			err = errors.New("it is " + string(st.State))
		}
		return err
	})
	return logged(t, src.tagLog)
}

// carries checks that all media of a clip was taken in, in order, untouched.
func carries(t *testing.T, want []tag, clip string) {
	t.Helper()
	_, media := split(recording(t, clip))
	parts := runs(t, clip, media, want)
	if n := len(media); len(parts) != 1 || parts[0].to-parts[0].from != n {
		t.Errorf("of the %d media tags of %s, %v of %d came in", n, clip, parts, len(want))
	}
}

// TestInputFileIsPacedAndEnds sends a file once.
func TestInputFileIsPacedAndEnds(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	clip := w.cut(6, "clip.flv", singleGOP...)
	want := recording(t, clip)
	begun := time.Now() // the start of the program counts as time that passes
	src := w.sourceOf(clip)
	src.ready(t)
	v := w.watch(src.link)
	if code := src.wait(t); code != 0 {
		t.Errorf("the source ended with %d", code)
	}
	media, wall := time.Duration(newest(want))*time.Millisecond, time.Since(begun)
	if ratio := media.Seconds() / wall.Seconds(); ratio < 0.5 || ratio > 2 {
		t.Errorf("%v of media took %v", media, wall)
	}
	t.Logf("%v of media took %v: %s", media, wall, summary(recordedWhole(t, v, want)))
}

// maxStep is how far apart two tags of a type may be: three frames of 30 Hz.
const maxStep = 100

// smooth checks that the timestamps of each type go on without a jump.
func smooth(t *testing.T, who string, tags []tag) {
	t.Helper()
	last := make(map[flv.Type]uint32)
	for i, g := range tags {
		before, ok := last[g.typ]
		last[g.typ] = g.ts
		step := int64(g.ts) - int64(before)
		if ok && (step < 0 || step > maxStep && g.typ != flv.Script) {
			t.Errorf("%s: tag %d of %d, %v, comes %d ms after one of its type", who, i, len(tags), g, step)
		}
	}
}

// TestLoopHasNoJump repeats a clip without audio and one with it.
func TestLoopHasNoJump(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	const rounds = 3
	type round struct {
		*source
		*viewer
		key tag
	}
	var looping []round
	for i, clip := range []string{videoClip, w.cut(2, "both.flv")} {
		tags := recording(t, clip)
		key := tags[slices.IndexFunc(tags, func(g tag) bool { return g.kind.Key })]
		src := w.sourceOf(clip, "--loop", "--channel", fmt.Sprint("loop", i))
		src.ready(t)
		looping = append(looping, round{src, play(t, "viewer of "+filepath.Base(clip), src.url), key})
	}
	for _, r := range looping {
		eventually(t, r.viewer.name+" gets another round", func() error {
			n := 0
			for _, g := range r.got() {
				if g.same(r.key) {
					n++
				}
			}
			if n <= rounds {
				return fmt.Errorf("it has begun %d", n)
			}
			return nil
		})
		r.interrupt(t)
		want := logged(t, r.tagLog)
		smooth(t, r.source.name, want)
		_, media := split(r.got())
		smooth(t, r.viewer.name, media)
		if parts := runs(t, r.viewer.name, r.got(), want); len(parts) != 1 {
			t.Errorf("%s got %v of %d", r.viewer.name, parts, len(want))
		}
		if n := newest(want); n < rounds*1900 {
			t.Errorf("%d rounds of 2 s end at %d ms", rounds, n)
		}
	}
}

// sourceFrom starts a source that reads standard input.
func (w *world) sourceFrom(stdin io.Reader) *source {
	w.t.Helper()
	s := &source{tagLog: w.path(fmt.Sprintf("source%d.tags", nextID()))}
	s.process = startWith(w.t, stdin, "source", relayBin, "source", "--listen", loopback, "--http", loopback,
		"--config", w.config, "--tag-log", s.tagLog, "--verbose", "-")
	return s
}

// TestInputFromAPipe reads what ffmpeg writes to its standard output.
func TestInputFromAPipe(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	clip := w.cut(4, "clip.flv", singleGOP...)
	enc := program.Command("ffmpeg", "-v", "error", "-nostdin", "-re", "-i", clip, "-c", "copy", "-f", "flv", "-")
	out, err := enc.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := enc.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = enc.Process.Kill() // an error says that it has ended
		_ = enc.Wait()
	})
	src := w.sourceFrom(out)
	src.ready(t)
	v := w.watch(src.link)
	if code := src.wait(t); code != 0 {
		t.Errorf("the source ended with %d", code)
	}
	want := logged(t, src.tagLog)
	carries(t, want, clip)
	recordedWhole(t, v, want)
}

// TestInputOfMPEGTS sends a file of MPEG-TS once: viewers get it as if it were FLV.
func TestInputOfMPEGTS(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.sourceOf(w.cut(3, "clip.ts", singleGOP...))
	src.ready(t)
	v := w.watch(src.link)
	if code := src.wait(t); code != 0 {
		t.Errorf("the source ended with %d", code)
	}
	want := logged(t, src.tagLog)
	reached(t, v.rec, want)
	v.interrupt(t)
	got := recording(t, v.rec)
	complete(t, v.name, got, want)
	if n, frames := count(got, flv.Video), decodes(t, v.rec); n != 3*30 || frames != n {
		t.Errorf("%d pictures came of %d, and %d of them are decoded", n, 3*30, frames)
	}
}

// TestPullOverHTTP fetches a channel from the address where another relay plays it.
func TestPullOverHTTP(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	first := w.source()
	enc := encode(t, first.rtmp, 5, picture360, tone, h264, aac)
	first.takes(t, 1)
	second := w.sourceOf(first.url+"?start=gop", "--channel", "second")
	second.ready(t)
	v := w.watch(second.link)
	encoded(t, enc)
	want := allOf(t, first)
	reached(t, v.rec, want)
	v.interrupt(t)
	got := recording(t, v.rec)
	complete(t, v.name, got, want)
	complete(t, v.name, got, logged(t, second.tagLog))
	decodes(t, v.rec)
	second.interrupt(t)
}

// deafAddr returns an address on which nobody listens until the test ends, because a socket of
// this process holds it.
func deafAddr(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("127.0.0.1:", sa.(*syscall.SockaddrInet4).Port)
}

// freeAddr returns an address on which nobody listens just now. Another program may take it.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestPullOverRTMP fetches from an ffmpeg that serves one player.
func TestPullOverRTMP(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	clip := w.cut(4, "clip.flv", singleGOP...)
	var url string
	serve := func() *process {
		url = "rtmp://" + freeAddr(t) + "/live/x"
		return start(t, "ffmpeg", "ffmpeg", "-v", "error", "-nostdin", "-re", "-i", clip, "-c", "copy", "-f", "flv", "-listen", "1", url)
	}
	server := serve()
	src := w.sourceOf(url)
	eventually(t, "the source fetches", func() error {
		alive := src.running()
		if src.out.String() != "" {
			return nil
		}
		if !server.running() && src.out.String() == "" { // another program has taken its address
			server = serve()
		}
		if !alive { // the server was not listening yet
			src = w.sourceOf(url)
		}
		return errors.New("it has nothing")
	})
	src.ready(t)
	v := w.watch(src.link)
	server.wait(t)
	want := allOf(t, src)
	carries(t, want, clip)
	recordedWhole(t, v, want)
	src.interrupt(t)
}

// TestAudioOrVideoAlone publishes streams of one track.
func TestAudioOrVideoAlone(t *testing.T) {
	t.Parallel()
	for name, parts := range map[string][][]string{
		"MP3":  {tone, mp3, {"-ar", "44100"}},
		"AAC":  {tone, aac},
		"H264": {picture360, h264},
	} {
		t.Run(name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source()
			v := w.watch(src.link)
			encoded(t, encode(t, src.rtmp, 3, parts...))
			want := allOf(t, src)
			got := recordedWhole(t, v, want)
			if count(got, flv.Video)+count(got, flv.Audio) < 70 {
				t.Errorf("3 s are %s", summary(got))
			}
		})
	}
}

// TestInputThatIsBadIsOneLine gives relay source inputs that nobody can broadcast. It must
// print an error, perhaps a hint, and no invite that leads nowhere.
func TestInputThatIsBadIsOneLine(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, "<html>")
	}))
	defer page.Close()
	garbage := strings.Repeat("\xde\xad\xbe\xef", 5000)
	for _, c := range []struct{ name, input, stdin, says string }{
		{"missing file", w.path("none.flv"), "", "no such file"},
		{"folder", w.dir, "", ""},
		{"nobody at HTTP", "http://" + deafAddr(t) + "/x.flv", "", "nothing listens on that port"},
		{"nobody at RTMP", "rtmp://" + deafAddr(t) + "/live/x", "", "nothing listens on that port"},
		{"not found", missing.URL + "/x.flv", "", "404"},
		{"web page", page.URL, "", "HTML"},
		{"HTTP at RTMP", strings.Replace(page.URL, "http", "rtmp", 1) + "/live/x", "", ""},
		{"garbage", "-", garbage, "not FLV"},
		{"garbage behind a header", "-", "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00" + garbage, ""},
		{"nothing", "-", "", "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startWith(t, bytes.NewBufferString(c.stdin), "source", relayBin, "source",
				"--listen", loopback, "--http", loopback, "--config", w.config, c.input)
			if code := p.wait(t); code <= 0 {
				t.Errorf("it ended with %d", code)
			}
			lines := strings.Split(strings.TrimSuffix(p.err.String(), "\n"), "\n")
			if !strings.HasPrefix(lines[0], "relay: error: ") || !strings.Contains(lines[0], c.says) ||
				len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[1], "relay: hint: ") || p.out.String() != "" {
				t.Errorf("it said %q and %q", p.out.String(), p.err.String())
			}
			t.Logf("%q", lines)
		})
	}
}
