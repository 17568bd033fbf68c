package whip

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

const obs = "v=0\r\no=rtc 3877212184 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
	"m=audio 57249 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.168.188.53\r\na=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;stereo=1;sprop-stereo=1\r\n" +
	"a=candidate:1 1 UDP 2122317823 192.168.188.53 57249 typ host\r\na=end-of-candidates\r\n" +
	"m=video 57249 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=42e01f;packetization-mode=1\r\n"

func TestAnOfferLosesItsAddresses(t *testing.T) {
	got, err := cleaned(obs)
	want := strings.NewReplacer("a=candidate:1 1 UDP 2122317823 192.168.188.53 57249 typ host\r\n", "", "a=end-of-candidates\r\n", "").Replace(obs)
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	if got, err := cleaned(strings.ReplaceAll(obs, "\r\n", "\n")); err != nil || got != want {
		t.Errorf("with other line ends: %v\n%s", err, got)
	}
}

func TestAnOfferThatIsOfNoUseIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ offer, offered string }{
		"nothing":             {"", ""},
		"no parts":            {"v=0\r\n", ""},
		"data":                {obs + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", ""},
		"many parts":          {obs + obs + obs, ""},
		"many lines":          {obs + strings.Repeat("a=x\r\n", offerLines), ""},
		"long":                {obs + "a=" + strings.Repeat("x", offerMost), ""},
		"a NUL":               {obs + "a=\x00\r\n", ""},
		"other pictures":      {strings.ReplaceAll(obs, "H264/", "VP8/"), "VP8"},
		"other sound":         {strings.ReplaceAll(obs, "opus/48000/2", "PCMU/8000\r\na=rtpmap:8 PCMA/8000"), "PCMU, PCMA"},
		"a name to be shown":  {strings.ReplaceAll(obs, "H264/", "\x1b[2Jevil"+strings.Repeat("x", 99)+"/"), "…"},
		"pictures of no name": {strings.ReplaceAll(obs, "a=rtpmap:96 H264/90000\r\n", ""), ""},
	} {
		_, err := cleaned(c.offer)
		codec, is := errors.AsType[*CodecError](err)
		switch {
		case err == nil, !is && !errors.Is(err, ErrOffer):
			t.Errorf("%s: %v", name, err)
		case c.offered == "…" && (strings.Contains(codec.Offered, "\x1b") || len(codec.Offered) > 80):
			t.Errorf("%s: %q", name, codec.Offered)
		case c.offered != "" && c.offered != "…" && codec.Offered != c.offered:
			t.Errorf("%s: %q, want %q", name, codec.Offered, c.offered)
		}
	}
}

func TestAnAnswerSaysMore(t *testing.T) {
	const answer = "m=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;sprop-stereo=1\r\na=candidate:1 1 udp 1 10.0.0.1 7149 typ host\r\na=end-of-candidates\r\nm=video 9 X 96\r\na=fmtp:96 x=1\r\n"
	got := inStereo(withAddresses(answer, []netip.Addr{netip.MustParseAddr("203.0.113.7")}, 7149))
	for _, want := range []string{"a=fmtp:111 minptime=10;sprop-stereo=1;stereo=1\r\n", " 203.0.113.7 7149 typ host\r\n", " 203.0.113.7 7149 typ host tcptype passive\r\na=end-of-candidates\r\n", "a=fmtp:96 x=1\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if again := inStereo(got); again != got {
		t.Errorf("said twice:\n%s", again)
	}
}

func TestACheckNamesItsCall(t *testing.T) {
	const good = "\x00\x01\x00\x08\x21\x12\xa4\x42123456789012\x00\x06\x00\x03a:b\x00"
	if name, ok := callee([]byte(good)); name != "a" || !ok {
		t.Errorf("%q, %t", name, ok)
	}
	if name, ok := callee([]byte("\x00\x01\x00\x10\x21\x12\xa4\x42123456789012\x80\x29\x00\x01x\x00\x00\x00\x00\x06\x00\x03a:b\x00")); name != "a" || !ok {
		t.Errorf("behind another: %q, %t", name, ok)
	}
	for name, b := range map[string]string{
		"cut": good[:27], "no length": good[:24], "an answer": "\x01\x01" + good[2:], "no cookie": good[:4] + "\x00" + good[5:],
		"no name": "\x00\x01\x00\x00" + good[4:20], "half a name": strings.Replace(good, "a:b", "abc", 1), "an empty one": strings.Replace(good, "a:b", ":ab", 1),
		"longer than all": good[:22] + "\x00\x09a:b\x00",
	} {
		if who, ok := callee([]byte(b)); ok {
			t.Errorf("%s: %q", name, who)
		}
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(obs)
	f.Fuzz(func(t *testing.T, offer string) {
		got, err := cleaned(offer)
		if err == nil && (len(got) > 2*len(offer)+2 || strings.Contains(got, "\na=candidate:")) {
			t.Errorf("%d bytes of %d: %q", len(got), len(offer), got)
		}
		inStereo(got)
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x08\x21\x12\xa4\x42123456789012\x00\x06\x00\x03a:b\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if name, ok := callee(b); ok && (len(name) == 0 || len(name) > len(b)) {
			t.Errorf("%q", name)
		}
	})
}
