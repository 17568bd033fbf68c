package remux

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

const (
	// rtpPayload is how long a packet's payload is at most, in bytes: what Ethernet carries over IPv6, with room for
	// a tunnel.
	rtpPayload = 1384
	// rtpFrame and rtpHead are the length of what is in front of a packet in a connection (RFC 2326, 10.12), and of
	// a packet's own header.
	rtpFrame, rtpHead = 4, 12
	// rtpReports is how often there is a sender report, in seconds of the stream.
	rtpReports = 5
	// rtpBlock is what heads of packets are allocated in, in bytes: those of 100 KB of a picture.
	rtpBlock = 2 << 10

	rtpVideoType, rtpAudioType, rtpMPEGType = 96, 97, 14 // the last for MP3 (RFC 3551, 4.5.13)

	// ntpUnix is the time from the epoch of NTP to that of Unix, in seconds.
	ntpUnix = 2208988800
)

// RTP is a stream in RTP packets (RFC 3550; H.264 by RFC 6184, HEVC by RFC 7798, AAC by RFC 3640, Opus by RFC 7587, MP3
// by RFC 2250), each with its channel and its length in front, as RTSP has them in a connection. Parameter sets stand in front of
// every key frame.
//
// What RTSP has told a player of the tracks cannot be changed: a stream whose codecs change, or the
// configuration of its sound, ends. Sound that begins later than the player came is not there for it. What holds of readers of
// [TS] holds here.
type RTP struct {
	demux        demuxer
	tracks       [2]rtpTrack // of pictures and of sound
	wall         int64       // NTP's time of the stream's 0, in 1/videoRate s
	video, audio *track

	out    net.Buffers
	heads  []byte // what is left of a block
	record record
	joined net.Buffers
}

// rtpTrack is a track's own state.
type rtpTrack struct {
	channel  int // of packets; reports have the next; negative for none
	typ      byte
	ssrc     uint32
	seq      uint16 // of the next packet
	packets  uint32
	octets   uint32
	as       string // how it was described
	reported int64  // when it was last reported of, in its rate
	reports  bool
}

// NewRTP returns an RTP that has had no tags yet, for packets of pictures and of sound on these channels; a negative one
// for none. now is the time.
func NewRTP(pictures, sound int, now time.Time) *RTP {
	r := &RTP{wall: (now.Unix()+ntpUnix)*videoRate + int64(now.Nanosecond())*videoRate/int64(time.Second)}
	for i, c := range []int{pictures, sound} {
		r.tracks[i] = rtpTrack{channel: c, ssrc: rand.Uint32(), seq: uint16(rand.Uint32())}
	}
	r.demux.to = r
	return r
}

// Convert takes the next tags and returns what they are in RTP, which may be nothing. The bytes are shared
// with the tags.
func (r *RTP) Convert(batch flv.Batch) (net.Buffers, error) {
	r.joined = nil
	if batch.Start {
		r.record.begin()
	}
	if err := r.demux.add(batch); err != nil {
		return nil, err
	}
	out := r.out
	r.out = nil
	return out[:len(out):len(out)], nil
}

// Join returns what a reader gets in front of what Convert returns next: reports of how the tracks belong together,
// and, if it is to catch up, the pictures since the newest batch that begins at a place to start,
// squashed. Their packets have the numbers in front of the next one's. All who join between the same two batches get
// the same.
func (r *RTP) Join(catchUp bool) (net.Buffers, error) {
	if r.video == nil && r.audio == nil {
		return nil, nil
	}
	if !catchUp {
		return r.reportsOf(), nil
	}
	if r.joined != nil {
		return r.joined, nil
	}
	r.joined = r.reportsOf()
	packets := 0
	for _, p := range r.record.pictures {
		for range rtpPackets(p.data) {
			packets++
		}
	}
	seq := r.tracks[0].seq - uint16(packets)
	for i, p := range r.record.pictures {
		at := uint32(r.record.squashed(i))
		for packet := range rtpPackets(p.data) {
			head := append([]byte(nil), packet[0]...)
			binary.BigEndian.PutUint16(head[rtpFrame+2:], seq)
			binary.BigEndian.PutUint32(head[rtpFrame+4:], at)
			seq++
			r.joined = append(append(r.joined, head), packet[1:]...)
		}
	}
	return r.joined, nil
}

