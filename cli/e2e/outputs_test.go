//go:build e2e

package e2e

import (
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"relay/cli/e2e/internal/program"
)

const (
	// sampled is how many seconds of an output ffmpeg plays.
	sampled = 3
	// mostThumbnail bounds a thumbnail in bytes, and thumbnailWide is its width.
	mostThumbnail = 100 << 10
	thumbnailWide = 480
	// interrupted is the exit code after Ctrl-C.
	interrupted = 130
)

var (
	withB     = []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", "-g", "30", "-b:v", "1M"}
	hevcCodec = []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=2", "-pix_fmt", "yuv420p", "-g", "25", "-tag:v", "hvc1"}
	av1Codec  = []string{"-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "25", "-b:v", "300k"}
	vp9Codec  = []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "300k"}
	opusCodec = []string{"-c:a", "libopus", "-b:a", "64k", "-ac", "2"}
	// These arguments make a clip, faster than it plays.
	picture180 = []string{"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"}
	toneFast   = []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
)

// forms are the outputs that are one endless answer.
var forms = []string{".flv", ".ts", ".mp4"}

// outputAt is the address of a channel's output, of which url is the FLV.
func outputAt(url, output string) string { return strings.TrimSuffix(url, ".flv") + output }

// hlsAt is the address of a channel's HLS playlist.
func hlsAt(url string) string {
	i := strings.LastIndexByte(url, '/')
	return url[:i] + "/hls" + strings.TrimSuffix(url[i:], ".flv") + "/index.m3u8"
}

// sample starts an ffmpeg that decodes some seconds of the media at an address.
func sample(t *testing.T, what, in string) *process {
	t.Helper()
	return start(t, "ffmpeg on "+what, "ffmpeg", slices.Concat([]string{"-nostdin", "-v", "error", "-xerror", "-i", in, "-t", strconv.Itoa(sampled), "-progress", "pipe:1"}, toNowhere)...)
}

// sampleOf waits for that ffmpeg, which must find no fault. It returns how many pictures there
// were and how long they played.
func sampleOf(t *testing.T, p *process) (pictures int, played time.Duration) {
	t.Helper()
	if code := p.wait(t); code != 0 || p.err.String() != "" {
		t.Errorf("%s ended with %d and said: %s", p.name, code, p.err.tail())
	}
	return progress(p)
}

// progress reads what ffmpeg -progress wrote last.
func progress(p *process) (pictures int, played time.Duration) {
	for line := range strings.Lines(p.out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil: // "N/A", or another key's
		case key == "frame":
			pictures = n
		case key == "out_time_us":
			played = time.Duration(n) * time.Microsecond
		}
	}
	return pictures, played
}

// codecStream is what an encoder sends, and what each output makes of it.
type codecStream struct {
	name    string
	publish func(t *testing.T, s *source)
	picture bool
	// unread are outputs that are answered but that Debian's ffmpeg cannot read.
	unread []string
	// refused are outputs that must not be answered: the container has no place for
	// the codec.
	refused []string
}

func byFFmpeg(parts ...[]string) func(*testing.T, *source) {
	return func(t *testing.T, s *source) { encode(t, s.rtmp, forEver, parts...) }
}

func byClip(legacy byte, parts ...[]string) func(*testing.T, *source) {
	return func(t *testing.T, s *source) { encodeClip(t, legacy, parts...).broadcast(t, s) }
}

