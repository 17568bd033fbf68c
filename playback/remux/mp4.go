package remux

import (
	"fmt"
	"net"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"relay/ingest/flv"
)

const (
	// defaultHz is how many pictures a second there are where nothing tells.
	defaultHz = 30
	// likelyHz and leastHz bound a frame rate that is believed.
	likelyHz, leastHz = 240, 1
	// mp4SoundWaits is how long sound waits that comes after the first picture: the tracks are
	// described anew for it, best where a decoder can begin. In milliseconds.
	mp4SoundWaits = 4000
)

// MP4 is a stream of fragmented MP4 (ISO/IEC 14496-12, 8.8): ftyp and moov, then one
// moof and mdat for each batch of tags. When the tracks change, ftyp and moov come
// again. Video is track 1, audio track 2; times go on across all of it.
type MP4 struct {
	demux demuxer
	seq   uint32
	runs  [2]mp4Run // of video and of audio; id 0 for none
	out   net.Buffers
	opens int // how often the tracks have been described
}

// mp4Run is one track of the fragment to come.
type mp4Run struct {
	run
	newest int64 // time of the newest sample
}

// NewMP4 returns an MP4 that has had no tags yet.
func NewMP4() *MP4 {
	m := &MP4{}
	m.demux.to = m
	return m
}

// Convert takes the next tags and returns what they are in MP4,
// which may be nothing. The list is the caller's, and the bytes are shared with the
// tags: they must not be changed.
func (m *MP4) Convert(batch flv.Batch) (net.Buffers, error) {
	if err := m.demux.add(batch); err != nil {
		return nil, err
	}
	if err := m.flush(); err != nil {
		return nil, err
	}
	out := m.out
	m.out = nil
	return out, nil
}

func (m *MP4) name() string { return "MP4" }

func (m *MP4) soundWaits() uint32 { return mp4SoundWaits }

func (m *MP4) carries(*track) bool { return true }

func (m *MP4) open(video, audio *track) error {
	if err := m.flush(); err != nil {
		return err
	}
	var init fmp4.Init
	for i, t := range []*track{video, audio} {
		m.runs[i] = mp4Run{}
		if t == nil {
			continue
		}
		m.runs[i].id = uint32(i + 1)
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: i + 1, TimeScale: uint32(t.rate), Codec: t.codec})
	}
	var b seekablebuffer.Buffer
	if err := init.Marshal(&b); err != nil {
		return fmt.Errorf("write moov: %w", err)
	}
	m.out = append(m.out, b.Bytes())
	m.opens++
	return nil
}

func (m *MP4) write(t *track, f frame) error {
	if m.opens > 1 && f.key && len(t.sets.Units) > 0 {
		// ffmpeg, and what is made of it, passes over a second moov.
		f.data = slices.Concat(t.sets.Framed(), f.data)
	}
	r := &m.runs[0]
	if t == m.demux.audio {
		r = &m.runs[1]
	}
	if n := len(r.samples); n > 0 {
		last := &r.samples[n-1]
		if f.samples == 0 {
			last.duration = uint32(f.at - r.newest) // it was a guess
		} else if r.newest+int64(last.duration) != f.at {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	if len(r.samples) == 0 {
		r.base = uint64(f.at)
	}
	s := sample{duration: uint32(f.samples), offset: int32(f.offset), key: f.key, data: f.data}
	if f.samples == 0 {
		s.duration = uint32(videoRate / m.hz())
	}
	r.samples = append(r.samples, s)
	r.newest = f.at
	return nil
}

func (m *MP4) hz() float64 {
	if hz := m.demux.hz; hz >= leastHz && hz <= likelyHz {
		return hz
	}
	return defaultHz
}

// flush makes a fragment of the frames so far.
func (m *MP4) flush() error {
	runs := make([]run, 0, len(m.runs))
	for i := range m.runs {
		if r := &m.runs[i]; len(r.samples) > 0 {
			runs = append(runs, r.run)
			// What is kept for the next would keep the frames of a squashed start, too.
			r.samples = nil
		}
	}
	if len(runs) == 0 {
		return nil
	}
	b := fragment(m.seq, runs)
	if b == nil {
		return fmt.Errorf("write moof: more than %d bytes at once", maxFragment)
	}
	m.seq++
	m.out = append(m.out, b...)
	return nil
}