// rtpPackets yields each packet, its head and what its payload is in, as the head's length says.
func rtpPackets(data [][]byte) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		for len(data) > 0 {
			left := rtpFrame + int(binary.BigEndian.Uint16(data[0][2:]))
			n := 0
			for left > 0 {
				left -= len(data[n])
				n++
			}
			if !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}

func (r *RTP) name() string       { return "RTSP" }
func (r *RTP) soundWaits() uint32 { return 0 }
func (r *RTP) patience() uint32   { return 0 }

func (r *RTP) carries(t *track) bool { return outputOf("rtsp").has(t.name) }

// open tells tracks that go on from those that a player was not told of.
func (r *RTP) open(video, audio *track) error {
	if video != r.video {
		r.record.clear()
	}
	for i, t := range []*track{video, audio} {
		if t == nil {
			continue
		}
		s := &r.tracks[i]
		as := t.name
		switch c := t.codec.(type) {
		case *codecs.MPEG4Audio:
			as += fmt.Sprint(c.Config)
		case *codecs.Opus:
			as += fmt.Sprint(min(c.ChannelCount, 2))
		}
		if s.as != "" && s.as != as && s.channel >= 0 {
			return &CodecError{"another codec than before", r.name()}
		}
		s.as, s.typ = as, rtpType(t)
	}
	r.video, r.audio = video, audio
	return nil
}

// rtpType is the payload type of a track's packets.
func rtpType(t *track) byte {
	switch t.name {
	case "h264", "hevc":
		return rtpVideoType
	case "mp3":
		return rtpMPEGType
	}
	return rtpAudioType
}

func (r *RTP) write(t *track, f frame) error {
	if t != r.video {
		r.sound(t, f)
		return nil
	}
	s := &r.tracks[0]
	if s.channel < 0 {
		return nil
	}
	units, ok := nalUnits(t, f)
	if !ok {
		return nil
	}
	at := max(f.at+f.offset, f.at)
	r.report(s, f.at, videoRate)
	from := len(r.out)
	for i, u := range units {
		r.unit(s, t.name == "hevc", uint32(at), u, i == len(units)-1)
	}
	r.record.add(recorded{at: f.at, lasts: f.length(), key: f.key, data: r.out[from:len(r.out):len(r.out)]})
	return nil
}

// packet begins one: its head, with room for what the payload begins with, which extra is.
func (r *RTP) packet(s *rtpTrack, at uint32, marker bool, extra []byte, payload [][]byte) {
	n := len(extra)
	for _, p := range payload {
		n += len(p)
	}
	room := rtpFrame + rtpHead + len(extra)
	if len(r.heads) < room {
		r.heads = make([]byte, rtpBlock)
	}
	h := r.heads[: rtpFrame+rtpHead : room]
	r.heads = r.heads[room:]
	h[0], h[1] = '$', byte(s.channel)
	binary.BigEndian.PutUint16(h[2:], uint16(rtpHead+n))
	h[4], h[5] = 2<<6, s.typ
	if marker {
		h[5] |= 0x80
	}
	binary.BigEndian.PutUint16(h[6:], s.seq)
	binary.BigEndian.PutUint32(h[8:], at)
	binary.BigEndian.PutUint32(h[12:], s.ssrc)
	s.seq++
	s.packets++
	s.octets += uint32(n)
	r.out = append(r.out, append(h, extra...))
	for _, p := range payload {
		r.out = append(r.out, p[:len(p):len(p)])
	}
}

// unit makes the packets of a NAL unit. last says that it is the picture's last one.
func (r *RTP) unit(s *rtpTrack, hevc bool, at uint32, unit [][]byte, last bool) {
	left := sizeOf(unit)
	if left <= rtpPayload {
		r.packet(s, at, last, nil, unit)
		return
	}
	in := unread{rest: unit}
	in.more()
	a, _ := in.number(1)
	extra := []byte{byte(a)&0xe0 | 28, byte(a) & 0x1f} // FU-A (RFC 6184, 5.8)
	if left--; hevc {
		b, _ := in.number(1)
		extra = []byte{byte(a)&0x81 | 49<<1, byte(b), byte(a) >> 1 & 0x3f} // FU (RFC 7798, 4.4.3)
		left--
	}
	fu := len(extra) - 1
	kind := extra[fu]
	for first := true; left > 0; first = false {
		n := min(left, rtpPayload-len(extra))
		left -= n
		extra[fu] = kind
		if first {
			extra[fu] |= 0x80
		}
		if left == 0 {
			extra[fu] |= 0x40
		}
		payload, _ := in.take(nil, n)
		r.packet(s, at, last && left == 0, extra, payload)
	}
}

