package remux

import (
	"bytes"
	"fmt"
	"net"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
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
	// maxUnits bounds the NAL units of one picture: several hundred slices are the
	// most a level allows.
	maxUnits = 1024
)

// TS is an MPEG transport stream (ISO/IEC 13818-1). Parameter sets stand in front of
// every picture to start at, so that it can be joined anywhere.
type TS struct {
	demux demuxer
	buf   bytes.Buffer
	mux   *mpegts.Writer
	video *mpegts.Track
	audio *mpegts.Track
	count tsCounters
	done  int // bytes of buf that are numbered
}

// NewTS returns a TS that has had no tags yet.
func NewTS() *TS {
	t := &TS{}
	t.demux.to = t
	return t
}

// Convert takes the next tags and returns what they are in MPEG-TS,
// which may be nothing. The result is the caller's.
func (t *TS) Convert(batch flv.Batch) (net.Buffers, error) {
	if err := t.demux.add(batch); err != nil {
		return nil, err
	}
	if t.buf.Len() == 0 {
		return nil, nil
	}
	t.number()
	out := net.Buffers{t.buf.Bytes()}
	t.buf, t.done = bytes.Buffer{}, 0 // one that is used again stays as large as a squashed start
	return out, nil
}

// number numbers the packets so far, and gives their tables the version in force.
func (t *TS) number() {
	t.count.number(t.buf.Bytes()[t.done:])
	t.done = t.buf.Len()
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
	was := t.mux
	t.mux, t.video, t.audio = &mpegts.Writer{W: &t.buf}, nil, nil
	if video != nil {
		t.video = &mpegts.Track{PID: tsVideo, Codec: tsCodec(video)}
		t.mux.Tracks = append(t.mux.Tracks, t.video)
	}
	if audio != nil {
		t.audio = &mpegts.Track{PID: tsAudio, Codec: tsCodec(audio)}
		t.mux.Tracks = append(t.mux.Tracks, t.audio)
	}
	if was != nil && sameCodecs(was.Tracks, t.mux.Tracks) {
		// Only parameters have changed, and those are in band.
		for i, old := range was.Tracks {
			old.Codec = t.mux.Tracks[i].Codec
		}
		if video != nil {
			t.video = was.Tracks[0]
		}
		if audio != nil {
			t.audio = was.Tracks[len(was.Tracks)-1]
		}
		t.mux = was
		return nil
	}
	t.number()
	if was != nil {
		t.count.version++
	}
	if err := t.mux.Initialize(); err != nil {
		return fmt.Errorf("write MPEG-TS: %w", err)
	}
	return nil
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

func (t *TS) write(tr *track, f frame) error {
	at := (f.at*tsRate/tr.rate + tsBase) & tsMask
	show := (max(f.at+f.offset, f.at)*tsRate/tr.rate + tsBase) & tsMask
	var err error
	switch tr.name {
	case "h264", "hevc":
		units := picture(tr, f)
		if len(units) == 0 {
			return nil
		}
		if tr.name == "h264" {
			err = t.mux.WriteH264(t.video, show, at, units)
		} else {
			err = t.mux.WriteH265(t.video, show, at, units)
		}
	case "aac":
		err = t.mux.WriteMPEG4Audio(t.audio, at, [][]byte{f.data})
	case "mp3":
		err = t.mux.WriteMPEG1Audio(t.audio, at, [][]byte{f.data})
	case "opus":
		err = t.mux.WriteOpus(t.audio, at, [][]byte{f.data})
	}
	if err != nil {
		return fmt.Errorf("write MPEG-TS: %w", err)
	}
	return nil
}

// picture returns a picture's NAL units, none if it is malformed, with the parameter
// sets in front of one to start at.
func picture(t *track, f frame) [][]byte {
	var units [][]byte
	if f.key {
		units = append(units, t.sets.Units...)
	}
	sets := len(units)
	for b := f.data; len(b) > 0; {
		if len(b) < t.sets.LenSize || len(units) == maxUnits {
			return nil
		}
		n := 0
		for _, c := range b[:t.sets.LenSize] {
			n = n<<8 | int(c)
		}
		b = b[t.sets.LenSize:]
		if n > len(b) {
			return nil
		}
		if n > 0 {
			units = append(units, b[:n])
		}
		b = b[n:]
	}
	if len(units) == sets {
		return nil
	}
	if d := units[sets]; t.name == "h264" && h264.NALUType(d[0]&0x1f) == h264.NALUTypeAccessUnitDelimiter {
		// It must be the first of all.
		units = append([][]byte{d}, append(units[:sets:sets], units[sets+1:]...)...)
	}
	return units
}
