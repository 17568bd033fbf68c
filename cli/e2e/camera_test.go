//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// camera is an RTSP server for what an encoder publishes there, as cameras have one.
type camera struct {
	address string
	server  gortsplib.Server

	mu     sync.Mutex
	stream *gortsplib.ServerStream // nil until it films
}

// newCamera has one listen until the test ends.
func newCamera(t *testing.T) *camera {
	t.Helper()
	ln, err := net.Listen("tcp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	c := &camera{address: fmt.Sprintf("rtsp://%s/cam", ln.Addr())}
	c.server = gortsplib.Server{
		Handler: c, RTSPAddress: ln.Addr().String(),
		Listen: func(string, string) (net.Listener, error) { return ln, nil },
	}
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.server.Close)
	return c
}

// films is what there is for those who watch; nil before there is anything.
func (c *camera) films() *gortsplib.ServerStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream
}

func (c *camera) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	s := &gortsplib.ServerStream{Server: &c.server, Desc: ctx.Description}
	if err := s.Initialize(); err != nil {
		return &base.Response{StatusCode: base.StatusBadRequest}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = s
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (c *camera) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	s := c.films()
	ctx.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		// The encoder's clock, as cameras tell it. An error is that of a watcher who has gone.
		if at, ok := ctx.Session.PacketNTP(m, p); ok {
			_ = s.WritePacketRTPWithNTP(m, p, at)
		}
	})
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// found is the answer to who watches.
func (c *camera) found() (*base.Response, *gortsplib.ServerStream, error) {
	s := c.films()
	if s == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, s, nil
}

func (c *camera) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.found()
}

func (c *camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Session.State() == gortsplib.ServerSessionStatePreRecord { // the encoder
		return &base.Response{StatusCode: base.StatusOK}, nil, nil
	}
	return c.found()
}

func (c *camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// TestACameraIsPlayedOverRTSP fetches from a camera, H.264 with B-frames and AAC, and plays it a link away over RTSP, by TCP and
// by UDP.
func TestACameraIsPlayedOverRTSP(t *testing.T) {
	waiting.Take(t)
	const pictures, sounds = 50, 60
	w := newWorld(t)
	cam := newCamera(t)
	start(t, "camera", "ffmpeg", slices.Concat([]string{"-hide_banner", "-nostdin", "-loglevel", "warning"},
		picture360, tone, withB, aac, []string{"-f", "rtsp", "-rtsp_transport", "tcp", cam.address})...)
	eventually(t, "the camera films", func() error {
		if cam.films() == nil {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	src := w.sourceOf(cam.address)
	src.ready(t)
	node := w.watch(src.link, "--rtsp", loopback, "--srt", loopback)
	address := node.find(t, &node.err, `(?m)^RTSP +(rtsp://127\.0\.0\.1:\d+/\S+) `)
	overSRT := node.find(t, &node.err, `(?m)^SRT +(srt://127\.0\.0\.1:\d+\?streamid=read:\w+)$`)
	if at := addressesOf(t, node.url); at.RTSP != address || at.SRT != overSRT {
		t.Errorf("the page says that it plays at %q and %q, want %q and %q", at.RTSP, at.SRT, address, overSRT)
	}
	play(t, "viewer", node.url).gets(t, 100)

	players := make(map[string]*process)
	for _, how := range []string{"tcp", "udp"} {
		players[how] = start(t, "ffmpeg by "+how, "ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", how, "-i", address,
			"-map", "0:v", "-frames:v", fmt.Sprint(pictures), "-f", "framecrc", "-", "-map", "0:a", "-frames:a", fmt.Sprint(sounds), "-f", "framecrc", "-")
	}
	prober := start(t, "ffprobe", "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", address)
	for how, p := range players {
		if code := p.wait(t); code != 0 || how == "tcp" && p.err.String() != "" { // what UDP loses is not relay's
			t.Errorf("%s ended with %d and said: %s", p.name, code, p.err.tail())
		}
		n := 0
		for line := range strings.Lines(p.out.String()) {
			if !strings.HasPrefix(line, "#") {
				n++
			}
		}
		if n != pictures+sounds {
			t.Errorf("%s decodes %d frames, want %d and %d", p.name, n, pictures, sounds)
		}
	}
	if got := prober.faultless(t); strings.TrimSpace(got) != "h264,640,360\naac" {
		t.Errorf("ffprobe sees %q", got)
	}
}