// TestEveryOutputProbes plays each output of each sort of stream in ffmpeg. ffmpeg must find no
// fault in it, or get an answer that says in words where else to look.
func TestEveryOutputProbes(t *testing.T) {
	t.Parallel()
	streams := []codecStream{
		{name: "H.264 with B-frames, AAC", picture: true, publish: byFFmpeg(picture360, tone, withB, aac)},
		{name: "H.264 alone", picture: true, publish: byFFmpeg(picture360, withB)},
		{name: "AAC alone", publish: byFFmpeg(tone, aac)},
		{name: "H.264, MP3", picture: true, publish: byFFmpeg(picture360, tone, withB, mp3, []string{"-ar", "44100"})},
		{name: "MP3 alone", publish: byFFmpeg(tone, mp3, []string{"-ar", "44100"})},
		{name: "HEVC, AAC", picture: true, publish: byClip(0, picture180, toneFast, hevcCodec, aac), unread: []string{".flv"}},
		{name: "HEVC as legacy codec 12, AAC", picture: true, publish: byClip(legacyHEVC, picture180, toneFast, hevcCodec, aac), unread: []string{".flv"}},
		{name: "AV1, Opus", picture: true, publish: byClip(0, picture180, toneFast, av1Codec, opusCodec), unread: []string{".flv"}, refused: []string{".ts"}},
		{name: "VP9, Opus", picture: true, publish: byClip(0, picture180, toneFast, vp9Codec, opusCodec), unread: []string{".flv"}, refused: []string{".ts"}},
		{name: "H.264, Opus", picture: true, publish: byClip(0, picture180, toneFast, withB, opusCodec), unread: []string{".flv"}},
	}
	rows := make([]string, len(streams))
	t.Cleanup(func() { // all are there
		var b strings.Builder
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "stream\t.flv squash\tgop\tkey\t.ts squash\tgop\tkey\t.mp4 squash\tgop\tkey\tHLS")
		fmt.Fprintln(tw, strings.Join(rows, "\n"))
		tw.Flush()
		t.Logf("pictures or sound that ffmpeg decoded of %d s:\n%s", sampled, b.String())
	})
	for i, c := range streams {
		t.Run(c.name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source()
			node := w.watch(src.link, "-o", "/dev/null")
			c.publish(t, src)
			play(t, "viewer", node.url).gets(t, 100)
			outputs := []string{}
			for _, f := range forms {
				outputs = append(outputs, f+"?start=squash", f+"?start=gop", f+"?start=key")
			}
			var found []func() string
			for _, o := range append(outputs, "hls") { // all at the same time
				found = append(found, c.probe(t, node.url, o))
			}
			row := []string{c.name}
			for _, f := range found {
				row = append(row, f())
			}
			rows[i] = strings.Join(row, "\t")
		})
	}
}

// probe begins to check one output. It returns a function that ends the check and returns the
// text for the table.
func (c codecStream) probe(t *testing.T, url, output string) func() string {
	t.Helper()
	suffix, _, _ := strings.Cut(output, "?")
	address := outputAt(url, output)
	if output == "hls" {
		address = hlsAt(url)
	}
	has := func(all []string) bool { return slices.Contains(all, suffix) }
	say := func(s string) func() string { return func() string { return s } }
	code, text := answered(t, address)
	switch {
	case code == http.StatusUnsupportedMediaType:
		if !has(c.refused) {
			t.Errorf("%s of %s is refused: %s", output, c.name, text)
		}
		if !regexp.MustCompile(`http://\S+\.(flv|ts|mp4)\b`).MatchString(text) {
			t.Errorf("%s of %s is refused without another address: %s", output, c.name, text)
		}
		return say("415")
	case code != http.StatusOK:
		t.Errorf("%s of %s: status %d: %s", output, c.name, code, text)
		return say(strconv.Itoa(code))
	case has(c.refused):
		t.Errorf("%s of %s is not refused", output, c.name)
		return say("?")
	case has(c.unread):
		return say("sent")
	}
	p := sample(t, output+" of "+c.name, address)
	return func() string {
		pictures, played := sampleOf(t, p)
		if played < sampled*time.Second/2 {
			t.Errorf("%s of %s: %v were played", output, c.name, played)
		}
		if !c.picture {
			return played.Round(time.Second / 10).String()
		}
		if pictures < (sampled-1)*25 {
			t.Errorf("%s of %s: %d pictures", output, c.name, pictures)
		}
		return strconv.Itoa(pictures)
	}
}

