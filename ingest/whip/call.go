//go:build !lean

package whip

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/rtp"
)

const (
	// reachMost is how long a call may take to connect, and silence how long nothing may come once it has.
	reachMost, silence = 10 * time.Second, 10 * time.Second
	// gatherMost is how long it may take to list this machine's own addresses.
	gatherMost = 5 * time.Second
	// look is how often it is looked what has to be asked for, or waits no more.
	look = 50 * time.Millisecond
	// packetMost is how long a packet may be, in bytes: what fits into a frame of Ethernet, and more.
	packetMost = 2048
	// askEvery and askMost are how often and how many times a packet is asked for that is missing.
	askEvery, askMost = 30 * time.Millisecond, 8
)

// Call is one connection of an encoder or a page.
type Call struct {
	peer   *webrtc.PeerConnection
	answer string
	sink   Sink
	log    *zap.Logger
	closed []func() // what else ends with it
	began  time.Time

	ended chan error     // gets why it ends, once
	tasks sync.WaitGroup // of tracks

	mu     sync.Mutex
	over   bool // no more tasks begin
	stream *rtp.Stream
	video  rtp.Coding
	audio  rtp.Coding
	newest [2]*webrtc.TrackRemote // pictures and sound
	linked bool                   // it is connected
	heard  time.Duration          // when it was, or something came
	live   func()                 // to be told of the first frame; nil when that was done
}

// Film opens a port for a page of this machine alone, and answers its offer. Both end with the call.
func Film(offer string, sink Sink, log *zap.Logger) (*Call, error) {
	offer, err := cleaned(offer)
	if err != nil {
		return nil, err
	}
	m, err := Open(Config{Log: log})
	if err != nil {
		return nil, err
	}
	c, err := m.Answer(offer, sink)
	if err != nil {
		m.Close()
		return nil, err
	}
	c.closed = append(c.closed, m.Close)
	return c, nil
}

// Answer makes a call of an offer, that was cleaned. Whoever gets it runs it.
func (m *Media) Answer(offer string, sink Sink) (_ *Call, err error) {
	sockets, err := m.listen()
	if err != nil {
		return nil, err
	}
	name, password := rand.Text(), rand.Text()
	c := &Call{sink: sink, log: m.config.Log, began: time.Now(), ended: make(chan error, 1)}
	c.stream = rtp.New(c.trouble)
	if c.peer, err = m.newPeer(sockets, name, password); err != nil {
		return nil, err
	}
	m.callers.begin(name)
	c.closed = append(c.closed, func() { m.callers.end(name) })
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	c.peer.OnTrack(c.track)
	c.peer.OnConnectionStateChange(c.changed)
	if err := c.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	c.announced()
	gathered := webrtc.GatheringCompletePromise(c.peer)
	answer, err := c.peer.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	if err := c.peer.SetLocalDescription(answer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	select {
	case <-gathered:
	case <-time.After(gatherMost):
		return nil, errors.New("this machine's addresses were not found in time")
	}
	c.answer = inStereo(withAddresses(c.peer.LocalDescription().SDP, m.config.Addresses, m.at.Port()))
	return c, nil
}

// newPeer makes one that can take what [carried] names.
func (m *Media) newPeer(sockets *ice.MultiUDPMuxDefault, name, password string) (*webrtc.PeerConnection, error) {
	var s webrtc.SettingEngine
	s.LoggerFactory = quietly{}
	s.SetLite(true)
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool {
		a, ok := netip.AddrFromSlice(ip)
		return ok && slices.Contains(addresses(m.at.Addr().Unmap()), a.Unmap())
	})
	s.SetICECredentials(name, password)
	s.SetICEUDPMux(sockets)
	if m.tcp != nil {
		s.SetICETCPMux(m.tcp)
	}
	s.SetReceiveMTU(packetMost)
	s.SetDTLSConnectContextMaker(func() (context.Context, func()) { return context.WithTimeout(context.Background(), reachMost) })
	engine, interceptors, err := codecs()
	if err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(interceptors))
	return api.NewPeerConnection(webrtc.Configuration{})
}

