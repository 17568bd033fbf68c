package remux

import (
	"fmt"
	"net"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/substructs"

	"relay/ingest/flv"
)

const (
	tsRate = 90000 // Hz
	// tsBase is added to all times, so that the clock reference, which runs ahead of
	// them, is not negative.
	tsBase = tsRate
	// tsMask leaves the 33 bits that a time has.
	tsMask = 1<<33 - 1
	// tsVideo and tsAudio are the tracks' PIDs, whether there is the other one or not.
	tsVideo, tsAudio = 256, 257
	tsLast           = tsAudio - tsVideo
	// tsTablesEvery and tsClockEvery are how many frames there are at most, of all tracks and of
	// the first one, until the tables come again, and the clock reference.
	tsTablesEvery, tsClockEvery = 40, 3
)

// TS is an MPEG transport stream (ISO/IEC 13818-1). Parameter sets stand in front of
// every picture to start at, so that it can be joined anywhere.
//
// It can be shared by any number of readers. What it returns, lists included, is the same for all
// of them and never changes: who writes a list out with [net.Buffers.WriteTo], which takes it
// apart, needs a copy of the list. The TS itself belongs to one goroutine at a time.
type TS struct {
	demux  demuxer
	tracks []*mpegts.Track // those in the tables, pictures first
	sound  tscodecs.Codec  // of the sound, nil if there is none
	video  *track          // nil if there are no pictures
	tables tsTables
	since  int              // frames since the tables
	clock  int              // frames of the first track until the next clock reference
	count  [tsLast + 1]byte // continuity counters of the tracks, from tsVideo on

	out    []byte // what has been made of the batch so far
	room   int    // about how long it gets, in bytes
	marks  []mark // pictures in out
	record record
	joined net.Buffers // what Join has made since the newest tags
}

// mark is where a picture is in what is being made.
type mark struct {
	recorded
	from, to int
}

// NewTS returns a TS that has had no tags yet.
func NewTS() *TS {
	t := &TS{}
	t.demux.to = t
	return t
}

// Convert takes the next tags and returns what they are in MPEG-TS,
// which may be nothing.
func (t *TS) Convert(batch flv.Batch) (net.Buffers, error) {
	t.joined = nil
	if batch.Start {
		t.record.begin()
	}
	t.room = len(t.tables.packets)
	for _, n := range batch.Lens {
		if n <= maxFrame {
			t.room += tsRoom(n)
		}
	}
	if err := t.demux.add(batch); err != nil {
		return nil, err
	}
	out := t.out
	if len(out) == 0 {
		return nil, nil
	}
	all := make(net.Buffers, 1+len(t.marks)) // the lists of what is recorded are behind the one that is returned
	all[0] = out
	for i, m := range t.marks {
		all[1+i] = out[m.from:m.to:m.to]
		m.data = all[1+i : 2+i : 2+i]
		t.record.add(m.recorded)
	}
	t.out, t.marks = nil, t.marks[:0]
	return all[:1:1], nil
}

// Join returns what a reader gets in front of what Convert returns next: the tables, and, if it is
// to catch up, the pictures since the newest batch that begins at a place to start, squashed. It
// returns nothing while there is nothing to describe. All who join between the same two batches get
// the same. Counters go on from it, but for the sound's, of which the reader has had nothing.
func (t *TS) Join(catchUp bool) (net.Buffers, error) {
	n := len(t.record.pictures)
	switch {
	case t.tables.packets == nil:
		return nil, nil
	case !catchUp || n == 0:
		return net.Buffers{t.tables.again(nil)}, nil
	case t.joined != nil:
		return t.joined, nil
	}
	own := t.tables.again(make([]byte, 0, len(t.tables.packets)+n*tsPacket))
	out := make(net.Buffers, 0, 2*n)
	from := 0
	for i, p := range t.record.pictures {
		first := len(own)
		packets := p.data[0]
		own = append(own, packets[:tsPacket]...)
		restamp(own[first:], tsTime(t.record.squashed(i), videoRate))
		if rest := packets[tsPacket:]; len(rest) > 0 {
			out = append(out, own[from:len(own):len(own)], rest)
			from = len(own)
		}
	}
	if from < len(own) {
		out = append(out, own[from:])
	}
	t.joined = out
	return out, nil
}

func (t *TS) name() string { return "MPEG-TS" }

func (t *TS) soundWaits() uint32 { return 0 } // a new table between two pictures is enough

func (t *TS) patience() uint32 { return 0 } // players go on with what there is

// leastMPEG1 is the lowest sample rate of MPEG-1 audio, in Hz (ISO/IEC 11172-3, 2.4.2.3). Those of
// MPEG-2 are half of MPEG-1's.
const leastMPEG1 = 32000

