//go:build !lean

package whip

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/relay/refusal"
)

const streamKey = "2qp5s7wd4k3xvbne"

// node is an endpoint at a port of this machine, which keeps what it gets.
type node struct {
	*Endpoint
	url     string
	refused refusal.Counts

	mu     sync.Mutex
	busy   bool
	tags   []flv.Tag
	closed int
	came   chan struct{} // gets one for each tag, as far as anybody looks
}

func (n *node) Write(t flv.Tag) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tags = append(n.tags, bytes.Clone(t))
	select {
	case n.came <- struct{}{}:
	default:
	}
	return nil
}

func (n *node) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.busy = false
	n.closed++
	select {
	case n.came <- struct{}{}:
	default:
	}
}

// frames are those of a type that came so far.
func (n *node) frames(typ flv.Type) (all []flv.Tag) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.tags {
		if c, ok := flv.Decode(t); ok && !c.Config && t.Type() == typ {
			all = append(all, t)
		}
	}
	return all
}

func newNode(t *testing.T) *node {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{came: make(chan struct{}, 1)}
	m, err := Open(Config{Listener: ln, Stranger: func() { n.refused.Add(RefusedPacket) }})
	if err != nil {
		t.Fatal(err)
	}
	n.Endpoint = &Endpoint{Key: streamKey, Media: m, Refusals: &n.refused, Publish: func(context.Context) (Sink, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.busy {
			return nil, ErrBusy
		}
		n.busy = true
		return n, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	srv := &http.Server{Handler: n.Endpoint, ReadHeaderTimeout: 5 * time.Second}
	tasks.Go(func() { _ = n.Run(ctx) })
	tasks.Go(func() { _ = srv.Serve(m.Listener()) })
	for {
		n.Endpoint.mu.Lock()
		ready := n.ctx != nil
		n.Endpoint.mu.Unlock()
		if ready {
			break
		}
		time.Sleep(time.Millisecond)
	}
	t.Cleanup(func() {
		cancel()
		srv.Close()
		m.Close()
		tasks.Wait()
	})
	n.url = Address(ln.Addr(), "127.0.0.1")
	return n
}

// until waits until something is so that tags, or their end, can make so.
func (n *node) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	most := time.After(30 * time.Second)
	for !is() {
		select {
		case <-n.came:
		case <-time.After(50 * time.Millisecond):
		case <-most:
			t.Fatalf("it never came about: %s", what)
		}
	}
}

// request asks the endpoint, with a key if there is one.
func (n *node) request(t *testing.T, method, url, key, typ, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// encoder is one that speaks WHIP, by way of pion.
type encoder struct {
	peer     *webrtc.PeerConnection
	pictures *webrtc.TrackLocalStaticSample
	sound    *webrtc.TrackLocalStaticSample
	keys     chan struct{} // gets one for each that is asked for
	resource string
}

// lossy loses packets of pictures on their way.
type lossy struct {
	interceptor.NoOp
	loses func(p *rtp.Header) bool
}

func (l *lossy) NewInterceptor(string) (interceptor.Interceptor, error) { return l, nil }

func (l *lossy) BindLocalStream(i *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	if !strings.HasPrefix(i.MimeType, "video/") {
		return w
	}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, b []byte, a interceptor.Attributes) (int, error) {
		if l.loses(h) {
			return len(b), nil
		}
		return w.Write(h, b, a)
	})
}

type settings struct {
	mime  string
	loses func(*rtp.Header) bool // nil for nothing
	nack  bool                   // what is lost is sent again
	tcp   bool                   // it has no UDP
}

