package remux

import (
	"net"

	"relay/ingest/flv"
)

// mp4SoundWaits is how long sound waits that comes after the first picture: the tracks are
// described anew for it, best where a decoder can begin. In milliseconds.
const mp4SoundWaits = 4000

// mp4Patience is how long a browser is left with a track that brings nothing: it stops where one
// of its tracks does. In milliseconds.
const mp4Patience = 3000

// MP4 is a stream of fragmented MP4: ftyp and moov, then one moof and mdat for each batch of
// tags. When the tracks change, ftyp and moov come again; times go on across all of it.
type MP4 struct {
	demux demuxer
	fragmenter
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
	return m.take(), nil
}

func (m *MP4) name() string { return "MP4" }

func (m *MP4) soundWaits() uint32 { return mp4SoundWaits }

func (m *MP4) patience() uint32 { return mp4Patience }

func (m *MP4) carries(t *track) bool { return outputOf("mp4").has(t.name) }