// codecs are what can be carried, and what is asked of who sends it: what is missing again, key frames, and how much arrives.
func codecs() (*webrtc.MediaEngine, *interceptor.Registry, error) {
	m, r := &webrtc.MediaEngine{}, &interceptor.Registry{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	pt := webrtc.PayloadType(96)
	video := func(mime, fmtp string) error {
		c := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: convert.Rate, SDPFmtpLine: fmtp, RTCPFeedback: feedback}, PayloadType: pt}
		pt++
		return m.RegisterCodec(c, webrtc.RTPCodecTypeVideo)
	}
	var err error
	for _, profile := range []string{"640034", "640c34", "4d0034", "420034", "42e034"} { // at level 5.2: 4K at 60 Hz
		err = errors.Join(err, video(webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="+profile))
	}
	err = errors.Join(err,
		video(webrtc.MimeTypeH265, ""), video(webrtc.MimeTypeAV1, ""), video(webrtc.MimeTypeVP9, "profile-id=0"), video(webrtc.MimeTypeVP9, "profile-id=2"),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: opusRate, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		}, PayloadType: 111}, webrtc.RTPCodecTypeAudio),
		webrtc.ConfigureTWCCSenderWithOptions(m, r, twcc.WithLoggerFactory(quietly{})),
	)
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		err = errors.Join(err, m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:sdes:mid"}, kind))
	}
	asks, e := nack.NewGeneratorInterceptor(nack.GeneratorInterval(askEvery), nack.GeneratorMaxNacksPerPacket(askMost), nack.WithGeneratorLoggerFactory(quietly{}))
	reports, e2 := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(quietly{}))
	if err = errors.Join(err, e, e2); err != nil {
		return nil, nil, err
	}
	r.Add(asks)
	r.Add(reports)
	return m, r, nil
}

const opusRate = 48000

// codingOf is how what a codec sends is coded; it is of no format for others.
func codingOf(c webrtc.RTPCodecCapability) rtp.Coding {
	for mime, f := range map[string]convert.Format{
		webrtc.MimeTypeH264: convert.H264, webrtc.MimeTypeH265: convert.HEVC, webrtc.MimeTypeAV1: convert.AV1, webrtc.MimeTypeVP9: convert.VP9, webrtc.MimeTypeOpus: convert.Opus,
	} {
		if strings.EqualFold(c.MimeType, mime) {
			return rtp.Coding{Format: f, Rate: int(c.ClockRate)}
		}
	}
	return rtp.Coding{}
}

// announced tells the stream what is to come: the codec that both like best, until packets say otherwise.
func (c *Call) announced() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.peer.GetTransceivers() {
		if t.Direction() == webrtc.RTPTransceiverDirectionInactive || t.Receiver() == nil {
			continue
		}
		for _, codec := range t.Receiver().GetParameters().Codecs {
			if coding := codingOf(codec.RTPCodecCapability); coding.Format != convert.None {
				*c.coding(t.Kind()) = coding
				break
			}
		}
	}
	c.stream.Configure(c.video, c.audio)
}

func (c *Call) coding(kind webrtc.RTPCodecType) *rtp.Coding {
	if kind == webrtc.RTPCodecTypeVideo {
		return &c.video
	}
	return &c.audio
}

// Answer is the description to answer with.
func (c *Call) Answer() string { return c.answer }

// Run takes what comes until ctx ends, the other side leaves, or nothing comes, and returns why. It tells live of the first
// frame.
func (c *Call) Run(ctx context.Context, live func()) error {
	defer c.close()
	c.mu.Lock()
	c.live = live
	c.mu.Unlock()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-c.ended:
			return err
		case <-tick.C:
			if err := c.look(); err != nil {
				return err
			}
		}
	}
}

// close ends all that belongs to the call, and waits for it.
func (c *Call) close() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	_ = c.peer.GracefulClose() // there is nobody to tell
	for _, f := range c.closed {
		f()
	}
	c.tasks.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(c.stream.Flush())
	s := c.stream.Stats()
	c.log.Info("WebRTC ends", zap.Uint64("losses", s.Lost), zap.Uint64("waited", s.Waited), zap.Uint64("pictures", s.Pictures), zap.Uint64("sounds", s.Sounds), zap.Any("troubles", s.Troubles))
}

