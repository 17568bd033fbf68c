//go:build !lean

package rtspin

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"relay/ingest/flv"
)

// answering is a server that says what it likes.
func answering(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with ln
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return "rtsp://" + ln.Addr().String() + "/cam"
}

// describing answers OPTIONS, and DESCRIBE with an SDP; SETUP and PLAY with 200, and then does more.
func describing(sdp string, more func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			var method, seq string
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				line = strings.TrimSpace(line)
				if method == "" {
					method, _, _ = strings.Cut(line, " ")
				}
				if v, ok := strings.CutPrefix(line, "CSeq: "); ok {
					seq = v
				}
				if line == "" {
					break
				}
			}
			head := "RTSP/1.0 200 OK\r\nCSeq: " + seq + "\r\n"
			switch method {
			case "DESCRIBE":
				fmt.Fprintf(conn, "%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", head, len(sdp), sdp)
			case "SETUP":
				io.WriteString(conn, head+"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
			case "PLAY":
				io.WriteString(conn, head+"Session: 1\r\n\r\n")
				if more != nil {
					more(conn)
				}
			default:
				io.WriteString(conn, head+"\r\n")
			}
		}
	}
}

const sdpHead = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

func TestWhatGoesWrongHasAName(t *testing.T) {
	h264 := sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:1\r\n"
	for name, c := range map[string]struct {
		cam    *camera
		serve  func(net.Conn)
		change func(string) string
		want   error
	}{
		"a wrong password":        {cam: &camera{user: "admin", password: "wrong"}, want: ErrPassword},
		"no password":             {cam: &camera{user: "admin"}, change: func(s string) string { return strings.Replace(s, "admin:@", "", 1) }, want: ErrNoPassword},
		"no such path":            {cam: &camera{status: base.StatusNotFound}, want: ErrPath},
		"no room":                 {cam: &camera{status: base.StatusNotEnoughBandwidth}, want: ErrBusy},
		"no room, in other words": {cam: &camera{status: base.StatusServiceUnavailable}, want: ErrBusy},
		"to itself for ever":      {cam: &camera{status: base.StatusFound, location: "self"}, want: ErrLoop},
		"a page":                  {serve: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, want: ErrHTTP},
		"a page that stays":       {serve: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) }, want: ErrHTTP},
		"mail":                    {serve: func(c net.Conn) { io.WriteString(c, "220 mail\r\n") }, want: ErrNotRTSP},
		"nothing":                 {serve: func(net.Conn) {}, want: ErrHungUp},
		"no medium":               {serve: describing(sdpHead, nil), want: ErrSDP},
		"nonsense":                {serve: describing("hello", nil), want: ErrSDP},
		"an end":                  {serve: describing(h264, func(c net.Conn) { c.Close() }), want: ErrEnded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := ""
			if c.cam != nil {
				c.cam.t = t
				address = c.cam.start()
				if c.cam.location != "" {
					c.cam.location = address
				}
			} else {
				address = answering(t, c.serve)
			}
			if c.change != nil {
				address = c.change(address)
			}
			_, err := fetchFrom(t, address, nil)
			e, ok := errors.AsType[*Error](err)
			if !ok || !errors.Is(err, c.want) || strings.Contains(err.Error(), "wrong@") || strings.Contains(e.Host, "@") {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestCodecsThatCannotBeCarriedAreNamed(t *testing.T) {
	for sdp, want := range map[string]string{
		"m=video 0 RTP/AVP 26\r\na=control:1\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\na=control:2\r\n": "MJPEG",
		"m=audio 0 RTP/AVP 0\r\na=control:1\r\n":                            "G711",
		"m=video 0 RTP/AVP 99\r\na=rtpmap:99 SVAC/90000\r\na=control:1\r\n": "SVAC",
	} {
		_, err := fetchFrom(t, answering(t, describing(sdpHead+sdp, nil)), nil)
		c, ok := errors.AsType[*CodecError](err)
		if !ok || strings.Join(c.Codecs, " ") != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestThePasswordGoesToNoOtherHost(t *testing.T) {
	asked := make(chan struct{}, 1)
	other := answering(t, func(net.Conn) { asked <- struct{}{} })
	cam := &camera{t: t, user: "admin", password: "right", status: base.StatusFound, location: strings.Replace(other, "127.0.0.1", "localhost", 1)}
	_, err := fetchFrom(t, cam.start(), nil)
	if r, ok := errors.AsType[*RedirectError](err); !ok || !strings.HasPrefix(r.To, "localhost:") {
		t.Error(err)
	}
	select {
	case <-asked:
		t.Error("the other host was asked")
	default:
	}
}

// A camera that sends on to another port of its own is followed.
func TestAnotherPortOfTheCameraIsFollowed(t *testing.T) {
	t.Parallel()
	want := clip(t, filmed[0].args)
	there := &camera{t: t}
	there.film(want, false)
	here := &camera{t: t, status: base.StatusFound, location: there.start()}
	if _, err := fetchFrom(t, here.start(), all(want)); err != errEnough {
		t.Error(err)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	return tls.Certificate{Certificate: [][]byte{must(x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key))}, PrivateKey: key}
}

func TestACertificateIsTakenByItsSumAlone(t *testing.T) {
	t.Parallel()
	want := clip(t, filmed[0].args)
	cam := &camera{t: t, user: "admin", password: "right", tls: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}}
	cam.film(want, false)
	address := cam.start()
	_, err := fetchFrom(t, address, nil)
	c, ok := errors.AsType[*CertificateError](err)
	if !ok || c.Wanted != "" || strings.Contains(c.Retry, "right") || !strings.HasSuffix(c.Retry, "?certificate="+c.SHA256) {
		t.Fatalf("%v, %+v", err, c)
	}
	_, err = fetchFrom(t, address+"?certificate="+strings.Repeat("0", 64), nil)
	if c, ok := errors.AsType[*CertificateError](err); !ok || c.Wanted == "" {
		t.Error(err)
	}
	if _, err := fetchFrom(t, address+"?certificate="+c.SHA256, all(want)); err != errEnough {
		t.Error(err)
	}
}

// A bomb in the SDP is refused, or taken for what it is. The library takes 128 KiB, whose lists it looks through for each
// format: at worst that takes half a second of a core, and is over with the dialogue's time on a machine that is slow.
func TestLongSDPsComeToAnEnd(t *testing.T) {
	const most = 40 << 10
	for name, row := range map[string]string{
		"media":      "m=video 0 RTP/AVP 96\r\n",
		"formats":    "m=video 0 RTP/AVP 96" + strings.Repeat(" 96", 12000) + "\r\n",
		"attributes": "m=video 0 RTP/AVP 96 97 98 99\r\n" + strings.Repeat("a=rtpmap:96 H264/90000\r\n", 1500),
		"both":       "m=video 0 RTP/AVP" + strings.Repeat(" 96", 6000) + "\r\n" + strings.Repeat("a=rtpmap:96 H264/90000\r\n", 800),
	} {
		t.Run(name, func(t *testing.T) {
			sdp := sdpHead
			for len(sdp)+len(row) < most {
				sdp += row
			}
			_, err := fetchFrom(t, answering(t, describing(sdp, func(c net.Conn) { c.Close() })), nil)
			if !errors.Is(err, ErrSDP) && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrNoAnswer) {
				t.Error(err)
			}
		})
	}
}

// What comes on channels that were not asked for is read and thrown away, and does not count as something: if it takes long to
// come, the camera is silent.
func TestJunkIsNoStream(t *testing.T) {
	h264 := sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:1\r\n"
	junk := make([]byte, 0, 1<<20)
	for len(junk) < 1<<20 {
		junk = append(binary.BigEndian.AppendUint16(append(junk, '$', 9), 60000), make([]byte, 60000)...)
	}
	var read atomic.Int64
	tags, err := fetchFrom(t, answering(t, describing(h264, func(c net.Conn) {
		for range 64 {
			n, _ := c.Write(junk)
			read.Add(int64(n))
		}
		c.Close()
	})), func([]flv.Tag) bool { return true })
	if len(tags) > 0 || !errors.Is(err, ErrSilence) && (!errors.Is(err, ErrEnded) || read.Load() < 64<<20) {
		t.Errorf("%d tags, %v, after %d bytes", len(tags), err, read.Load())
	}
}