// offer makes an encoder's.
func (s settings) offer(t *testing.T) (*encoder, string) {
	t.Helper()
	m, r := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if s.loses != nil { // nearest the network
		r.Add(&lossy{loses: s.loses})
	}
	if s.nack {
		if err := webrtc.ConfigureNack(m, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := webrtc.ConfigureRTCPReports(r); err != nil {
		t.Fatal(err)
	}
	var se webrtc.SettingEngine
	se.LoggerFactory = quietly{}
	se.SetIncludeLoopbackCandidate(true)
	if s.tcp {
		se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	e := &encoder{peer: pc, keys: make(chan struct{}, 100)}
	t.Cleanup(func() { pc.Close() })
	capability := webrtc.RTPCodecCapability{MimeType: s.mime, ClockRate: 90000}
	if s.mime == webrtc.MimeTypeH264 {
		capability.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	}
	if e.pictures, err = webrtc.NewTrackLocalStaticSample(capability, "v", "s"); err != nil {
		t.Fatal(err)
	}
	if e.sound, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "s"); err != nil {
		t.Fatal(err)
	}
	for _, track := range []webrtc.TrackLocal{e.pictures, e.sound} {
		sender, err := pc.AddTrack(track)
		if err != nil {
			t.Fatal(err)
		}
		go func() { // ends with the peer
			for {
				all, _, err := sender.ReadRTCP()
				if err != nil {
					return
				}
				for _, p := range all {
					if _, ok := p.(*rtcp.PictureLossIndication); ok {
						select {
						case e.keys <- struct{}{}:
						default:
						}
					}
				}
			}
		}()
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return e, pc.LocalDescription().SDP
}

// publish has an encoder connect.
func (n *node) publish(t *testing.T, s settings) *encoder {
	t.Helper()
	e, offer := s.offer(t)
	resp, answer := n.request(t, http.MethodPost, n.url, streamKey, sdpType, offer)
	if resp.StatusCode != http.StatusCreated || resp.Header.Get("Content-Type") != sdpType {
		t.Fatalf("%s: %s", resp.Status, answer)
	}
	location, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	e.resource = location.String()
	connected := make(chan struct{})
	var once sync.Once
	e.peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	if err := e.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	select {
	case <-connected:
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not connect\n%s", answer)
	}
	return e
}

// film is what is sent: pictures of the demo's clip, and sound that is silent.
func film(t *testing.T) (pictures []flv.Tag) {
	t.Helper()
	for _, tag := range ingesttest.ReadFile(t, filepath.Join("..", "..", "cli", "demo", "demo.flv")) {
		if tag.Type() == flv.Video {
			pictures = append(pictures, tag)
		}
	}
	return pictures
}

// opusFrame is 20 ms of two channels of nothing.
var opusFrame = []byte{0xfc, 0xff, 0xfe}

// annexB is a picture of FLV as a file of H.264 has it.
func annexB(c flv.Coded, config []byte) (b []byte) {
	start := []byte{0, 0, 0, 1}
	if c.Key && len(config) > 8 { // avcC with one of each
		n := int(config[6])<<8 | int(config[7])
		sps, pps := config[8:8+n], config[8+n+3:]
		b = append(append(append(append(b, start...), sps...), start...), pps...)
	}
	for d := c.Data; len(d) > 4; {
		n := int(d[0])<<24 | int(d[1])<<16 | int(d[2])<<8 | int(d[3])
		b = append(append(b, start...), d[4:4+n]...)
		d = d[4+n:]
	}
	return b
}

// send sends pictures, with sound, at their pace; it returns how many.
func (e *encoder) send(t *testing.T, pictures []flv.Tag, most int) (sent int) {
	t.Helper()
	const every = 20 * time.Millisecond
	var config []byte
	began, sounds := time.Now(), time.Duration(0)
	first := uint32(0)
	for _, tag := range pictures {
		c, ok := flv.Decode(tag)
		if !ok {
			continue
		}
		if c.Config {
			config = bytes.Clone(c.Data)
			continue
		}
		if sent == 0 {
			first = tag.Timestamp()
		}
		if sent == most {
			break
		}
		due := time.Duration(tag.Timestamp()-first) * time.Millisecond
		for ; sounds <= due; sounds += every {
			time.Sleep(time.Until(began.Add(sounds)))
			if err := e.sound.WriteSample(media.Sample{Data: opusFrame, Duration: every}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.pictures.WriteSample(media.Sample{Data: annexB(c, config), Duration: 40 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	return sent
}

func TestAnEncoderPublishes(t *testing.T) {
	for name, s := range map[string]settings{
		"over UDP": {mime: webrtc.MimeTypeH264},
		"over TCP": {mime: webrtc.MimeTypeH264, tcp: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			e := n.publish(t, s)
			clip := film(t)
			sent := e.send(t, clip, 30)
			n.until(t, "all pictures", func() bool { return len(n.frames(flv.Video)) == sent })
			resp, _ := n.request(t, http.MethodDelete, e.resource, streamKey, "", "")
			if resp.StatusCode != http.StatusOK {
				t.Errorf("DELETE: %s", resp.Status)
			}
			n.until(t, "the end", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.closed == 1 })
		})
	}
}