func (t *TS) carries(tr *track) bool { return outputOf("ts").has(tr.name) && tsCodec(tr) != nil }

func tsCodec(t *track) tscodecs.Codec {
	switch c := t.codec.(type) {
	case *codecs.H264:
		return &tscodecs.H264{}
	case *codecs.H265:
		return &tscodecs.H265{}
	case *codecs.MPEG4Audio:
		return &tscodecs.MPEG4Audio{Config: c.Config}
	case *codecs.MPEG1Audio:
		if c.SampleRate < leastMPEG1 {
			return nil // MPEG-2's, which the library does not write
		}
		return &tscodecs.MPEG1Audio{}
	case *codecs.Opus:
		if c.ChannelCount > 2 { // the mapping is not kept
			return nil
		}
		return &tscodecs.Opus{Desc: &substructs.OpusAudioDescriptor{ChannelConfigCode: uint8(c.ChannelCount)}}
	}
	return nil
}

func (t *TS) open(video, audio *track) error {
	if video != t.video {
		t.record.clear()
		t.marks = t.marks[:0]
	}
	t.video, t.sound = video, nil
	var tracks []*mpegts.Track
	if video != nil {
		tracks = append(tracks, &mpegts.Track{PID: tsVideo, Codec: tsCodec(video)})
	}
	if audio != nil {
		t.sound = tsCodec(audio)
		tracks = append(tracks, &mpegts.Track{PID: tsAudio, Codec: t.sound})
	}
	if sameCodecs(t.tracks, tracks) {
		return nil // only parameters have changed, and those are in band
	}
	t.tracks, t.since, t.clock = tracks, tsTablesEvery, 0
	return t.tables.describe(tracks)
}

func sameCodecs(a, b []*mpegts.Track) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if fmt.Sprintf("%T", a[i].Codec) != fmt.Sprintf("%T", b[i].Codec) {
			return false
		}
	}
	return true
}

// tsTime is a time of a track as a transport stream has it.
func tsTime(at, rate int64) int64 { return (at*tsRate/rate + tsBase) & tsMask }

func (t *TS) write(tr *track, f frame) error {
	p := pes{decoded: tsTime(f.at, tr.rate)}
	p.shown = p.decoded
	var data [][]byte
	switch tr.name {
	case "h264", "hevc":
		var random bool
		if data, random = annexB(tr, f); data == nil {
			return nil
		}
		p.pid, p.stream, p.random, p.shown = tsVideo, streamVideo, f.key || random, tsTime(max(f.at+f.offset, f.at), tr.rate)
	default:
		sound, err := soundData(t.sound, f.data[0])
		if err != nil {
			return fmt.Errorf("write MPEG-TS: %w", err)
		}
		p.pid, p.stream, p.random, data = tsAudio, streamAudio, true, f.data
		data[0] = sound
	}
	// No more than it takes: append would double what may be megabytes.
	if room := len(t.out) + tsRoom(sizeOf(data)) + len(t.tables.packets); room > cap(t.out) {
		t.out = append(make([]byte, 0, max(room, t.room)), t.out...)
	}
	p.clocked = t.clocked(p)
	if t.since++; t.since >= tsTablesEvery || p.random && p.pid == tsVideo {
		t.out, t.since = t.tables.append(t.out), 0
	}
	from := len(t.out)
	t.out = p.append(t.out, data, &t.count[p.pid-tsVideo])
	if p.pid == tsVideo {
		t.marks = append(t.marks, mark{recorded{at: f.at, lasts: f.length(), key: f.key}, from, len(t.out)})
	}
	return nil
}

// tsRoom is how many bytes a frame of n takes at most.
func tsRoom(n int) int { return (n/(tsPacket-tsHeadLen) + 2) * tsPacket }

// clocked reports whether the clock reference goes with a frame.
func (t *TS) clocked(p pes) bool {
	if p.pid != t.tracks[0].PID {
		return false
	}
	due := t.clock == 0 || p.random && p.pid == tsVideo
	if due {
		t.clock = tsClockEvery
	}
	t.clock--
	return due
}

// soundData is a frame of sound as a transport stream has it.
func soundData(codec tscodecs.Codec, frame []byte) ([]byte, error) {
	switch c := codec.(type) {
	case *tscodecs.MPEG4Audio:
		return mpeg4audio.ADTSPackets{{
			Type: c.Type, SampleRate: c.SampleRate, ChannelConfig: c.ChannelConfig, AU: frame,
		}}.Marshal()
	case *tscodecs.Opus:
		unit := substructs.OpusAccessUnit{ControlHeader: substructs.OpusControlHeader{PayloadSize: len(frame)}, Packet: frame}
		b := make([]byte, unit.MarshalSize())
		_, err := unit.MarshalTo(b)
		return b, err
	}
	return frame, nil
}
