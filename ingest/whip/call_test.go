//go:build !lean

package whip

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

func newNode(t testing.TB) *node {
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
func (n *node) request(t testing.TB, method, url, key, typ, body string) (*http.Response, string) {
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
func (s settings) offer(t testing.TB) (*encoder, string) {
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
func (n *node) publish(t testing.TB, s settings) *encoder {
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
func film(t testing.TB) (pictures []flv.Tag) {
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
func (e *encoder) send(t testing.TB, pictures []flv.Tag, most int) (sent int) {
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
			clip, began := film(t), time.Now()
			first := make(chan time.Duration, 1)
			go func() { // ends with the first picture
				for len(n.frames(flv.Video)) == 0 && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
				first <- time.Since(began)
			}()
			sent := e.send(t, clip, 30)
			t.Logf("the first picture is there %v after it was sent", <-first)
			n.until(t, "all pictures", func() bool { return len(n.frames(flv.Video)) == sent })
			resp, _ := n.request(t, http.MethodDelete, e.resource, streamKey, "", "")
			if resp.StatusCode != http.StatusOK {
				t.Errorf("DELETE: %s", resp.Status)
			}
			n.until(t, "the end", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.closed == 1 })
		})
	}
}

// What is lost and sent again is not missed; what is not costs the pictures up to the next key frame, for which the encoder
// is asked.
func TestWhatIsLostOnTheWay(t *testing.T) {
	for name, again := range map[string]bool{"and sent again": true, "and not sent again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			var lost, count atomic.Int64 // what is sent again comes by another goroutine
			e := n.publish(t, settings{mime: webrtc.MimeTypeH264, nack: again, loses: func(h *rtp.Header) bool {
				loses := count.Add(1)%20 == 19
				if loses {
					lost.Add(1)
				}
				return loses
			}})
			clip := film(t)
			sent := e.send(t, clip, 60)
			e.send(t, clip, 20) // that begins with a key frame
			if lost.Load() == 0 {
				t.Fatal("nothing was lost")
			}
			if again {
				n.until(t, "all pictures", func() bool { return len(n.frames(flv.Video)) == sent+20 })
				return
			}
			n.until(t, "pictures behind the loss", func() bool { return len(n.frames(flv.Video)) > 0 && len(e.keys) > 0 })
			if got := len(n.frames(flv.Video)); got >= sent+20 {
				t.Errorf("%d pictures of %d, although %d packets were lost", got, sent+20, lost.Load())
			}
		})
	}
}

func TestWhoMayNotPublishIsToldWhy(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var told []error
	var mu sync.Mutex
	n.Refused = func(why error) { mu.Lock(); told = append(told, why); mu.Unlock() }
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	_, vp8 := settings{mime: webrtc.MimeTypeVP8}.offer(t)
	onlyVP8 := strings.NewReplacer("H264/", "H263/", "VP9/", "VP8/", "AV1/", "VP8/", "H265/", "VP8/").Replace(vp8)
	for name, c := range map[string]struct {
		method, path, key, typ, body string
		code                         int
		says                         string
		counted                      refusal.Reason
	}{
		"no key":                    {http.MethodPost, "", "", sdpType, offer, 401, ToldDenied, RefusedKey},
		"a wrong key":               {http.MethodPost, "", streamKey + "x", sdpType, offer, 401, ToldDenied, RefusedKey},
		"a key in the address":      {http.MethodPost, "?key=" + streamKey, "", sdpType, offer, 401, ToldDenied, RefusedKey},
		"another type":              {http.MethodPost, "", streamKey, "text/html", offer, 415, sdpType, RefusedRequest},
		"no offer":                  {http.MethodPost, "", streamKey, sdpType, "", 400, "malformed", RefusedOffer},
		"garbage":                   {http.MethodPost, "", streamKey, sdpType, "v=0\r\nm=video x\r\na=rtpmap:96 H264/90000\r\n", 400, "malformed", RefusedOffer},
		"data channels":             {http.MethodPost, "", streamKey, sdpType, offer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 400, "malformed", RefusedOffer},
		"an offer that is too long": {http.MethodPost, "", streamKey, sdpType, offer + strings.Repeat("a=x\r\n", offerMost/5), 413, "too long", RefusedOffer},
		"nothing but VP8":           {http.MethodPost, "", streamKey, sdpType, onlyVP8, 406, "VP8", RefusedCodec},
		"a browser's look":          {http.MethodGet, "", "", "", "", 405, "This is no page", RefusedRequest},
		"more addresses":            {http.MethodPatch, "/x", streamKey, "application/trickle-ice-sdpfrag", "", 405, "DELETE", RefusedRequest},
		"the end of nothing":        {http.MethodDelete, "/x", streamKey, "", "", 404, "no such call", RefusedRequest},
		"another path":              {http.MethodPost, "-other", streamKey, sdpType, offer, 404, Path, RefusedRequest},
	} {
		before := n.refused.All()[c.counted]
		resp, says := n.request(t, c.method, n.url+c.path, c.key, c.typ, c.body)
		if resp.StatusCode != c.code || !strings.Contains(says, c.says) || strings.Contains(says, "pion") {
			t.Errorf("%s: %s %q", name, resp.Status, says)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: pages of other sites cannot read it: %v", name, resp.Header)
		}
		if n.refused.All()[c.counted] != before+1 {
			t.Errorf("%s: not counted as %s: %v", name, c.counted, n.refused.All())
		}
	}
	resp, _ := n.request(t, http.MethodOptions, n.url, "", "", "")
	if resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("before a page asks: %s %v", resp.Status, resp.Header)
	}
	n.mu.Lock()
	busy, opened := n.busy, n.closed
	n.mu.Unlock()
	if busy || opened > 1 { // "garbage" passes what is looked at before
		t.Errorf("a sink is open: %t, %d were", busy, opened)
	}
	if len(told) == 0 {
		t.Error("who runs it is told nothing")
	}
}

