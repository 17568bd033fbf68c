//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var togetherFor = flag.Duration("together", 0, "for how long each input runs before its outputs are held against it; 0 for a moment, and for some inputs")

const (
	// flashes is how far apart the clip's flashes and beeps are, which begin together.
	flashes = 2 * time.Second
	// flash is how long each of them is.
	flash = 200 * time.Millisecond
	// listened is how much of each output is looked at, and listenedLossy where something is lost: each loss may take a flash.
	listened      = 7 * time.Second
	listenedLossy = 15 * time.Second
	// mostApart is how far sound and picture may be from each other.
	mostApart = 40 * time.Millisecond
	flashRate = 30
	// hurried is the beginning of an output that does not count, a group of pictures, and unsure its end.
	hurried = 1300 * time.Millisecond
	unsure  = 300 * time.Millisecond
)

// flashClip makes a clip that flashes and beeps, with B-frames and AAC, long enough for the test.
func (w *world) flashClip() string {
	w.t.Helper()
	path := w.path("flashes.mkv")
	on := fmt.Sprintf(`lt(mod(t\,%g)\,%g)`, flashes.Seconds(), flash.Seconds())
	faultless(w.t, "ffmpeg", slices.Concat([]string{
		"-v", "error", "-nostdin",
		"-f", "lavfi", "-i", fmt.Sprintf("color=black:s=160x90:r=%d,drawbox=c=white:t=fill:enable=%s", flashRate, on),
		"-f", "lavfi", "-i", "aevalsrc=if(" + on + `\,sin(2000*PI*t)/2\,0):s=48000`,
		"-t", fmt.Sprint((*togetherFor + 4*time.Minute).Seconds()),
	}, withB, []string{"-b:v", "200k"}, aac, []string{path})...)
	return path
}

// apart decodes some seconds of the media at an address. It returns how many pictures there were, and how much later the
// sound was than the picture at each flash of which nothing is missing.
func apart(t *testing.T, listened time.Duration, in ...string) func() (pictures int, late []time.Duration, err error) {
	t.Helper()
	name := in[len(in)-1]
	p := start(t, "ffmpeg on "+name, "ffmpeg", slices.Concat([]string{"-hide_banner", "-nostdin", "-nostats"}, in[:len(in)-1], []string{
		"-i", name, "-t", fmt.Sprint(listened.Seconds()),
		"-vf", "blackdetect=d=0.5:pix_th=0.5", "-af", "silencedetect=n=-20dB:d=0.5", "-progress", "pipe:1",
	}, toNowhere)...)
	return func() (int, []time.Duration, error) {
		if code := p.wait(t); code != 0 {
			return 0, nil, fmt.Errorf("ffmpeg ended with %d and said: %s", code, p.err.tail())
		}
		pictures, _ := progress(p)
		// What newcomers are hurried through at first has no times that mean anything, and at the end all that is black or silent ends.
		said := p.err.String()
		times := func(pattern string) []time.Duration { return timesIn(said, pattern, listened) }
		seen := whole(times(`black_end:([0-9.]+)`), times(`black_start:([0-9.]+)`))
		heard := whole(times(`silence_end: ([0-9.]+)`), times(`silence_start: ([0-9.]+)`))
		var late []time.Duration
		for _, f := range seen {
			for _, b := range heard {
				if d := b - f; d.Abs() < flashes/2 {
					late = append(late, d)
				}
			}
		}
		if len(late) == 0 {
			return pictures, nil, fmt.Errorf("whole flashes at %v, whole beeps at %v", seen, heard)
		}
		return pictures, late, nil
	}
}

// whole returns those begins that have an end where the clip has it: what was lost in a beep makes it shorter, and later.
func whole(begins, ends []time.Duration) []time.Duration {
	return slices.DeleteFunc(begins, func(b time.Duration) bool {
		return !slices.ContainsFunc(ends, func(e time.Duration) bool { return (e - b - flash).Abs() < mostApart })
	})
}

func timesIn(text, pattern string, listened time.Duration) (all []time.Duration) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		s, err := strconv.ParseFloat(m[1], 64)
		if at := time.Duration(s * float64(time.Second)); err == nil && at > hurried && at < listened-unsure {
			all = append(all, at)
		}
	}
	return all
}

