package remux

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	hlscodecs "github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

const (
	// hlsSegments is how many segments are kept, and hlsSegment how long each is at
	// least: players buffer three.
	hlsSegments = 7
	hlsSegment  = time.Second
	// hlsSegmentBytes bounds a segment: 10 s at 12 Mb/s. The encoder that never sends
	// a keyframe has its HLS ended, not the node's memory.
	hlsSegmentBytes = 16 << 20
)

// HLS is a channel as HTTP Live Streaming (RFC 8216) with segments in MP4. Unlike the
// other containers it is shared by all who ask. It is safe for concurrent use, but
// for Write.
type HLS struct {
	demux demuxer

	mu     sync.Mutex
	mux    *gohlslib.Muxer
	closed bool
	ready  chan struct{} // closed once there is a muxer

	video, audio *gohlslib.Track
}

// NewHLS returns one that has had no tags yet. It needs a [HLS.Close].
func NewHLS() *HLS {
	h := &HLS{ready: make(chan struct{})}
	h.demux.to = h
	return h
}

// Write takes the next tags.
func (h *HLS) Write(batch flv.Batch) error {
	return h.demux.add(batch)
}

// ServeHTTP answers for index.m3u8 and what that names, by the last part of the path.
// It waits until there is something to answer, or the request's context ends.
func (h *HLS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.ready:
	case <-r.Context().Done():
		return
	}
	h.mu.Lock()
	mux := h.mux
	h.mu.Unlock()
	if mux == nil {
		http.Error(w, "There is no HLS of this channel any more.", http.StatusNotFound)
		return
	}
	mux.Handle(w, r)
}

// Close ends it, and with it the requests that wait.
func (h *HLS) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mux != nil {
		h.mux.Close()
		h.mux = nil
	} else if !h.closed {
		close(h.ready)
	}
	h.closed = true
}

func (h *HLS) name() string { return "HLS" }

// soundWaits is longer than any key frame takes: a segment begins with one.
func (h *HLS) soundWaits() uint32 { return math.MaxInt32 }

func (h *HLS) carries(t *track) bool { return hlsCodec(t) != nil }

func hlsCodec(t *track) hlscodecs.Codec {
	switch c := t.codec.(type) {
	case *codecs.H264:
		return &hlscodecs.H264{SPS: c.SPS, PPS: c.PPS}
	case *codecs.H265:
		return &hlscodecs.H265{VPS: c.VPS, SPS: c.SPS, PPS: c.PPS}
	case *codecs.AV1:
		return &hlscodecs.AV1{SequenceHeader: c.SequenceHeader}
	case *codecs.VP9:
		return &hlscodecs.VP9{
			Width: c.Width, Height: c.Height, Profile: c.Profile, BitDepth: c.BitDepth,
			ChromaSubsampling: c.ChromaSubsampling, ColorRange: c.ColorRange,
		}
	case *codecs.MPEG4Audio:
		return &hlscodecs.MPEG4Audio{Config: c.Config}
	case *codecs.Opus:
		return &hlscodecs.Opus{ChannelCount: c.ChannelCount}
	}
	return nil
}

func (h *HLS) open(video, audio *track) error {
	mux := &gohlslib.Muxer{
		Variant: gohlslib.MuxerVariantFMP4, SegmentCount: hlsSegments, SegmentMinDuration: hlsSegment,
		SegmentMaxSize: hlsSegmentBytes, OnEncodeError: func(error) {}, // of single frames, which are left out
	}
	h.video, h.audio = nil, nil
	if video != nil {
		h.video = &gohlslib.Track{Codec: hlsCodec(video), ClockRate: videoRate}
		mux.Tracks = append(mux.Tracks, h.video)
	}
	if audio != nil {
		h.audio = &gohlslib.Track{Codec: hlsCodec(audio), ClockRate: int(audio.rate)}
		mux.Tracks = append(mux.Tracks, h.audio)
	}
	if err := mux.Start(); err != nil {
		return fmt.Errorf("begin HLS: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		mux.Close()
		return http.ErrServerClosed
	}
	if h.mux == nil {
		close(h.ready)
	} else {
		h.mux.Close()
	}
	h.mux = mux
	return nil
}

func (h *HLS) write(t *track, f frame) error {
	h.mu.Lock()
	mux := h.mux
	h.mu.Unlock()
	if mux == nil {
		return http.ErrServerClosed
	}
	now, show := time.Now(), f.at+max(f.offset, 0)
	var err error
	switch t.name {
	case "h264", "hevc":
		units := picture(t, f)
		if len(units) == 0 {
			return nil
		}
		if t.name == "h264" {
			err = mux.WriteH264(h.video, now, show, units)
		} else {
			err = mux.WriteH265(h.video, now, show, units)
		}
	case "av1":
		var units av1.Bitstream
		if units.Unmarshal(f.data) != nil || len(units) == 0 {
			return nil
		}
		err = mux.WriteAV1(h.video, now, show, units)
	case "vp9":
		err = mux.WriteVP9(h.video, now, show, f.data)
	case "aac":
		err = mux.WriteMPEG4Audio(h.audio, now, f.at, [][]byte{f.data})
	case "opus":
		err = mux.WriteOpus(h.audio, now, f.at, [][]byte{f.data})
	}
	if err != nil {
		return fmt.Errorf("write HLS: %w", err)
	}
	return nil
}

// CheckHLS reports why what begins with that batch cannot be had as HLS, as far as it tells.
func CheckHLS(b flv.Batch) error {
	h := NewHLS()
	defer h.Close()
	return h.Write(b)
}
