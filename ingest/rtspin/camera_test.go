//go:build !lean

package rtspin

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/mpegts"
)

// clip is what ffmpeg makes by those arguments, 2 s of 25 pictures a second.
func clip(t testing.TB, args string) []flv.Tag {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(strings.Fields("-nostdin -loglevel error -f lavfi -i testsrc2=size=192x108:rate=25:duration=2 -f lavfi -i sine=frequency=440:duration=2:sample_rate=48000 "+args),
		"-f", "mpegts", "-")...)
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	f, ok := mpegts.Sniff(b[:mpegts.SniffLen])
	if !ok {
		t.Fatal("no MPEG-TS")
	}
	r := mpegts.NewReader(bytes.NewReader(b), f, 0, func(what convert.Trouble, which string) { t.Error(what, which) })
	var tags []flv.Tag
	for {
		tag, err := r.Next()
		if err == io.EOF {
			return tags
		}
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
}

// framesOf are those of one kind.
func framesOf(tags []flv.Tag, typ flv.Type) (found []flv.Tag) {
	for _, tag := range tags {
		if c, ok := flv.Decode(tag); ok && !c.Config && tag.Type() == typ {
			found = append(found, tag)
		}
	}
	return found
}

// sent is a packet of a camera, and when it is sent.
type sent struct {
	at    time.Duration
	media *description.Media
	*rtp.Packet
}

// camera is a server that sends packets to who comes first, and then nothing: it stays until who has them leaves, or the test ends.
type camera struct {
	t        testing.TB
	user     string
	password string
	desc     *description.Session
	packets  []sent
	speed    float64 // times as fast as it was filmed
	reports  map[*description.Media]rtcp.SenderReport
	change   func([]sent) []sent
	status   base.StatusCode // of DESCRIBE, if not 200
	location string
	tls      *tls.Config
	noSetup  base.StatusCode

	server *gortsplib.Server
	stream *gortsplib.ServerStream
	asked  atomic.Bool // to play
	once   sync.Once
	wg     sync.WaitGroup
}

const (
	firstTimestamp = 0xffffff00 // wraps soon
	firstSequence  = 0xfff0
)

