package ffmpeg

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Media is what ffmpeg says that a file or a stream has.
type Media struct {
	Format   string        // ffmpeg's name of the container, as "mov,mp4,m4a,3gp,3g2,mj2"
	Duration time.Duration // 0 if it has no end, or none that is known: a live stream
	Video    *Track        // the first picture track that is no cover; nil for none
	Sound    *Track        // the first of sound
}

// Track is one of its tracks.
type Track struct {
	Index       int    // among all
	Codec       string // ffmpeg's name, as "h264"
	PixelFormat string // of pictures, as "yuv420p"
	Interlaced  bool
	Width       int // of pictures, in pixels
}

// probePatience is how long a file, or a server, may take until it is known what it has.
const probePatience = 30 * time.Second

// probe looks into what the arguments open, which end with "-i" and its address. Its error is [*Error].
func (p Program) probe(ctx context.Context, j Job) (Media, error) {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	s := newSaid(j)
	var out capped
	err := onThread(func() error {
		cmd := p.command(ctx, append([]string{"-hide_banner", "-nostdin", "-loglevel", "info"}, j.Args...))
		cmd.Stderr = &out
		return run(cmd)
	})
	m, ok := readMedia(out.String())
	_, _ = s.Write(out.Bytes())
	switch {
	case ok && (m.Video != nil || m.Sound != nil):
		return m, nil
	case ctx.Err() != nil:
		return m, &Error{Trouble: Silent}
	case ok:
		return m, &Error{Trouble: NoStream}
	case err == nil:
		return m, &Error{Trouble: NoMedia}
	}
	return m, s.failed()
}

// ffmpeg describes its input in lines like these. Metadata, which are strangers' text, stand in lines of another
// shape: "    title           : text", and what follows in the next line with a colon in front.
var (
	inputLine    = regexp.MustCompile(`^Input #0, (\S+), from `)
	durationLine = regexp.MustCompile(`^  Duration: (\d+):(\d+):(\d+)`)
	streamLine   = regexp.MustCompile(`^ {2,4}Stream #0:(\d+)[^:]*: (Video|Audio): (\w+)(.*)$`)
	sizeIn       = regexp.MustCompile(`\b(\d{2,5})x(\d{2,5})\b`)
	pixelsIn     = regexp.MustCompile(`, (yuvj?4\d\dp?\w*|nv12|p010\w*|gray\w*|gbrp\w*|rgb\w*|bgr\w*)\b`)
)

// readMedia reads what ffmpeg writes about its input. It reports false if there is none.
func readMedia(said string) (m Media, ok bool) {
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if f := inputLine.FindStringSubmatch(line); f != nil && !ok {
			ok = true
			m.Format = strings.TrimSuffix(f[1], ",")
		}
		if d := durationLine.FindStringSubmatch(line); d != nil && m.Duration == 0 {
			h, _ := strconv.Atoi(d[1])
			min, _ := strconv.Atoi(d[2])
			s, _ := strconv.Atoi(d[3])
			// A still picture, or a moment, is a file too.
			m.Duration = max(time.Duration(h)*time.Hour+time.Duration(min)*time.Minute+time.Duration(s)*time.Second, time.Millisecond)
		}
		s := streamLine.FindStringSubmatch(line)
		if s == nil || !ok {
			continue
		}
		t := trackOf(s)
		switch {
		case s[2] == "Video" && m.Video == nil && !strings.Contains(s[4], "(attached pic)"):
			m.Video = t
		case s[2] == "Audio" && m.Sound == nil:
			m.Sound = t
		}
	}
	return m, ok
}

func trackOf(s []string) *Track {
	t := &Track{Codec: s[3]}
	t.Index, _ = strconv.Atoi(s[1])
	if p := pixelsIn.FindStringSubmatch(s[4]); p != nil {
		t.PixelFormat = p[1]
	}
	if x := sizeIn.FindStringSubmatch(s[4]); x != nil {
		t.Width, _ = strconv.Atoi(x[1])
	}
	t.Interlaced = strings.Contains(s[4], "top first") || strings.Contains(s[4], "bottom first") || strings.Contains(s[4], "top coded") || strings.Contains(s[4], "bottom coded")
	return t
}
