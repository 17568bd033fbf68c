package remux

import (
	"fmt"
	"net"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
)

// fragmenter makes fragmented MP4 (ISO/IEC 14496-12, 8.8) of frames: ftyp and moov when it is
// opened, and a moof and mdat of all frames since when it is flushed. Video is track 1, audio
// track 2. Its zero value is ready to be opened.
type fragmenter struct {
	video, audio *track
	seq          uint32
	runs         [2]mp4Run // of video and of audio; id 0 for none
	out          net.Buffers
	init         []byte // ftyp and moov, as they are now
	opens        int    // how often the tracks have been described
}

// videoID is the ID of the track of pictures.
const videoID = 1

// mp4Run is one track of the fragment to come.
type mp4Run struct {
	run
	newest int64 // time of the newest sample
}

func (m *fragmenter) open(video, audio *track) error {
	if err := m.flush(); err != nil {
		return err
	}
	m.video, m.audio = video, audio
	var init fmp4.Init
	for i, t := range []*track{video, audio} {
		m.runs[i] = mp4Run{}
		if t == nil {
			continue
		}
		m.runs[i].id = uint32(videoID + i)
		init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: videoID + i, TimeScale: uint32(t.rate), Codec: t.codec})
	}
	var b seekablebuffer.Buffer
	if err := init.Marshal(&b); err != nil {
		return fmt.Errorf("write moov: %w", err)
	}
	m.init = b.Bytes()
	if video != nil && video.name == "hevc" {
		mendHEVC(m.init, video.raw)
	}
	m.out = append(m.out, m.init)
	m.opens++
	return nil
}

func (m *fragmenter) write(t *track, f frame) error {
	if m.opens > 1 && f.key && len(t.sets.Units) > 0 {
		// ffmpeg, and what is made of it, passes over a second moov.
		f.data = slices.Concat([][]byte{t.sets.Framed()}, f.data)
	}
	r := &m.runs[0]
	if t == m.audio {
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
	r.samples = append(r.samples, sample{duration: uint32(f.length()), offset: int32(f.offset), key: f.key, data: f.data, size: sizeOf(f.data)})
	r.newest = f.at
	return nil
}

// flush makes a fragment of the frames so far.
func (m *fragmenter) flush() error {
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
	if m.out == nil {
		m.out = b
		return nil
	}
	m.out = append(m.out, b...)
	return nil
}

// take returns what has been made so far, and forgets it.
func (m *fragmenter) take() net.Buffers {
	out := m.out
	m.out = nil
	return out
}
