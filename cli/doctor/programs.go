package doctor

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"relay/cli/term"
)

const (
	// programPatience is how long the players may take to name their codecs. They usually take
	// about 100 ms.
	programPatience = 5 * time.Second
	// programOutput bounds how much of the answer is read, in bytes. It is a dozen times the
	// usual answer.
	programOutput = 1 << 20
)

// program is a player, a browser or a tool that is installed.
type program struct {
	path   string
	codecs []string // those of wantedCodecs that it decodes; nil if it does not tell
}

// wantedCodecs are the codecs that encoders send, by their names in ffmpeg.
var wantedCodecs = []struct{ name, text string }{
	{"h264", "H.264"},
	{"hevc", "HEVC"},
	{"av1", "AV1"},
	{"vp9", "VP9"},
	{"aac", "AAC"},
	{"opus", "Opus"},
	{"mp3", "MP3"},
}

// programNames are the programs to look for, each with the names of its executables. The first
// one that exists counts.
var programNames = map[string][]string{
	"vlc":      {"vlc"},
	"mpv":      {"mpv"},
	"ffplay":   {"ffplay"},
	"Chromium": {"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser"},
	"Firefox":  {"firefox", "firefox-esr"},
}

// codecLists says how to ask players what they decode, and how to parse the answers.
var codecLists = map[string]struct {
	args  [][]string // the arguments of each question
	parse func(string) []string
}{
	"mpv":    {[][]string{{"--no-config", "--vd=help"}, {"--no-config", "--ad=help"}}, mpvCodecs},
	"ffplay": {[][]string{{"-hide_banner", "-codecs"}}, ffmpegCodecs},
}

// findPrograms looks for all programs, and asks those that can tell for their codecs. One that
// has not answered when ctx ends has none that are known.
func findPrograms(ctx context.Context) map[string]program {
	all := make(map[string]program)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, commands := range programNames {
		path := ""
		for _, c := range commands {
			if p, err := exec.LookPath(c); err == nil {
				path = p
				break
			}
		}
		if path == "" {
			continue
		}
		wg.Go(func() { // ends with the program or with ctx
			p := program{path: path}
			p.codecs = askCodecs(ctx, name, path)
			mu.Lock()
			defer mu.Unlock()
			all[name] = p
		})
	}
	wg.Wait()
	return all
}

// askCodecs asks a player what it decodes. It returns nil if the player does not tell.
func askCodecs(ctx context.Context, name, path string) []string {
	list, ok := codecLists[name]
	if !ok {
		return nil
	}
	var all strings.Builder
	for _, args := range list.args {
		out, err := runOutput(ctx, path, args...)
		if err != nil {
			return nil
		}
		all.WriteString(out)
	}
	return list.parse(all.String())
}

// runOutput returns what a program writes.
func runOutput(ctx context.Context, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	var b bytes.Buffer
	cmd.Stdout = &limitedWriter{&b, programOutput}
	err := cmd.Run()
	return b.String(), err
}

// limitedWriter drops everything beyond a number of bytes.
type limitedWriter struct {
	w    io.Writer
	left int
}

func (l *limitedWriter) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	if _, err := l.w.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// needsHardware reports whether one of ffmpeg's decoders works only on certain machines.
func needsHardware(decoder string) bool {
	for _, end := range []string{"_qsv", "_cuvid", "_v4l2m2m", "_vaapi", "_mediacodec", "_amf", "_mmal", "_rkmpp"} {
		if strings.HasSuffix(decoder, end) {
			return true
		}
	}
	return false
}

// mpvCodecs reads mpv's lists of decoders: "    libdav1d (av1) - about it".
func mpvCodecs(out string) []string {
	var has []string
	for _, l := range strings.Split(out, "\n") {
		f := strings.Fields(l)
		if len(f) < 2 || needsHardware(f[0]) || !strings.HasPrefix(l, " ") {
			continue
		}
		codec := f[0]
		if strings.HasPrefix(f[1], "(") && strings.HasSuffix(f[1], ")") {
			codec = f[1][1 : len(f[1])-1]
		}
		has = append(has, codec)
	}
	return inWords(has)
}

// ffmpegCodecs reads ffmpeg's list of codecs: " DEV.L. av1  About it (decoders: libdav1d
// av1_qsv )". Without decoders in brackets, the codec has one decoder of the same name.
func ffmpegCodecs(out string) []string {
	var has []string
	for _, l := range strings.Split(out, "\n") {
		f := strings.Fields(l)
		if len(f) < 2 || len(f[0]) != 6 || f[0][0] != 'D' || f[1] == "=" {
			continue
		}
		decoders := []string{f[1]}
		if _, rest, ok := strings.Cut(l, "(decoders: "); ok {
			rest, _, _ = strings.Cut(rest, ")")
			decoders = strings.Fields(rest)
		}
		if slices.ContainsFunc(decoders, func(d string) bool { return !needsHardware(d) }) {
			has = append(has, f[1])
		}
	}
	return inWords(has)
}

// inWords returns the names for people of the wanted codecs in has, never nil.
func inWords(has []string) []string {
	all := []string{}
	for _, c := range wantedCodecs {
		if slices.Contains(has, c.name) {
			all = append(all, c.text)
		}
	}
	return all
}

func (m machine) checkPlayers() []Finding {
	f := findings{topic: "Players"}
	for _, name := range []string{"mpv", "ffplay"} {
		p, ok := m.programs[name]
		if !ok {
			continue
		}
		missing := ""
		for _, c := range []string{"H.264", "AAC"} {
			if p.codecs != nil && !slices.Contains(p.codecs, c) {
				missing = c
			}
		}
		switch {
		case p.codecs == nil:
			f.note("Try it: relay demo, and open an address that it prints.", "%s is installed, but does not say what it plays.", name)
		case missing != "":
			f.todo("Install a build of it with all codecs, or use another player.", "%s plays %s, but not %s, which most streams have.", name, term.Spelt(p.codecs), missing)
		default:
			f.fine("%s plays %s.", name, term.Spelt(p.codecs))
		}
	}
	if _, ok := m.programs["vlc"]; ok {
		f.fine("vlc is installed. VLC 3 plays H.264 and AAC, and HEVC from the address that ends in .ts; of AV1 and Opus it cannot be said beforehand.")
	}
	browser := ""
	for _, name := range []string{"Chromium", "Firefox"} {
		if _, ok := m.programs[name]; ok {
			browser = name
			f.fine("%s, or one like it, is installed and shows the page, with H.264 and AAC as a rule; what its build cannot play, the page says.", name)
		}
	}
	_, mpv := m.programs["mpv"]
	_, vlc := m.programs["vlc"]
	_, ffplay := m.programs["ffplay"]
	if !mpv && !vlc && !ffplay {
		if browser == "" {
			f.todo("Install mpv or VLC, or open the page that relay source prints in a browser.", "No player was found.")
		} else {
			f.note("Install mpv or VLC for less delay, and for codecs that browsers lack.", "No player but the browser was found.")
		}
	}
	return f.all
}