// film makes packets of tags: each track's timestamps begin somewhere, and the sender reports say how
// they belong together. seeSets leaves the parameter sets out of the SDP, and puts them in front of key frames.
func (c *camera) film(tags []flv.Tag, inBand bool) {
	c.desc = &description.Session{}
	c.reports = make(map[*description.Media]rtcp.SenderReport)
	var video, audio *description.Media
	var sets [][]byte
	seq := map[*description.Media]uint16{}
	origin := int64(-1)
	var encode func(coded flv.Coded) []*rtp.Packet
	var encodeSound func(coded flv.Coded) []*rtp.Packet
	rate := int64(0)
	for _, tag := range tags {
		coded, ok := flv.Decode(tag)
		if !ok {
			continue
		}
		if tag.Type() == flv.Video && coded.Config {
			p, _ := coded.ParameterSets()
			sets = p.Units
			if video != nil {
				continue
			}
			video, encode = c.pictures(coded.Codec, sets, inBand)
		}
		if tag.Type() == flv.Audio && audio == nil {
			audio, encodeSound, rate = c.sound(coded)
		}
		if coded.Config {
			continue
		}
		if origin < 0 {
			origin = int64(tag.Timestamp())
		}
		at := time.Duration(int64(tag.Timestamp())-origin) * time.Millisecond
		pts := int64(tag.Timestamp()) + int64(coded.Offset) - origin
		media, clock, first := video, int64(90000), int64(firstTimestamp)
		var packets []*rtp.Packet
		if tag.Type() == flv.Video {
			packets = encode(coded)
		} else {
			media, clock, first = audio, rate, 12345
			packets = encodeSound(coded)
		}
		for _, p := range packets {
			p.Timestamp = uint32(first + pts*clock/1000)
			p.SequenceNumber = firstSequence + seq[media]
			seq[media]++
			c.packets = append(c.packets, sent{at, media, p})
		}
		if _, ok := c.reports[media]; !ok {
			const ntp = 0xe0000000 // seconds
			c.reports[media] = rtcp.SenderReport{NTPTime: uint64(ntp)<<32 + uint64(pts+10_000)<<32/1000, RTPTime: uint32(first + pts*clock/1000), SSRC: 1}
		}
	}
	if c.change != nil {
		c.packets = c.change(c.packets)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (c *camera) media(typ description.MediaType, f format.Format) *description.Media {
	m := &description.Media{Type: typ, Formats: []format.Format{f}}
	c.desc.Medias = append(c.desc.Medias, m)
	return m
}

func (c *camera) pictures(codec string, sets [][]byte, inBand bool) (*description.Media, func(flv.Coded) []*rtp.Packet) {
	var f format.Format
	var encode func([][]byte) ([]*rtp.Packet, error)
	if codec == "h264" {
		h := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
		if !inBand {
			h.SPS, h.PPS = sets[0], sets[1]
		}
		encode, f = must(h.CreateEncoder()).Encode, h
	} else {
		h := &format.H265{PayloadTyp: 96}
		if !inBand {
			h.VPS, h.SPS, h.PPS = sets[0], sets[1], sets[2]
		}
		encode, f = must(h.CreateEncoder()).Encode, h
	}
	return c.media(description.MediaTypeVideo, f), func(coded flv.Coded) []*rtp.Packet {
		var nals [][]byte
		if inBand && coded.Key {
			nals = append(nals, sets...)
		}
		for b := coded.Data; len(b) > 4; {
			n := 4 + binary.BigEndian.Uint32(b)
			nals, b = append(nals, b[4:n]), b[n:]
		}
		return must(encode(nals))
	}
}

func (c *camera) sound(coded flv.Coded) (*description.Media, func(flv.Coded) []*rtp.Packet, int64) {
	switch coded.Codec {
	case "aac":
		var config mpeg4audio.AudioSpecificConfig
		if err := config.Unmarshal(coded.Data); err != nil {
			panic(err)
		}
		f := &format.MPEG4Audio{PayloadTyp: 97, Config: &config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
		e := must(f.CreateEncoder())
		return c.media(description.MediaTypeAudio, f), func(coded flv.Coded) []*rtp.Packet { return must(e.Encode([][]byte{coded.Data})) }, int64(config.SampleRate)
	case "opus":
		f := &format.Opus{PayloadTyp: 97, ChannelCount: 2}
		e := must(f.CreateEncoder())
		return c.media(description.MediaTypeAudio, f), func(coded flv.Coded) []*rtp.Packet { return []*rtp.Packet{must(e.Encode(coded.Data))} }, 48000
	case "mp3":
		f := &format.MPEG1Audio{}
		e := must(f.CreateEncoder())
		return c.media(description.MediaTypeAudio, f), func(coded flv.Coded) []*rtp.Packet { return must(e.Encode([][]byte{coded.Data})) }, 90000
	case "ac3":
		f := &format.AC3{PayloadTyp: 97, SampleRate: 48000, ChannelCount: 2}
		e := must(f.CreateEncoder())
		return c.media(description.MediaTypeAudio, f), func(coded flv.Coded) []*rtp.Packet { return must(e.Encode([][]byte{coded.Data})) }, 48000
	}
	panic(coded.Codec)
}

// start listens, and returns the address.
func (c *camera) start() string {
	c.t.Helper()
	if c.speed == 0 {
		c.speed = 8
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.server = &gortsplib.Server{
		Handler: c, RTSPAddress: ln.Addr().String(), WriteQueueSize: 8192, DisableRTCPSenderReports: true, TLSConfig: c.tls,
		Listen: func(string, string) (net.Listener, error) {
			if c.tls != nil {
				return tls.NewListener(ln, c.tls), nil
			}
			return ln, nil
		},
		TLSListen: func(string, string, *tls.Config) (net.Listener, error) { return tls.NewListener(ln, c.tls), nil },
	}
	if c.tls == nil {
		c.udp()
	}
	if err := c.server.Start(); err != nil {
		c.t.Fatal(err)
	}
	if c.desc != nil {
		c.stream = &gortsplib.ServerStream{Server: c.server, Desc: c.desc}
		if err := c.stream.Initialize(); err != nil {
			c.t.Fatal(err)
		}
	}
	c.t.Cleanup(func() {
		c.server.Close()
		c.wg.Wait()
	})
	scheme, who := "rtsp", ""
	if c.tls != nil {
		scheme = "rtsps"
	}
	if c.user != "" {
		who = c.user + ":" + c.password + "@"
	}
	return fmt.Sprintf("%s://%s%s/cam", scheme, who, ln.Addr())
}

// udp finds two ports in a row.
func (c *camera) udp() {
	for range 100 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			c.t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			if b, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port+1)); err == nil {
				conns := []net.PacketConn{a, b}
				c.server.UDPRTPAddress, c.server.UDPRTCPAddress = a.LocalAddr().String(), b.LocalAddr().String()
				c.server.ListenPacket = func(string, string) (net.PacketConn, error) {
					p := conns[0]
					conns = conns[1:]
					return p, nil
				}
				return
			}
		}
		a.Close()
	}
	c.t.Fatal("no two UDP ports in a row")
}

func (c *camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.user != "" && !ctx.Conn.VerifyCredentials(ctx.Request, c.user, "right") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if c.status != 0 {
		r := &base.Response{StatusCode: c.status, Header: base.Header{}}
		if c.location != "" {
			r.Header["Location"] = base.HeaderValue{c.location}
		}
		return r, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.noSetup != 0 {
		return &base.Response{StatusCode: c.noSetup}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	c.asked.Store(true)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnResponse is told of each answer before it goes out. With that to PLAY the session is one that the stream has, so
// what is sent now is kept for it, in the queue.
func (c *camera) OnResponse(*gortsplib.ServerConn, *base.Response) {
	if c.asked.Load() {
		c.once.Do(func() { c.wg.Go(c.send) }) // ends with what there is to send
	}
}

func (c *camera) send() {
	for m, r := range c.reports {
		c.stream.WritePacketRTCP(m, &r)
	}
	began := time.Now()
	for _, p := range c.packets {
		time.Sleep(time.Until(began.Add(time.Duration(float64(p.at) / c.speed))))
		if err := c.stream.WritePacketRTPWithNTP(p.media, p.Packet, time.Now()); err != nil {
			c.t.Error(err)
			return
		}
	}
}

func parse(t testing.TB, s string) Address {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var errEnough = errors.New("enough")

// fetchFrom returns what comes of an address until the end, or until enough says so.
func fetchFrom(t testing.TB, address string, enough func([]flv.Tag) bool) ([]flv.Tag, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []flv.Tag
	err := Fetch(ctx, parse(t, address), zap.NewNop(), func(tag flv.Tag) error {
		got = append(got, tag)
		if enough != nil && enough(got) {
			return errEnough
		}
		return nil
	})
	return got, err
}
