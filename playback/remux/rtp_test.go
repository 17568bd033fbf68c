package remux

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpmpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"relay/ingest/flv"
)

// rtpReader reads packets as players do, and fails where one is missing, too long or malformed.
type rtpReader struct {
	t       *testing.T
	seq     map[byte]uint16
	h264    *rtph264.Decoder
	aac     *rtpmpeg4audio.Decoder
	units   [][]byte // of pictures
	shown   []uint32 // when each picture is
	frames  [][]byte // of sound
	heard   []uint32
	reports int
	wall    map[byte]time.Duration // how far the wall clock is from the track's
}

func newRTPReader(t *testing.T) *rtpReader {
	return &rtpReader{
		t: t, seq: map[byte]uint16{}, wall: map[byte]time.Duration{}, h264: &rtph264.Decoder{PacketizationMode: 1},
		aac: &rtpmpeg4audio.Decoder{SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3},
	}
}

func (r *rtpReader) read(out net.Buffers) {
	r.t.Helper()
	for b := bytes.Join(out, nil); len(b) > 0; {
		n := 4 + int(binary.BigEndian.Uint16(b[2:]))
		if b[0] != '$' || n > len(b) || n > rtpFrame+rtpHead+rtpPayload {
			r.t.Fatalf("a packet of %d bytes, of %d: %x", n, len(b), b[:4])
		}
		r.packet(b[1], b[4:n])
		b = b[n:]
	}
}

func (r *rtpReader) packet(channel byte, b []byte) {
	r.t.Helper()
	if channel%2 == 1 {
		all, err := rtcp.Unmarshal(b)
		sr, ok := all[0].(*rtcp.SenderReport)
		if err != nil || !ok || len(all) != 2 {
			r.t.Fatal(all, err)
		}
		rate := map[byte]uint64{1: 90000, 3: 48000}[channel]
		wall := time.Duration(sr.NTPTime>>32)*time.Second + time.Duration((sr.NTPTime&0xffffffff)*1e9>>32)
		of := wall - time.Duration(uint64(sr.RTPTime)*1e9/rate)
		if was, ok := r.wall[channel]; ok && (was-of).Abs() > time.Millisecond {
			r.t.Fatalf("channel %d is reported at %v, and before at %v", channel, of, was)
		}
		r.wall[channel] = of
		r.reports++
		return
	}
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil {
		r.t.Fatal(err)
	}
	if last, ok := r.seq[channel]; ok && p.SequenceNumber != last+1 {
		r.t.Fatalf("packet %d of channel %d is behind %d", p.SequenceNumber, channel, last)
	}
	r.seq[channel] = p.SequenceNumber
	if channel == 0 {
		units, err := r.h264.Decode(&p)
		if err == nil {
			r.units, r.shown = append(r.units, units...), append(r.shown, p.Timestamp)
		} else if err != rtph264.ErrMorePacketsNeeded {
			r.t.Fatal(err)
		}
		return
	}
	frames, err := r.aac.Decode(&p)
	if err != nil {
		r.t.Fatal(err)
	}
	for range frames {
		r.heard = append(r.heard, p.Timestamp)
	}
	r.frames = append(r.frames, frames...)
}

// All NAL units and frames of a stream are in the packets, in order and at their times, however the tags are cut.
func TestRTPHasAllFrames(t *testing.T) {
	for _, name := range []string{"demo.flv", "video.flv"} {
		_, tags := clip(t, name)
		rnd := rand.New(rand.NewPCG(1, 2))
		r, c := newRTPReader(t), NewRTP(0, 2, time.Unix(0, 0))
		for _, b := range batches(rnd, tags) {
			out, err := c.Convert(b)
			if err != nil {
				t.Fatal(err)
			}
			r.read(out)
		}
		var units, frames [][]byte
		var shown []uint32
		var sets [][]byte
		for _, tag := range tags {
			coded, ok := flv.Decode(tag)
			switch {
			case !ok:
			case coded.Config && tag.Type() == flv.Video:
				p, _ := coded.ParameterSets()
				sets = p.Units
			case coded.Config:
			case tag.Type() == flv.Audio:
				frames = append(frames, coded.Data)
			default:
				shown = append(shown, (tag.Timestamp()+uint32(coded.Offset))*90)
				if coded.Key {
					units = append(units, sets...)
				}
				for b := coded.Data; len(b) > 0; {
					n := 4 + binary.BigEndian.Uint32(b)
					if b[4] != 9 {
						units = append(units, b[4:n])
					}
					b = b[n:]
				}
			}
		}
		for i, u := range r.units {
			if u[0]&0x1f == 5 && i >= 2 && r.units[i-1][0]&0x1f == 8 && !bytes.Equal(r.units[i-1], sets[1]) || i == 0 && !bytes.Equal(u, sets[0]) {
				t.Fatalf("%s: a key frame without its parameter sets", name)
			}
		}
		isSet := func(u []byte) bool { return u[0]&0x1f == 7 || u[0]&0x1f == 8 } // they stand in front of all places to start
		r.units, units = slices.DeleteFunc(r.units, isSet), slices.DeleteFunc(units, isSet)
		if !slices.EqualFunc(r.units, units, bytes.Equal) || !slices.EqualFunc(r.frames, frames, bytes.Equal) {
			t.Errorf("%s: %d units and %d frames, want %d and %d", name, len(r.units), len(r.frames), len(units), len(frames))
		}
		if len(shown) != len(r.shown) {
			t.Fatalf("%s: %d pictures, want %d", name, len(r.shown), len(shown))
		}
		for i := range shown {
			if d := int32(r.shown[i]-shown[i]) - int32(r.shown[0]-shown[0]); d > 180 || d < -180 {
				t.Fatalf("%s: picture %d is shown at %d, want %d", name, i, r.shown[i], shown[i])
			}
		}
		if v, a := r.wall[1], r.wall[3]; a != 0 && (v-a).Abs() > 25*time.Millisecond { // half a frame of sound
			t.Errorf("%s: sound is reported %v from pictures", name, v-a)
		}
	}
}