func TestASecondEncoderIsRefusedUntilTheFirstHasGone(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	first := n.publish(t, settings{mime: webrtc.MimeTypeH264})
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	if resp, says := n.request(t, http.MethodPost, n.url, streamKey, sdpType, offer); resp.StatusCode != http.StatusConflict || strings.TrimSpace(says) != ToldBusy {
		t.Errorf("%s %q", resp.Status, says)
	}
	first.peer.Close() // without a DELETE; what DTLS says at the end is enough
	n.until(t, "the end of the first", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.closed == 1 })
	second := n.publish(t, settings{mime: webrtc.MimeTypeH264})
	second.send(t, film(t), 3)
	n.until(t, "pictures of the second", func() bool { return len(n.frames(flv.Video)) > 0 })
}

// An offer that has as much of something as fits is answered, or refused, and leaves nothing.
func TestOffersThatAreFullOfSomethingEnd(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.Publish = func(context.Context) (Sink, error) { return n, nil }
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	full := func(line string) string {
		var b strings.Builder
		for i := range offerLines - strings.Count(offer, "\n") {
			fmt.Fprintf(&b, strings.ReplaceAll(line, "N", "%[1]d")+"\r\n", i)
		}
		return b.String()
	}
	layers := "a=rid:l send\r\na=rid:m send\r\na=rid:h send\r\na=simulcast:send l;m;h\r\n"
	for name, c := range map[string]struct {
		more string
		code int // 0 for whatever it is
	}{
		"simulcast":            {layers, http.StatusCreated},
		"layers without names": {"a=simulcast:send ;;;~\r\na=rid:\r\na=rid: send\r\n", 0},
		"layers":               {full("a=rid:N send"), 0},
		"a list of layers":     {"a=simulcast:send " + strings.Repeat("l;", 10_000) + "\r\n", 0},
		"candidates":           {strings.Repeat("a=candidate:1 1 udp 2122317823 198.51.100.1 9 typ host\r\n", 500), http.StatusCreated},
		"codecs":               {full("a=rtpmap:N H264/90000"), 0},
		"parameters":           {full("a=fmtp:N apt=N"), 0},
		"feedback":             {full("a=rtcp-fb:N nack"), 0},
		"sources":              {full("a=ssrc:N cname:x"), 0},
		"groups of sources":    {full("a=ssrc-group:FID N N"), 0},
		"extensions":           {full("a=extmap:N urn:N"), 0},
		"fingerprints":         {full("a=fingerprint:sha-256 N"), 0},
	} {
		resp, says := n.request(t, http.MethodPost, n.url, streamKey, sdpType, offer+c.more)
		if c.code != 0 && resp.StatusCode != c.code || resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s %q", name, resp.Status, says)
		}
		if at, err := resp.Location(); err == nil {
			if resp, says := n.request(t, http.MethodDelete, at.String(), streamKey, "", ""); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: its end: %s %q", name, resp.Status, says)
			}
		}
	}
	n.publish(t, settings{mime: webrtc.MimeTypeH264})
}

// With the key, too, no more calls are there at a time than may be; they go when nobody connects.
func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.Publish = func(context.Context) (Sink, error) { return n, nil }
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	for i := range callsMost + 2 {
		resp, says := n.request(t, http.MethodPost, n.url, streamKey, sdpType, offer)
		want := http.StatusCreated
		if i >= callsMost {
			want = http.StatusServiceUnavailable
		}
		if resp.StatusCode != want {
			t.Fatalf("the %dth: %s %s", i+1, resp.Status, says)
		}
	}
}

