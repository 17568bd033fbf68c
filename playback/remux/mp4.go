package remux

import (
	"fmt"
	"net"
	"slices"

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
//
// It can be shared by any number of readers. What it returns, lists included, is the same for all
// of them and never changes: who writes a list out with [net.Buffers.WriteTo], which takes it
// apart, needs a copy of the list. The MP4 itself belongs to one goroutine at a time.
type MP4 struct {
	demux demuxer
	fragmenter
	record record
	joined net.Buffers // what Join has made since the newest tags
}

// NewMP4 returns an MP4 that has had no tags yet.
func NewMP4() *MP4 {
	m := &MP4{}
	m.demux.to = m
	return m
}

// Convert takes the next tags and returns what they are in MP4,
// which may be nothing. The bytes are shared with the tags.
func (m *MP4) Convert(batch flv.Batch) (net.Buffers, error) {
	m.joined = nil
	if batch.Start {
		m.record.begin()
	}
	if err := m.demux.add(batch); err != nil {
		return nil, err
	}
	if err := m.flush(); err != nil {
		return nil, err
	}
	return m.take(), nil
}

// Join returns what a reader gets in front of what Convert returns next: ftyp and moov, and, if it
// is to catch up, a fragment of the pictures since the newest batch that begins at a place to
// start, squashed. It returns nothing while there is nothing to describe. All who join between the
// same two batches get the same.
func (m *MP4) Join(catchUp bool) (net.Buffers, error) {
	switch {
	case m.init == nil:
		return nil, nil
	case !catchUp || len(m.record.pictures) == 0:
		return net.Buffers{m.init}, nil
	case m.joined == nil:
		b := fragment(m.seq-1, []run{m.record.run()})
		if b == nil {
			return nil, fmt.Errorf("write moof: more than %d bytes at once", maxFragment)
		}
		m.joined = append(net.Buffers{m.init}, b...)
	}
	return m.joined, nil
}

// run is the squashed pictures as one track of a fragment.
func (r *record) run() run {
	all := run{id: videoID, base: uint64(r.squashed(0)), samples: make([]sample, len(r.pictures))}
	for i, p := range r.pictures {
		lasts := p.lasts
		if i+1 < len(r.pictures) {
			lasts = r.squashed(i+1) - r.squashed(i)
		}
		all.samples[i] = sample{duration: uint32(lasts), key: p.key, data: p.data, size: sizeOf(p.data)}
	}
	return all
}

func (m *MP4) open(video, audio *track) error {
	if video != m.video {
		m.record.clear()
	}
	return m.fragmenter.open(video, audio)
}

func (m *MP4) write(t *track, f frame) error {
	f.data = slices.Clone(f.data)
	if t == m.video {
		m.record.add(recorded{at: f.at, lasts: f.length(), key: f.key, data: f.data})
	}
	return m.fragmenter.write(t, f)
}

func (m *MP4) name() string { return "MP4" }

func (m *MP4) soundWaits() uint32 { return mp4SoundWaits }

func (m *MP4) patience() uint32 { return mp4Patience }

func (m *MP4) carries(t *track) bool { return outputOf("mp4").has(t.name) }