// Who joins gets reports, then the pictures since the key frame in packets whose numbers lead up to what comes next; and
// what others have got stays what it was.
func TestRTPCanBeJoinedAnywhere(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	rnd := rand.New(rand.NewPCG(3, 4))
	c := NewRTP(0, 2, time.Unix(0, 0))
	type player struct {
		*rtpReader
		began int
	}
	var players []player
	var before, was [][]byte
	all := batches(rnd, tags)
	for i, b := range all {
		if i > 20 && rnd.IntN(10) == 0 {
			for _, catchUp := range []bool{true, false} {
				out, err := c.Join(catchUp)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := c.Join(catchUp)
				if !bytes.Equal(bytes.Join(out, nil), bytes.Join(again, nil)) {
					t.Fatal("who joins at the same time gets something else")
				}
				p := player{newRTPReader(t), len(players)}
				p.read(out)
				if catchUp && len(p.units) > 0 && p.units[0][0]&0x1f != 7 {
					t.Fatalf("it begins with a unit of type %d", p.units[0][0]&0x1f)
				}
				if p.reports != 2 {
					t.Fatalf("%d reports", p.reports)
				}
				if !slices.IsSortedFunc(p.shown, func(a, b uint32) int { return int(int32(a - b)) }) {
					t.Fatal("squashed pictures go back")
				}
				if catchUp {
					players = append(players, p)
				}
			}
		}
		out, err := c.Convert(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			before, was = append(before, o), append(was, bytes.Clone(o))
		}
		for _, p := range players {
			p.read(out)
		}
	}
	if len(players) < 5 {
		t.Fatalf("%d players", len(players))
	}
	for i := range before {
		if !bytes.Equal(before[i], was[i]) {
			t.Fatal("what has gone out has changed")
		}
	}
}

// A player that was told of other tracks cannot go on.
func TestRTPEndsWhereItsTracksChange(t *testing.T) {
	s := samples(t)
	c := NewRTP(0, 2, time.Unix(0, 0))
	if _, err := c.Convert(flv.BatchOf(made(s["h264"], s["aac"])...)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Convert(flv.BatchOf(made(s["h264"], s["opus"])...)); err == nil {
		t.Error("sound is another now, and nobody was told")
	}
}

func TestSDPSaysWhatThereIs(t *testing.T) {
	s := samples(t)
	for _, c := range []struct {
		tags            []flv.Tag
		pictures, sound bool
		has             string
	}{
		{made(s["h264"], s["aac"]), true, true, "a=rtpmap:96 H264/90000\r\n"},
		{made(s["h264"], s["opus"]), true, true, "a=rtpmap:97 opus/48000/2\r\n"},
		{made(s["h264"], s["mp3"]), true, true, "m=audio 0 RTP/AVP 14\r\n"},
		{nil, false, false, "v=0\r\n"},
	} {
		sdp, err := SDPOf(flv.BatchOf(c.tags...))
		if err != nil || sdp.Pictures != c.pictures || sdp.Sound != c.sound || !bytes.Contains(sdp.Text, []byte(c.has)) {
			t.Errorf("%+v %s, want %+v; %v", sdp, sdp.Text, c, err)
		}
	}
	if sdp, err := SDPOf(flv.BatchOf(made(s["av1"], s["aac"])...)); err == nil {
		t.Errorf("AV1 is described: %s", sdp.Text)
	}
}
