package remux

import (
	"fmt"
	"net"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
)

const (
	// defaultHz is how many pictures a second there are where nothing tells.
	defaultHz = 30
	// likelyHz and leastHz bound a frame rate that is believed.
	likelyHz, leastHz = 240, 1
)

// MP4 is a stream of fragmented MP4 (ISO/IEC 14496-12, 8.8): ftyp and moov, then one
// moof and mdat for each batch of tags. When the tracks change, ftyp and moov come
// again. Video is track 1, audio track 2; times go on across all of it.
type MP4 struct {
	demux demuxer
	seq   uint32
	parts map[*track]*mp4Part
	order []*track
	out   net.Buffers
}

// mp4Part is one track of the fragment to come.
type mp4Part struct {
	fmp4.PartTrack
	newest int64 // time of the newest sample
}

// NewMP4 returns an MP4 that has had no tags yet.
func NewMP4() *MP4 {
	m := &MP4{parts: make(map[*track]*mp4Part)}
	m.demux.to = m
	return m
}

// Convert takes the next tags, in whatever pieces, and returns what they are in MP4,
// which may be nothing. The result is the caller's.
func (m *MP4) Convert(batch net.Buffers) (net.Buffers, error) {
	if err := m.demux.feed(batch); err != nil {
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

func (m *MP4) carries(*track) bool { return true }

func (m *MP4) open(video, audio *track) error {
	if err := m.flush(); err != nil {
		return err
	}
	clear(m.parts)
	m.order = nil
	var init fmp4.Init
	for i, t := range []*track{video, audio} {
		if t == nil {
			continue
		}
		m.order = append(m.order, t)
		m.parts[t] = &mp4Part{PartTrack: fmp4.PartTrack{ID: i + 1}}
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: i + 1, TimeScale: uint32(t.rate), Codec: t.codec})
	}
	var b seekablebuffer.Buffer
	if err := init.Marshal(&b); err != nil {
		return fmt.Errorf("write moov: %w", err)
	}
	m.out = append(m.out, b.Bytes())
	return nil
}

func (m *MP4) write(t *track, f frame) error {
	p := m.parts[t]
	if n := len(p.Samples); n > 0 {
		last := p.Samples[n-1]
		if f.samples == 0 {
			last.Duration = uint32(f.at - p.newest) // it was a guess
		} else if p.newest+int64(last.Duration) != f.at {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
	if len(p.Samples) == 0 {
		p.BaseTime = uint64(f.at)
	}
	s := &fmp4.Sample{Duration: uint32(f.samples), PTSOffset: int32(f.offset), IsNonSyncSample: !f.key, Payload: f.data}
	if f.samples == 0 {
		s.Duration = uint32(videoRate / m.hz())
	}
	p.Samples = append(p.Samples, s)
	p.newest = f.at
	return nil
}

func (m *MP4) hz() float64 {
	if hz := m.demux.hz; hz >= leastHz && hz <= likelyHz {
		return hz
	}
	return defaultHz
}

// flush writes a fragment of the frames so far.
func (m *MP4) flush() error {
	part := fmp4.Part{SequenceNumber: m.seq}
	for _, t := range m.order {
		if p := m.parts[t]; len(p.Samples) > 0 {
			part.Tracks = append(part.Tracks, &p.PartTrack)
		}
	}
	if len(part.Tracks) == 0 {
		return nil
	}
	m.seq++
	var b seekablebuffer.Buffer
	if err := part.Marshal(&b); err != nil {
		return fmt.Errorf("write moof: %w", err)
	}
	for _, p := range part.Tracks {
		p.Samples = nil
	}
	m.out = append(m.out, b.Bytes())
	return nil
}