func TestACallThatBringsNothingEnds(t *testing.T) {
	m, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	offer, err = cleaned(offer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Answer(offer, &node{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.look(); err != nil {
		t.Errorf("at the beginning: %v", err)
	}
	c.began = c.began.Add(-reachMost - time.Second)
	if err := c.look(); err != ErrUnreached {
		t.Errorf("nobody connects: %v", err)
	}
	c.linked, c.heard = true, time.Since(c.began)
	if err := c.look(); err != nil {
		t.Errorf("connected just now: %v", err)
	}
	c.began = c.began.Add(-silence - time.Second)
	if err := c.look(); err != ErrSilent {
		t.Errorf("nothing comes: %v", err)
	}
}

// An offer that names addresses has nobody sent anything, and strangers are not answered, however they come.
func TestNobodyIsSentWhatTheyDidNotAskFor(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	victim, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	called := make(chan struct{}, 1)
	go func() { // ends with trap
		if c, err := trap.Accept(); err == nil {
			c.Close()
			called <- struct{}{}
		}
	}()
	_, offer := settings{mime: webrtc.MimeTypeH264}.offer(t)
	_, port, _ := net.SplitHostPort(victim.LocalAddr().String())
	_, trapped, _ := net.SplitHostPort(trap.Addr().String())
	more := "a=candidate:1 1 udp 2130706431 127.0.0.1 " + port + " typ host\r\na=candidate:2 1 tcp 1671430143 127.0.0.1 " + trapped + " typ host tcptype passive\r\na=candidate:3 1 udp 2130706431 0b1d2f0a.local 9 typ host\r\n"
	offer = strings.Replace(offer, "a=end-of-candidates\r\n", more+"a=end-of-candidates\r\n", 1)
	if !strings.Contains(offer, trapped) {
		t.Fatal("the offer names no addresses")
	}
	resp, answer := n.request(t, http.MethodPost, n.url, streamKey, sdpType, offer)
	if resp.StatusCode != http.StatusCreated || !strings.Contains(answer, "a=ice-lite") || !strings.Contains(answer, "a=setup:passive") {
		t.Fatalf("%s\n%s", resp.Status, answer)
	}
	at := n.Media.config.Listener.Addr().(*net.TCPAddr)
	for _, b := range []string{"", "x", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1400), check("somebody:else"), "\x80\x60" + strings.Repeat("\x00", 50), "\x16\xfe\xfd" + strings.Repeat("\x00", 50)} {
		if _, err := victim.WriteTo([]byte(b), &net.UDPAddr{IP: at.IP, Port: at.Port}); err != nil {
			t.Fatal(err)
		}
	}
	victim.SetReadDeadline(time.Now().Add(time.Second))
	b := make([]byte, 2000)
	if size, from, err := victim.ReadFrom(b); err == nil {
		t.Errorf("%v sends %q", from, b[:size])
	}
	select {
	case <-called:
		t.Error("an address that was named is dialled")
	default:
	}
	for name, said := range map[string]string{"a check for nobody": check("somebody:else"), "a length": "\x01\xff", "nothing of a check": "\x00\x20" + strings.Repeat("x", 32)} {
		conn, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(said, "\x01") && !strings.HasPrefix(said, "\x00\x20") {
			said = string([]byte{0, byte(len(said))}) + said
		}
		conn.Write([]byte(said))
		conn.(*net.TCPConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		conn.Close()
	}
	if n.refused.All()[RefusedPacket] == 0 {
		t.Error("strangers are not counted")
	}
}

// check is one of ICE, of a name.
func check(username string) string {
	pad := strings.Repeat("\x00", (4-len(username)%4)%4)
	attr := string([]byte{0, 6, 0, byte(len(username))}) + username + pad
	return string([]byte{0, 1, 0, byte(len(attr)), 0x21, 0x12, 0xa4, 0x42}) + "123456789012" + attr
}

func TestAPortForThisMachineAloneTakesNothingElse(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	for from, is := range map[string]bool{"127.0.0.1": true, "::1": true, "192.0.2.1": true, "::ffff:192.0.2.1": true, "2001:db8::1": true, "192.0.2.2": false, "2001:db8::2": false} {
		if mine(netip.MustParseAddr(from), own) != is {
			t.Errorf("%s: %t", from, !is)
		}
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	strangers := 0
	c := newCallers(func() { strangers++ })
	c.begin("mine")
	for _, b := range []string{"nothing of mine", check("other:x"), check("mine:x")} {
		if _, err := conn.WriteTo([]byte(b), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	if n, _, err := (&packets{conn, c, own}).ReadFromAddrPort(b); err != nil || string(b[:n]) != check("mine:x") || strangers != 2 {
		t.Errorf("%q, %v; %d strangers", b[:n], err, strangers)
	}
}

func TestPacketsComeFromWhereChecksDid(t *testing.T) {
	c := newCallers(func() {})
	c.begin("a")
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 9)
	}
	if c.may([]byte("media"), at(1)) || c.may([]byte(check("b:x")), at(1)) || !c.may([]byte(check("a:x")), at(1)) || !c.may([]byte("media"), at(1)) || c.may([]byte("media"), at(2)) {
		t.Error("by a check, and not otherwise")
	}
	for i := range 1000 {
		c.may([]byte(check("a:x")), at(i))
	}
	if len(c.from) > callersMost {
		t.Errorf("%d addresses", len(c.from))
	}
	c.end("a")
	if len(c.from)+len(c.calls) > 0 || c.may([]byte("media"), at(1)) || c.checked([]byte(check("a:x"))) {
		t.Error("after the end")
	}
}