// oneIn100Lost returns where datagrams are passed on to an address from, but for one of a hundred.
func oneIn100Lost(t *testing.T, to string) string {
	t.Helper()
	in, err := net.ListenPacket("udp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	passed := make(chan [2]int)
	go func() { // ends with the test
		b, n, lost := make([]byte, 1<<16), 0, 0
		rnd := rand.New(rand.NewPCG(1, 2)) // always the same ones, in no step with the clip
		for {
			size, _, err := in.ReadFrom(b)
			if err != nil {
				passed <- [2]int{lost, n}
				return
			}
			if n++; rnd.IntN(100) == 0 {
				lost++
			} else {
				_, _ = out.Write(b[:size]) // as the network does, if nobody listens yet
			}
		}
	}()
	t.Cleanup(func() {
		in.Close()
		n := <-passed
		t.Logf("%d of %d datagrams were lost", n[0], n[1])
		out.Close()
	})
	return in.LocalAddr().String()
}

// TestSoundStaysWithThePicture brings a clip in by each way that there is, has it go on for a while, and looks at each output a link
// away: sound and picture have to be as they were in the clip. With -together 10m it is that long, and all ways; else two.
func TestSoundStaysWithThePicture(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	clip := w.flashClip()
	inFile := func(path string) time.Duration {
		_, late, err := apart(t, listened, path)()
		if err != nil {
			t.Fatal(err)
		}
		return late[0]
	}
	as := func(name string, args ...string) string {
		path := w.path(name)
		faultless(t, "ffmpeg", slices.Concat([]string{"-v", "error", "-nostdin", "-i", clip, "-c", "copy"}, args, []string{path})...)
		return path
	}
	send := func(to ...string) {
		start(t, "encoder", "ffmpeg", slices.Concat([]string{"-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-i", clip, "-c", "copy"}, to)...)
	}
	overSRT := func(w *world) *source {
		at := freeAddr(t)
		s := w.source("--srt", at)
		send("-f", "mpegts", "srt://"+at+"?mode=caller&latency=200000&passphrase="+streamKey+"&pbkeylen=16")
		return s
	}
	calledBySRT := func(w *world) *source {
		other, at := newWorld(t), freeAddr(t)
		first := other.sourceOf("srt://" + at + "?mode=listener&passphrase=" + streamKey) // waits for the encoder
		first.ready(t)
		send("-f", "mpegts", "srt://"+at+"?mode=caller&latency=200000&passphrase="+streamKey+"&pbkeylen=16")
		node := other.watch(first.link, "--srt", loopback, "-o", "/dev/null")
		return w.sourceOf(node.find(t, &node.err, `(?m)^SRT +(srt://127\.0\.0\.1:\d+\?streamid=read:\w+)$`))
	}
	overUDP := func(w *world) *source {
		at := "udp://" + freeAddr(t)
		s := w.sourceOf(at)
		send("-f", "mpegts", at+"?pkt_size=1316")
		return s
	}
	overLossyUDP := func(w *world) *source {
		at := freeAddr(t)
		s := w.sourceOf("udp://" + at)
		send("-f", "mpegts", "udp://"+oneIn100Lost(t, at)+"?pkt_size=1316")
		return s
	}
	fromCamera := func(w *world) *source {
		cam := newCamera(t)
		send("-f", "rtsp", "-rtsp_transport", "tcp", cam.address)
		eventually(t, "the camera films", func() error {
			if cam.films() == nil {
				return fmt.Errorf("it does not")
			}
			return nil
		})
		return w.sourceOf(cam.address)
	}
	overRTMP := func(w *world) *source {
		s := w.source()
		send("-f", "flv", s.rtmp)
		return s
	}
	spoken := as("spoken.mkv", slices.Concat(forWHIP, opusCodec)...)
	overWHIP := func(w *world) *source {
		s := w.source("--whip", loopback)
		publishWHIP(t, s.find(t, &s.err, `(?m)^  Server +(http://\S+)\n`), spoken)
		return s
	}
	avi := as("flashes.avi", "-bsf:v", "h264_mp4toannexb") // which does not say when pictures are shown
	inputs := []struct {
		name  string
		begin func(w *world) *source
		file  string // that is brought in
		opus  bool   // its sound, which this ffmpeg does not know in FLV
		lossy bool   // what misses a part is left out, and what needs it: up to the next key frame
	}{
		{"SRT", overSRT, clip, false, false},
		{"AVI, by ffmpeg", func(w *world) *source { return w.sourceOf(avi) }, avi, false, false},
		{"WHIP", overWHIP, spoken, true, false},
		{"MPEG-TS by UDP, 1 % lost", overLossyUDP, clip, false, true},
		{"SRT, waited for and called", calledBySRT, clip, false, false},
		{"RTSP", fromCamera, clip, false, false},
		{"Matroska", func(w *world) *source { return w.sourceOf(clip) }, clip, false, false},
		{"RTMP", overRTMP, clip, false, false},
		{"MPEG-TS by UDP", overUDP, clip, false, false},
		{"MP4", func(w *world) *source { return w.sourceOf(as("flashes.mp4")) }, clip, false, false},
		{"MPEG-TS", func(w *world) *source { return w.sourceOf(as("flashes.ts")) }, clip, false, false},
		{"FLV", func(w *world) *source { return w.sourceOf(as("flashes.flv")) }, clip, false, false},
	}
	if *togetherFor == 0 {
		inputs = inputs[:5]
	}
	nodes := make([]*watcher, len(inputs))
	srts := make([]string, len(inputs))
	for i, in := range inputs {
		w := newWorld(t) // a channel for each
		s := in.begin(w)
		s.ready(t)
		at := freeAddr(t)
		nodes[i] = w.watch(s.link, "--rtsp", loopback, "--srt", at, "--rtmp", loopback, "-o", "/dev/null")
		id := outputAt(nodes[i].url[strings.LastIndexByte(nodes[i].url, '/')+1:], "")
		srts[i] = "srt://" + at + "?streamid=read:" + id
	}
	sleep(t, *togetherFor)

	var table strings.Builder
	tw := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	outputs := []string{".flv", ".mp4", ".ts", "HLS", "RTMP", "RTSP", "SRT"}
	fmt.Fprintln(tw, "in\t"+strings.Join(outputs, "\t"))
	for i, in := range inputs {
		n := nodes[i]
		at := addressesOf(t, n.url)
		address := map[string][]string{
			".flv": {outputAt(n.url, ".flv?start=gop")}, ".mp4": {outputAt(n.url, ".mp4?start=gop")}, ".ts": {outputAt(n.url, ".ts?start=gop")}, "HLS": {hlsAt(n.url)},
			"RTMP": {n.find(t, &n.err, `(?m)^RTMP +(rtmp://127\.0\.0\.1:\d+/live/\S+)\n`) + "?start=gop"},
			"RTSP": {"-rtsp_transport", "tcp", at.RTSP}, "SRT": {srts[i]},
		}
		listens := listened
		if in.lossy {
			listens = listenedLossy
		}
		found := make(map[string]func() (int, []time.Duration, error))
		for _, o := range outputs { // all at the same time
			if in.opus && (o == ".flv" || o == "RTMP") {
				continue
			}
			found[o] = apart(t, listens, address[o]...)
		}
		original := inFile(in.file)
		row := []string{in.name}
		for _, o := range outputs {
			if found[o] == nil {
				row = append(row, "-")
				continue
			}
			pictures, late, err := found[o]()
			if err != nil {
				t.Errorf("%s, as %s: %v", in.name, o, err)
				continue
			}
			worst := time.Duration(0)
			for _, l := range late {
				if d := l - original; d.Abs() > worst.Abs() {
					worst = d
				}
			}
			least := int(listens.Seconds()-1) * flashRate
			if in.lossy {
				least /= 3
			}
			if worst.Abs() > mostApart || pictures < least {
				t.Errorf("%s, as %s: sound is %v after the picture, of which %v are the clip's, in %d pictures", in.name, o, late, original, pictures)
			}
			row = append(row, fmt.Sprintf("%+.0f (%d)", math.Round(worst.Seconds()*1000), pictures))
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush()
	t.Logf("sound after the picture, in ms, and pictures of %v, after %v:\n%s", listened, *togetherFor, table.String())
}