func (r *RTP) sound(t *track, f frame) {
	s := &r.tracks[1]
	if s.channel < 0 {
		return
	}
	r.report(s, f.at, t.rate)
	at, size := f.at, sizeOf(f.data)
	switch t.name {
	case "opus":
		r.packet(s, uint32(at), false, nil, f.data)
		return
	case "mp3":
		at = at * videoRate / t.rate // whatever its sample rate (RFC 2250, 3)
	case "aac":
		if size >= 1<<13 {
			return // the length has no more bits
		}
	}
	in := unread{rest: f.data}
	for from := 0; from < size; {
		n := min(size-from, rtpPayload-rtpSoundHead)
		extra := make([]byte, 0, rtpSoundHead)
		if t.name == "aac" { // one header of 16 bits, with the length of the whole frame (RFC 3640, 3.2.1)
			extra = binary.BigEndian.AppendUint16(append(extra, 0, 16), uint16(size<<3))
		} else {
			extra = binary.BigEndian.AppendUint16(append(extra, 0, 0), uint16(from))
		}
		payload, _ := in.take(nil, n)
		from += n
		r.packet(s, uint32(at), t.name == "aac" && from == size, extra, payload)
	}
}

// rtpSoundHead is what is in front of AAC and of MP3 in a packet, in bytes.
const rtpSoundHead = 4

// report puts a sender report in front of a frame at that time, where one is due.
func (r *RTP) report(s *rtpTrack, at, rate int64) {
	if s.reports && at-s.reported < rtpReports*rate {
		return
	}
	s.reports, s.reported = true, at
	r.out = append(r.out, r.reportOf(s, at, rate))
}

// reportsOf are reports of both tracks, as of their newest.
func (r *RTP) reportsOf() (all net.Buffers) {
	for i, t := range []*track{r.video, r.audio} {
		if s := &r.tracks[i]; t != nil && s.reports && s.channel >= 0 {
			all = append(all, r.reportOf(s, s.reported, t.rate))
		}
	}
	return all
}

// reportOf is a sender report and a source's name (RFC 3550, 6.4.1 and 6.5): at that time of the track, in its
// rate, it was so late by the wall clock.
func (r *RTP) reportOf(s *rtpTrack, at, rate int64) []byte {
	const words, name = 6, "relay"
	wall := r.wall + at/rate*videoRate + at%rate*videoRate/rate
	ts := at
	if s.typ == rtpMPEGType {
		ts = at * videoRate / rate
	}
	b := []byte{'$', byte(s.channel + 1), 0, 0, 2 << 6, 200, 0, words}
	b = binary.BigEndian.AppendUint32(b, s.ssrc)
	b = binary.BigEndian.AppendUint32(b, uint32(wall/videoRate))
	b = binary.BigEndian.AppendUint32(b, uint32(wall%videoRate<<32/videoRate))
	b = binary.BigEndian.AppendUint32(b, uint32(ts))
	b = binary.BigEndian.AppendUint32(b, s.packets)
	b = binary.BigEndian.AppendUint32(b, s.octets)
	b = append(b, 2<<6|1, 202, 0, 3)
	b = binary.BigEndian.AppendUint32(b, s.ssrc)
	b = append(append(append(b, 1, byte(len(name))), name...), 0)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-rtpFrame))
	return b
}

// nalUnits are a picture's NAL units, each in its pieces, with the parameter sets in front of a key frame and without
// delimiters and what is empty. It reports false for a picture that is malformed.
func nalUnits(t *track, f frame) (units [][][]byte, ok bool) {
	if f.key {
		for _, u := range t.sets.Units {
			units = append(units, [][]byte{u})
		}
	}
	sets := len(units)
	for left := (unread{rest: f.data}); left.more(); {
		n, ok := left.number(t.sets.LenSize)
		if !ok || len(units) >= maxUnits {
			return nil, false
		}
		if n == 0 {
			continue
		}
		if !left.more() {
			return nil, false
		}
		head := left.first[0]
		unit, ok := left.take(nil, n)
		if !ok {
			return nil, false
		}
		if t.name == "hevc" && n < 2 || isDelimiter(t, head) {
			continue
		}
		units = append(units, unit)
	}
	return units, len(units) > sets
}

func isDelimiter(t *track, head byte) bool {
	if t.name == "hevc" {
		return head>>1&0x3f == delimiter265[0]>>1
	}
	return head&0x1f == delimiter264[0]
}
