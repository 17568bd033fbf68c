//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// forWHIP makes of a clip what encoders send over WHIP, beside its codecs: pictures in the order in which they are shown, and parameters
// within them.
var forWHIP = []string{"-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-g", "30", "-b:v", "200k"}

// publishWHIP sends a clip to an address as an encoder does, until the test ends: ffmpeg makes its packets, pion brings them there.
func publishWHIP(t *testing.T, address, clip string) {
	t.Helper()
	var local webrtc.SettingEngine
	local.SetIncludeLoopbackCandidate(true)
	peer, err := webrtc.NewAPI(webrtc.WithSettingEngine(local)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	args := []string{"-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-i", clip}
	for kind, codec := range map[string]webrtc.RTPCodecCapability{
		"v": {MimeType: webrtc.MimeTypeH264, ClockRate: 90_000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
		"a": {MimeType: webrtc.MimeTypeOpus, ClockRate: 48_000, Channels: 2},
	} {
		packets, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { packets.Close() })
		track, err := webrtc.NewTrackLocalStaticRTP(codec, kind, "clip")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := peer.AddTrack(track); err != nil {
			t.Fatal(err)
		}
		go forward(packets, track) // ends with packets
		if args = append(args, "-map", "0:"+kind, "-c", "copy"); kind == "v" {
			args = append(args, "-bsf:v", "h264_mp4toannexb")
		}
		args = append(args, "-f", "rtp", fmt.Sprintf("rtp://%s?pkt_size=1200", packets.LocalAddr()))
	}
	connected, once := make(chan struct{}), sync.Once{}
	peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	dial(t, peer, address)
	select {
	case <-connected:
	case <-time.After(patience):
		t.Fatal("the call over WHIP does not connect")
	}
	start(t, "encoder", "ffmpeg", args...)
}

// forward takes packets of RTP to a track; those of before the call go nowhere.
func forward(from *net.UDPConn, to *webrtc.TrackLocalStaticRTP) {
	b := make([]byte, 1500)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		_, _ = to.Write(b[:n]) // an error is that the call has ended
	}
}

// dial offers a call to the endpoint at an address, and takes its answer.
func dial(t *testing.T, peer *webrtc.PeerConnection, address string) {
	t.Helper()
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(peer.LocalDescription().SDP))
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("Content-Type", "application/sdp")
	ask.Header.Set("Authorization", "Bearer "+streamKey)
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s, %v: %s", resp.Status, err, answer)
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		t.Fatal(err)
	}
}