// end says why the call ends; the first who says so is right.
func (c *Call) end(err error) {
	select {
	case c.ended <- err:
	default:
	}
}

func (c *Call) changed(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		c.mu.Lock()
		c.linked, c.heard = true, time.Since(c.began)
		c.mu.Unlock()
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		c.end(nil)
	}
}

// look lets go what has waited, asks for a key frame, and sees whether anything comes.
func (c *Call) look() error {
	c.mu.Lock()
	now := time.Since(c.began)
	c.write(c.stream.Pass(now))
	asks := c.newest[0] != nil && c.stream.WantsKey(now)
	pictures, linked, heard := c.newest[0], c.linked, c.heard
	c.mu.Unlock()
	switch {
	case !linked && now > reachMost:
		return ErrUnreached
	case linked && now-heard > silence:
		return ErrSilent
	}
	if asks {
		_ = c.peer.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(pictures.SSRC())}}) // it is asked again
	}
	return nil
}

// write writes tags. It is called with mu held.
func (c *Call) write(tags []flv.Tag) {
	for _, t := range tags {
		if err := c.sink.Write(t); err != nil {
			c.end(err)
			return
		}
		if c.live != nil && t.Type() != flv.Script && !flv.Classify(t).Config {
			c.live()
			c.live = nil
		}
	}
}

func (c *Call) trouble(what convert.Trouble) {
	c.log.Info("what comes over WebRTC is not right", zap.String("trouble", string(what)))
}

// track takes one, which ends with the call. Of two of a kind the newer counts.
func (c *Call) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	pictures := t.Kind() == webrtc.RTPCodecTypeVideo
	at := 1
	if pictures {
		at = 0
	}
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.tasks.Add(2)
	if c.newest[at] != nil {
		c.stream.Restart(pictures)
	}
	c.newest[at] = t
	c.mu.Unlock()
	defer c.tasks.Done()
	go func() { // ends with the peer, which close waits for
		defer c.tasks.Done()
		c.reports(t, r, pictures)
	}()
	buf := make([]byte, packetMost)
	last := -1
	for wrong := 0; wrong < 1000; {
		n, _, err := t.Read(buf)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return
		}
		if err != nil {
			wrong++
			continue
		}
		p, err := rtp.Parse(buf[:n])
		if err != nil {
			wrong++
			continue
		}
		c.mu.Lock()
		if c.newest[at] == t {
			if last != int(p.Type) {
				last = int(p.Type)
				*c.coding(t.Kind()) = codingOf(t.Codec().RTPCodecCapability)
				c.stream.Configure(c.video, c.audio)
			}
			c.packet(pictures, p)
		}
		c.mu.Unlock()
	}
}

// packet is called with mu held.
func (c *Call) packet(pictures bool, p rtp.Packet) {
	now := time.Since(c.began)
	c.heard = now
	if pictures {
		c.write(c.stream.Picture(p, now))
	} else {
		c.write(c.stream.Sound(p, now))
	}
}

// reports takes what a sender says of its clocks.
func (c *Call) reports(t *webrtc.TrackRemote, r *webrtc.RTPReceiver, pictures bool) {
	for {
		all, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range all {
			if s, ok := p.(*rtcp.SenderReport); ok && s.SSRC == uint32(t.SSRC()) {
				c.mu.Lock()
				if c.newest[0] == t || c.newest[1] == t {
					c.stream.Report(pictures, s.NTPTime, s.RTPTime)
				}
				c.mu.Unlock()
			}
		}
	}
}

// quietly keeps the library's own words away from people; what matters is told here.
type quietly struct{}

func (quietly) NewLogger(string) logging.LeveledLogger { return quiet }

var quiet logging.LeveledLogger = silentLogger{}

type silentLogger struct{}

func (silentLogger) Trace(string)          {}
func (silentLogger) Tracef(string, ...any) {}
func (silentLogger) Debug(string)          {}
func (silentLogger) Debugf(string, ...any) {}
func (silentLogger) Info(string)           {}
func (silentLogger) Infof(string, ...any)  {}
func (silentLogger) Warn(string)           {}
func (silentLogger) Warnf(string, ...any)  {}
func (silentLogger) Error(string)          {}
func (silentLogger) Errorf(string, ...any) {}
