package abuse

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"relay/cli/abuse/hostile"
	"relay/ingest/flv"
	"relay/ingest/rtmp"
	"relay/ingest/srt"
	"relay/relay"
	"relay/relay/pcp"
)

const (
	// comeEvery is how often an honest newcomer comes during an attack.
	comeEvery = 700 * time.Millisecond
	// comeMost bounds how long one waits, if the bar is not longer.
	comeMost = 5 * time.Second
)

// newcomers come to a port while it is attacked.
type newcomers struct {
	waits  []time.Duration
	failed []error
}

func (n newcomers) slowest() time.Duration {
	var most time.Duration
	for _, w := range n.waits {
		most = max(most, w)
	}
	return most
}

// during lets newcomers come to a port, one after another, until an attack is over; at least one.
func (a *attack) during(ctx context.Context, p hostile.Port, attack func()) (n newcomers) {
	over := make(chan struct{})
	go func() { defer close(over); attack() }() // it is waited for below
	for again := a.canCome(p); again; {
		select { // the attack has to be there first
		case <-time.After(comeEvery):
		case <-ctx.Done():
		}
		began := time.Now()
		if err := a.come(ctx, p); err == nil {
			n.waits = append(n.waits, time.Since(began))
		} else if ctx.Err() == nil {
			n.failed = append(n.failed, err)
		}
		select {
		case <-over:
			again = false
		default:
			again = ctx.Err() == nil
		}
	}
	<-over
	return n
}

// canCome reports whether anybody honest comes by that port.
func (a *attack) canCome(p hostile.Port) bool {
	return p != "" && p != hostile.Media && p != hostile.MPEGTS && a.target.address(p).IsValid()
}

// come is an honest newcomer who wants to watch by way of a port, and is gone when it does.
func (a *attack) come(ctx context.Context, p hostile.Port) error {
	ctx, cancel := context.WithTimeout(ctx, max(comeMost, a.Newcomer))
	defer cancel()
	switch p {
	case hostile.RTMP:
		return a.target.comeOverRTMP(ctx)
	case hostile.SRT:
		return a.target.comeOverSRT(ctx)
	case hostile.HTTP:
		r, leave, err := a.target.play(ctx)
		if err != nil {
			return err
		}
		defer leave()
		return firstTag(r)
	case hostile.Discovery:
		return comeAsking(ctx, a.target.Discovery, func() []byte { return hostile.Query(rand.Uint64()) }) // a second copy is not answered
	case hostile.RTSP:
		return a.target.comeOverRTSP(ctx)
	case hostile.PeerCast:
		return a.target.comeAsPeerCast(ctx)
	case hostile.WHIP, hostile.WHIPMedia:
		return a.target.comeAsEncoder(ctx)
	case hostile.TV:
		return a.target.comeAsTV(ctx)
	case hostile.SSDP:
		return comeAsking(ctx, a.target.SSDP, hostile.Search)
	}
	return a.target.comeOverLink(ctx)
}

// firstTag waits for the first tag of media.
func firstTag(r *flv.Reader) error {
	for {
		t, err := r.Next()
		if err != nil {
			return err
		}
		if t.Type() != flv.Script && !flv.Classify(t).Config {
			return nil
		}
	}
}

var errPlays = errors.New("it plays")

// comeOverSRT plays over SRT, which holds back what it gets for the latency.
func (t Target) comeOverSRT(ctx context.Context) error {
	target := srt.Target{Addr: t.SRT.String(), StreamID: "read:" + t.Channel.String(), Latency: srt.MinLatency}
	if err := target.Fetch(ctx, func([]byte) error { return errPlays }); !errors.Is(err, errPlays) {
		return err
	}
	return nil
}

func (t Target) comeOverRTMP(ctx context.Context) error {
	u := &url.URL{Scheme: "rtmp", Host: t.RTMP.String(), Path: "/live/" + t.Channel.String()}
	target, err := rtmp.ParseTarget(u)
	if err != nil {
		return err
	}
	err = target.Fetch(ctx, func(g flv.Tag) error {
		if g.Type() != flv.Script && !flv.Classify(g).Config {
			return errPlays
		}
		return nil
	})
	if errors.Is(err, errPlays) {
		return nil
	}
	return err
}

// comeOverLink joins the channel as a node of its own, which nobody can dial.
func (t Target) comeOverLink(ctx context.Context) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	node, err := relay.New(relay.Config{Key: key, Slots: -1})
	if err != nil {
		return err
	}
	c, err := node.Watch(relay.Invite{Channel: t.Channel, Hosts: []relay.HostPort{{Host: t.Links.Addr().String(), Port: t.Links.Port()}}}, nil)
	if err != nil {
		return err
	}
	run, leave := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(run) }) // nothing but run ends it
	defer wg.Wait()
	defer leave()
	_, err = c.Ring().Cursor().Next(ctx)
	if err != nil {
		return fmt.Errorf("no chunk came: %w", err)
	}
	return nil
}

// comeAsEncoder asks what an encoder's page asks first; who has the key goes on from there.
func (t Target) comeAsEncoder(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, "http://"+t.WHIP.String()+"/whip", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

// comeAsPeerCast has the channel as a PeerCast, up to the first data. Where there is no room it is sent elsewhere,
// which is as good: all that are let in during the attack hold their places.
func (t Target) comeAsPeerCast(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.PeerCast.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	b := pcp.Request{Channel: pcp.ChannelID(t.Channel), Over: pcp.Over(t.PeerCast.Addr())}.Append(nil, t.PeerCast.String())
	b = pcp.Helo{Agent: "relay", Version: pcp.Version, Session: pcp.NewID()}.Append(b)
	if _, err := conn.Write(b); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	if _, err := pcp.ReadLines(r); err != nil {
		return err
	}
	for atoms := pcp.NewReader(r); ; {
		a, err := atoms.Next()
		if err != nil {
			return err
		}
		if q, err := pcp.ParseQuit(a); err == nil && q == pcp.QuitUnavailable {
			return nil
		}
		if c, err := pcp.ParseChan(a); err == nil && c.Packet != nil && c.Packet.Kind == pcp.Data {
			return nil
		}
	}
}

// comeAsTV reads what the server for TVs is.
func (t Target) comeAsTV(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.TV.String()+"/tv.xml", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// comeOverRTSP plays the channel, up to the first packet.
func (t Target) comeOverRTSP(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.RTSP.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(hostile.RTSPPlay(t.Channel, t.RTSP.String())); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('$')
	return err
}

// comeAsking asks as relay list does for channels, or a TV for servers, until it is answered.
func comeAsking(ctx context.Context, to netip.AddrPort, query func() []byte) error {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	b := make([]byte, 1024)
	for ctx.Err() == nil {
		if _, err := conn.WriteToUDPAddrPort(query(), to); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		if _, _, err := conn.ReadFromUDPAddrPort(b); err == nil {
			return nil
		}
	}
	return context.Cause(ctx)
}
