package input

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"

	"relay/ingest"
	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
	"relay/ingest/mpegts"
	"relay/ingest/rtspin"
)

// natively is what relay itself makes of an input.
type natively struct{ err error }

func (n natively) Run(context.Context) error { return n.err }

func never() (*ingest.Session, error) { return nil, errors.New("a session is opened") }

func TestWhatGoesToFFmpeg(t *testing.T) {
	folder(t)
	for name, text := range map[string]string{"a.ogg": "OggS\x00\x02", "a.txt": "hello", "empty": "", "a.mp4": "<html>"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for arg, want := range map[string]string{
		"screen": "ffmpeg", "camera:1": "ffmpeg", "a.ogg": "ffmpeg", "rtmps://h/a/b": "ffmpeg", "rist://h:1": "ffmpeg", "https://h/x.m3u8?a=b": "ffmpeg", "http://h/x.MPD": "ffmpeg",
		"http://h/x.flv": "either", "http://me:secret@h/x.flv": "relay", "": "relay",
		"rtsp://h/x": "either", "rtspu://h/x": "either", "rtsp://me:secret@h/x": "relay", "rtsps://h/x": "relay",
		"srt://h:8890": "relay", "srt://:8890?passphrase=0123456789": "relay", "SRT://h:8890?streamid=x": "relay", "movie.flv": "relay", "a.txt": "relay", "empty": "relay", "a.mp4": "relay", "clips": "relay",
		"rtmp://h/a/b": "relay", "udp://:1234": "relay", "pcp://h/97968780D09CC97BB98D4A2BF221EDE7": "relay", "none.mp4": "relay",
	} {
		in, err := Of(strings.Fields(arg), false, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		got := "relay"
		switch in.ByFFmpeg(natively{}, never, zap.NewNop()).(type) {
		case *front:
			got = "ffmpeg"
		case either:
			got = "either"
		}
		if got != want {
			t.Errorf("%q goes to %s, want %s", arg, got, want)
		}
	}
}

func TestWithoutFFmpegItIsSaidWhatToInstall(t *testing.T) {
	folder(t)
	t.Setenv("PATH", "/nonexistent")
	u := &url.URL{Scheme: "http", Host: "h", Path: "/x"}
	camera, err := Of([]string{"rtsp://cam/x"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in   Input
		err  error // of relay's own attempt
		says string
	}{
		{Input{Film: &ffmpeg.Wish{Kind: ffmpeg.Screen}}, nil, "to film, relay needs ffmpeg, which is not installed, or not on PATH. The browser films without it: "},
		{Input{URL: &url.URL{Scheme: "rtmps", Host: "cam", Path: "/x"}}, nil, "cam: for this relay needs ffmpeg, which is not installed, or not on PATH\ninstall it: "},
		{Input{URL: u}, &flv.NotFLVError{Looks: "MP4"}, "h: for this relay needs"},
		{Input{URL: u}, &mpegts.CodecError{Has: []string{"MPEG-2 video"}}, "h: for this relay needs"},
		{camera, &rtspin.Error{Host: "cam", Err: &rtspin.CodecError{Codecs: []string{"JPEG"}}}, "cam: for this relay needs"},
		{camera, &rtspin.Error{Host: "cam", Err: rtspin.ErrLean}, "cam: this program was built without RTSP\ntake the released"},
		{Input{URL: u}, &flv.NotFLVError{Looks: "HTML"}, "the input is not FLV, it looks like HTML\nthat is a page."},
	} {
		err := c.in.ByFFmpeg(natively{c.err}, never, zap.NewNop()).Run(t.Context())
		if got := said(c.in.Explain(err)); !strings.HasPrefix(got, c.says) {
			t.Errorf("%s\nwant\n%s", got, c.says)
		}
	}
	in := Input{AAC: true}
	if _, err := in.MadeAAC(t.Context(), zap.NewNop()); !strings.HasPrefix(said(err), "--audio aac needs ffmpeg") {
		t.Error(said(err))
	}
	for goos, want := range map[string]string{"linux": "apt install", "windows": "winget", "darwin": "brew", "freebsd": "install"} {
		if s := Install(goos); !strings.Contains(s, want) {
			t.Errorf("%s: %s", goos, s)
		}
	}
}

func TestEachTroubleOfFFmpegsHasWords(t *testing.T) {
	of := func(err error) string { return said(Input{Path: "a\x1b[2J.mkv"}.Explain(err)) }
	for trouble, hint := range hints {
		if got := of(&ffmpeg.Error{Trouble: trouble}); !strings.HasPrefix(got, "a\ufffd[2J.mkv: ") || !strings.HasSuffix(got, "\n"+hint) {
			t.Errorf("%s: %q", trouble, got)
		}
	}
	for _, c := range []struct {
		err  error
		says string
	}{
		{ffmpeg.ErrWayland, "on Wayland only programs that you allow may film the screen, and ffmpeg is none\nfilm with the browser"},
		{&ffmpeg.PickError{Kind: ffmpeg.Camera}, "this machine has no camera\nplug it in"},
		{&ffmpeg.PickError{Kind: ffmpeg.Camera, Wish: "x", Names: []string{"A", "\x1b[2J"}}, "no camera, or more than one, is called \"x\"\ntake one of these, by its number from 0 or a part of its name: A, \ufffd[2J"},
	} {
		if got := of(c.err); !strings.HasPrefix(got, c.says) {
			t.Errorf("%s\nwant\n%s", got, c.says)
		}
	}
}

func TestAPasswordThatFFmpegIsGivenIsWarnedOf(t *testing.T) {
	for addr, want := range map[string]bool{"rtmps://me:secret@h/x": true, "rtmps://me@h/x": false, "rtmps://h/x": false, "rtsp://me:secret@h/x": false, "http://me:secret@h/x.m3u8": true, "http://me:secret@h/x.flv": false} {
		in, err := Of([]string{addr}, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Seen(); got != want {
			t.Errorf("%s: %t", addr, got)
		}
	}
}
