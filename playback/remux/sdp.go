package remux

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

// SDP is what a player over RTSP is told of a stream (RFC 8866; RFC 2326, C).
type SDP struct {
	Text            []byte
	Pictures, Sound bool // which tracks there are: the controls trackID=0 and trackID=1
}

// SDPOf describes a stream that begins with a batch. Its error is a [CodecError]; there are no tracks where
// nothing is known of them yet.
func SDPOf(begins flv.Batch) (SDP, error) {
	r := NewRTP(-1, -1, time.Time{})
	if err := r.demux.add(begins); err != nil {
		return SDP{}, err
	}
	v, a := r.demux.video, r.demux.audio
	s := SDP{Pictures: v != nil, Sound: a != nil}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("v=0")
	line("o=- 0 0 IN IP4 127.0.0.1")
	line("s=relay")
	line("c=IN IP4 0.0.0.0")
	line("t=0 0")
	line("a=control:*")
	line("a=range:npt=now-")
	if s.Pictures {
		line("m=video 0 RTP/AVP %d", rtpVideoType)
		name, params := sdpPictures(v)
		line("a=rtpmap:%d %s/%d", rtpVideoType, name, videoRate)
		line("a=fmtp:%d %s", rtpVideoType, params)
		line("a=control:trackID=0")
	}
	if s.Sound {
		line("m=audio 0 RTP/AVP %d", rtpType(a))
		switch c := a.codec.(type) {
		case *codecs.MPEG4Audio:
			line("a=rtpmap:%d mpeg4-generic/%d/%d", rtpAudioType, a.rate, max(int(c.Config.ChannelConfig), 1))
			line("a=fmtp:%d streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=%s", rtpAudioType, hex.EncodeToString(a.raw))
		case *codecs.Opus:
			line("a=rtpmap:%d opus/%d/2", rtpAudioType, opusRate) // always 2 (RFC 7587, 7)
			if c.ChannelCount != 1 {
				line("a=fmtp:%d sprop-stereo=1;stereo=1", rtpAudioType)
			}
		default:
			line("a=rtpmap:%d MPA/%d", rtpMPEGType, videoRate)
		}
		line("a=control:trackID=1")
	}
	s.Text = []byte(b.String())
	return s, nil
}

// sdpPictures is the name and the parameters of a track (RFC 6184, 8.2.1; RFC 7798, 7.2).
func sdpPictures(t *track) (name, params string) {
	named := func(is func(byte) bool) string {
		var all []string
		for _, u := range t.sets.Units {
			if is(u[0]) {
				all = append(all, base64.StdEncoding.EncodeToString(u))
			}
		}
		return strings.Join(all, ",")
	}
	if c, ok := t.codec.(*codecs.H264); ok {
		sets := named(func(b byte) bool { return h264.NALUType(b&0x1f) == h264.NALUTypeSPS })
		sets += "," + named(func(b byte) bool { return h264.NALUType(b&0x1f) == h264.NALUTypePPS })
		return "H264", fmt.Sprintf("packetization-mode=1;profile-level-id=%X;sprop-parameter-sets=%s", c.SPS[1:4], sets)
	}
	of := func(is h265.NALUType) string {
		return named(func(b byte) bool { return h265.NALUType(b>>1&0x3f) == is })
	}
	return "H265", fmt.Sprintf("sprop-vps=%s;sprop-sps=%s;sprop-pps=%s", of(h265.NALUType_VPS_NUT), of(h265.NALUType_SPS_NUT), of(h265.NALUType_PPS_NUT))
}
