package playtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/protobuf/encoding/protowire"

	"relay/relay/multicast"
)

// Chromecast is a device on loopback that speaks mDNS and CASTV2, and plays nothing: Play does.
type Chromecast struct {
	Name string
	// Play is given what to load, and returns what to answer: MEDIA_STATUS, if it returns nothing.
	Play func(url string) (failed string)
	// Refuse is a reason not to launch the player, Script what is written in place of everything.
	Refuse string
	Script []byte

	Addr netip.AddrPort // once it was started
	MDNS uint16         // likewise

	mu   sync.Mutex
	said []string // the types of what came
	app  bool     // the player is there
}

// Start lets it run until the test ends.
func (c *Chromecast) Start(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: c.Name}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	c.Addr = ln.Addr().(*net.TCPAddr).AddrPort()
	ctx, cancel := context.WithCancel(context.Background())
	ear, err := multicast.Listen(ctx, netip.MustParseAddr("224.0.0.251"), 0)
	if err != nil {
		t.Fatal(err)
	}
	c.MDNS = ear.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	all, err := multicast.Interfaces(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			ear.Follow([]multicast.Interface{i})
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.tell(ear) })
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			wg.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { cancel(); ln.Close(); ear.Close(); wg.Wait() })
}

// tell answers who asks for Chromecasts.
func (c *Chromecast) tell(ear *multicast.Socket) {
	const service = "_googlecast._tcp.local."
	b := make([]byte, 1500)
	for {
		n, from, _, err := ear.Read(b, make([]byte, multicast.ControlSize))
		if err != nil {
			return
		}
		var q dns.Msg
		if q.Unpack(b[:n]) != nil || len(q.Question) != 1 || q.Question[0].Name != service || q.Question[0].Qclass != 0x8001 {
			continue
		}
		for _, name := range []string{"Chromecast-1." + service} {
			h := func(name string, kind uint16) dns.RR_Header {
				return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 120}
			}
			a := dns.Msg{Answer: []dns.RR{&dns.PTR{Hdr: h(service, dns.TypePTR), Ptr: name}}, Extra: []dns.RR{
				&dns.SRV{Hdr: h(name, dns.TypeSRV), Port: c.Addr.Port(), Target: "cc.local."},
				&dns.TXT{Hdr: h(name, dns.TypeTXT), Txt: []string{"id=1", "md=Fake", "fn=" + c.Name}},
				&dns.A{Hdr: h("cc.local.", dns.TypeA), A: net.IPv4(127, 0, 0, 1)},
			}}
			a.Response, a.Authoritative = true, true
			out, err := a.Pack()
			if err == nil {
				ear.WriteToUDPAddrPort(out, from)
			}
		}
	}
}

// Said are the types of messages that have come, in order.
func (c *Chromecast) Said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.said...)
}

// Busy reports whether the player is there.
func (c *Chromecast) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.app
}

func (c *Chromecast) serve(conn net.Conn) {
	defer conn.Close()
	if c.Script != nil {
		conn.Write(c.Script)
		io.Copy(io.Discard, conn)
		return
	}
	say := func(to, from, about, text string) { conn.Write(Cast(from, to, about, text)) }
	status := func(id int) string {
		apps := `[]`
		if c.Busy() {
			apps = `[{"appId":"CC1AD845","sessionId":"s1","transportId":"web-1","displayName":"Default Media Receiver"}]`
		}
		return fmt.Sprintf(`{"type":"RECEIVER_STATUS","requestId":%d,"status":{"applications":%s,"volume":{"level":1}}}`, id, apps)
	}
	for {
		about, text, to, err := readCast(conn)
		if err != nil {
			return
		}
		var m struct {
			Type      string
			RequestID int `json:"requestId"`
			Media     struct {
				URL    string `json:"contentId"`
				Stream string `json:"streamType"`
				Format string `json:"hlsVideoSegmentFormat"`
			}
		}
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		c.mu.Lock()
		c.said = append(c.said, m.Type)
		c.mu.Unlock()
		const receiver, media = "urn:x-cast:com.google.cast.receiver", "urn:x-cast:com.google.cast.media"
		switch {
		case m.Type == "PING":
			say("sender-0", to, about, `{"type":"PONG"}`)
		case m.Type == "LAUNCH" && c.Refuse != "":
			say("sender-0", to, receiver, fmt.Sprintf(`{"type":"LAUNCH_ERROR","requestId":%d,"reason":%q}`, m.RequestID, c.Refuse))
		case m.Type == "LAUNCH":
			say("sender-0", to, "urn:x-cast:com.google.cast.tp.heartbeat", `{"type":"PING"}`)
			say("*", to, receiver, status(0)) // not yet
			c.mu.Lock()
			c.app = true
			c.mu.Unlock()
			say("sender-0", to, receiver, status(m.RequestID))
		case m.Type == "LOAD" && to == "web-1" && m.Media.Stream == "LIVE" && m.Media.Format == "fmp4":
			say("*", to, media, `{"type":"MEDIA_STATUS","requestId":0,"status":[{"mediaSessionId":1,"playerState":"BUFFERING"}]}`)
			if failed := c.Play(m.Media.URL); failed != "" {
				say("sender-0", to, media, fmt.Sprintf(`{"type":%q,"requestId":%d,"detailedErrorCode":104}`, failed, m.RequestID))
				continue
			}
			say("sender-0", to, media, fmt.Sprintf(`{"type":"MEDIA_STATUS","requestId":%d,"status":[{"mediaSessionId":1,"playerState":"PLAYING"}]}`, m.RequestID))
		case m.Type == "STOP":
			c.mu.Lock()
			c.app = false
			c.mu.Unlock()
			say("*", to, receiver, status(m.RequestID))
		}
	}
}

// Cast is a frame of CASTV2.
func Cast(from, to, about, text string) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 0)
	for i, s := range []string{from, to, about} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(2+i), protowire.BytesType), s)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 5, protowire.VarintType), 0)
	b = protowire.AppendString(protowire.AppendTag(b, 6, protowire.BytesType), text)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func readCast(r io.Reader) (about, text, to string, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", "", "", err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return "", "", "", err
	}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return "", "", "", protowire.ParseError(n)
		}
		b = b[n:]
		if kind == protowire.BytesType {
			s, _ := protowire.ConsumeString(b)
			switch field {
			case 3:
				to = s
			case 4:
				about = s
			case 6:
				text = s
			}
		}
		if n = protowire.ConsumeFieldValue(field, kind, b); n < 0 {
			return "", "", "", protowire.ParseError(n)
		}
		b = b[n:]
	}
	return about, text, to, nil
}