// answered asks for an output, and disconnects as soon as media comes.
func answered(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		return resp.StatusCode, ""
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestPlaylistAndThumbnail asks for the outputs that are not streams.
func TestPlaylistAndThumbnail(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--title", "An evening,\nwith guests")
	node := w.watch(src.link, "-o", "/dev/null", "--thumbnails")
	encode(t, src.rtmp, forEver, picture360, tone, withB, aac)
	play(t, "viewer", node.url).gets(t, 100)

	code, text, err := fetch(outputAt(node.url, ".m3u"))
	if want := "#EXTM3U\n#EXTINF:-1,An evening, with guests\n" + outputAt(node.url, ".ts") + "\n"; err != nil || code != http.StatusOK || text != want {
		t.Errorf(".m3u: %d, %v: %q, want %q", code, err, text, want)
	}
	code, text, err = fetch(outputAt(node.url, ".jpg"))
	if err != nil || code != http.StatusOK || len(text) > mostThumbnail {
		t.Errorf(".jpg: %d, %v, %d bytes", code, err, len(text))
	}
	img, err := jpeg.Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != thumbnailWide || size.Y != thumbnailWide*360/640 {
		t.Errorf("the thumbnail is %v", size)
	}
	t.Logf("thumbnail: %v, %d bytes", img.Bounds().Size(), len(text))
}

// TestOutputsToFilesAndPipes records in each format, and pipes to a player that is
// closed.
func TestOutputsToFilesAndPipes(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "8")
	encode(t, src.rtmp, forEver, picture360, tone, withB, aac)
	play(t, "viewer", src.url).gets(t, 100)

	var nodes []*process
	for _, f := range forms {
		nodes = append(nodes, start(t, "recorder of "+f, relayBin, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", w.config, "--record", w.path("rec"+f)))
	}
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(relayBin, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", w.config, "-o", "-")
	cmd.Stdout = pipe
	p := startCommand(t, "relay -o -", cmd)
	pipe.Close()
	ff := startWith(t, r, "ffmpeg on a pipe", "ffmpeg", slices.Concat([]string{"-v", "error", "-xerror", "-i", "pipe:0", "-t", strconv.Itoa(sampled), "-progress", "pipe:1"}, toNowhere)...)
	r.Close()
	if pictures, played := sampleOf(t, ff); pictures < (sampled-1)*25 || played < (sampled-1)*time.Second {
		t.Errorf("ffmpeg got %d pictures in %v from the pipe", pictures, played)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("relay watch -o - ended with %d when the pipe was closed", code)
	}
	for i, f := range forms {
		nodes[i].interrupt(t)
		if code := nodes[i].cmd.ProcessState.ExitCode(); code != interrupted {
			t.Errorf("%s ended with %d", nodes[i].name, code)
		}
		n := decodes(t, w.path("rec"+f))
		if n < (sampled-1)*25 {
			t.Errorf("%s holds %d pictures", f, n)
		}
		t.Logf("rec%s: %d pictures", f, n)
	}
}

// TestRecordingSurvivesAFullDisk records onto a disk of 1 MiB. Players go on, and the
// recording plays.
func TestRecordingSurvivesAFullDisk(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "8")
	encode(t, src.rtmp, forEver, picture360, tone, withB, aac)
	play(t, "viewer", src.url).gets(t, 100)
	disk := w.path("disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range forms {
		t.Run(f, func(t *testing.T) {
			t.Parallel()
			p := onFullDisk(t, "recorder", disk, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", w.config, "--record", disk+"/rec"+f)
			url := p.find(t, &p.out, `(?m)^(http://\S+)\n`)
			v := play(t, "viewer of the recorder", url)
			p.find(t, &p.err, `relay: error: the recording ends here: .*(the disk is full)`)
			v.gets(t, 100)
			v.open(t)
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s/rec%s", p.cmd.Process.Pid, disk, f))
			if err != nil {
				t.Fatal(err)
			}
			rec := w.path("rec" + f)
			if err := os.WriteFile(rec, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if f == ".flv" {
				recording(t, rec) // to its last tag
			}
			t.Logf("%d bytes, %d pictures", len(b), decodes(t, rec))
			p.interrupt(t)
			if code := p.cmd.ProcessState.ExitCode(); code != interrupted {
				t.Errorf("it ended with %d", code)
			}
		})
	}
	t.Run("kept", func(t *testing.T) {
		t.Parallel()
		p := onFullDisk(t, "keeper", disk, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", disk+"/config", "--keep", "1h")
		url := p.find(t, &p.out, `(?m)^(http://\S+)\n`)
		v := play(t, "viewer of the keeper", url)
		p.find(t, &p.err, `Nothing more is kept on disk: (the disk is full)`)
		v.gets(t, 100)
		v.open(t)
		playFrom(t, "viewer of what is kept", url+"?at=start").gets(t, 100)
	})
}

// onFullDisk starts relay with an empty disk of 1 MiB at a folder, which only that process sees, and which
// vanishes with it.
func onFullDisk(t *testing.T, name, disk string, args ...string) *process {
	t.Helper()
	unshare := []string{"--mount"}
	if os.Getuid() != 0 {
		unshare = []string{"--map-root-user", "--mount"}
	}
	return start(t, name, "unshare", append(unshare, append([]string{"sh", "-c", `mount -t tmpfs -o size=1m none "$0" && exec "$@"`, disk, relayBin}, args...)...)...)
}

// TestEncoderWithAnotherSize replaces the encoder with one that sends a larger picture, while
// each output is being read and recorded. Everything decodes.
func TestEncoderWithAnotherSize(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "8")
	node := w.watch(src.link, "-o", "/dev/null")
	first := encode(t, src.rtmp, 5, picture180Live, tone, withB, aac)
	play(t, "viewer", node.url).gets(t, 60)
	var taken []*capture
	for _, f := range forms {
		for _, start := range []string{"squash", "gop"} {
			taken = append(taken, take(t, outputAt(node.url, f+"?start="+start), w.path(start+f)))
		}
	}
	var recorders []*process
	for _, f := range forms {
		p := start(t, "recorder of "+f, relayBin, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", w.config, "--record", w.path("rec"+f))
		p.find(t, &p.err, `(Live): H.264 320x180`)
		recorders = append(recorders, p)
	}
	encoded(t, first)
	encode(t, src.rtmp, 4, picture360, tone, withB, aac).wait(t)
	for _, p := range append(recorders, node.process) {
		p.interrupt(t)
	}
	for _, c := range taken {
		<-c.ended
	}
	for _, f := range forms {
		for _, how := range []string{"squash", "gop", "rec"} {
			sizes := sizesIn(t, w.path(how+f))
			t.Logf("%s %s: pictures by size: %v", how, f, sizes)
			if sizes["320x180"] < 25 || sizes["640x360"] < 75 {
				t.Errorf("%s %s: pictures by size: %v", how, f, sizes)
			}
		}
	}
}

// sizesIn counts the pictures of each size in a recording, in which ffmpeg must find no
// fault. (ffprobe of Debian 12 crashes on FLV whose parameters change.)
func sizesIn(t *testing.T, path string) map[string]int {
	t.Helper()
	faultless(t, "ffmpeg", slices.Concat([]string{"-v", "error", "-nostdin", "-xerror", "-i", path}, toNowhere)...)
	p := run(t, "ffmpeg", "ffmpeg", slices.Concat([]string{"-nostdin", "-i", path, "-vf", "showinfo"}, toNowhere)...)
	sizes := make(map[string]int)
	for _, m := range regexp.MustCompile(`showinfo.* s:(\d+x\d+) `).FindAllStringSubmatch(p.err.String(), -1) {
		sizes[m[1]]++
	}
	return sizes
}

var picture180Live = append([]string{"-re"}, picture180...)

// capture is an HTTP answer that goes into a file.
type capture struct {
	ended chan struct{}
}

// take writes what an address answers into a file, until the connection ends.
func take(t *testing.T, address, path string) *capture {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &capture{make(chan struct{})}
	go func() { // ends with the connection
		defer close(c.ended)
		defer f.Close()
		_, _ = io.Copy(f, resp.Body) // only its end matters
	}()
	t.Cleanup(func() { resp.Body.Close(); <-c.ended })
	return c
}
