package remux

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"relay/ingest/flv"
)

// When a segment ends. All but hlsSegmentBytes are milliseconds of stream time.
const (
	// hlsSegment is how long one is at least. Then it ends before the next key frame. One that would be too long
	// until the key frame after that, if that is as far away as this one was, ends earlier.
	hlsSegment = 1000
	// hlsPictureless is for how long no picture has to have come for one to end before a frame
	// of sound.
	hlsPictureless = 2000
	// hlsLongest is the longest target duration: players begin three of them behind the newest segment, so that they
	// find a key frame even if these are 18 s apart. Apple asks for it, too.
	hlsLongest = 6000
	// hlsFirst is how long the first one is at most, as players wait for it. If no key frame has come by then nobody
	// knows when one will, and the target is hlsLongest.
	hlsFirst = 4000
	// hlsCut is the least target where the first one was cut because nothing came, or other tracks, which tells
	// nothing about key frames: as far apart as encoders are asked to have them.
	hlsCut = 2000
	// hlsRounds is by how much one may be longer than the target, which it is compared with in whole seconds (RFC 8216,
	// 4.3.3.1), and hlsUneven by how much the first may be longer than the target that it makes: key frames every
	// 2.002 s need no target of 3 s.
	hlsRounds, hlsUneven = 499, 100
	// hlsKeyless is for how long no key frame has to have come for players to begin with other pictures: sources do
	// as much for all of their viewers then.
	hlsKeyless = 20_000
	// hlsSegmentBytes bounds one's frames: 2 s at 32 Mb/s.
	hlsSegmentBytes = 8 << 20
)

// HLS is a channel as HTTP Live Streaming (RFC 8216) with segments in MP4. Unlike the
// other containers it is shared by all who ask. Nobody but one goroutine writes and ends it;
// Wait, ServeHTTP and Close are for all.
type HLS struct {
	demux demuxer
	boxes fragmenter
	part  part // the segment that is being made
	next  segment
	most  int64     // how long one may be, in milliseconds
	made  bool      // there has been one
	dated time.Time // when what comes next was made, zero if that is now
	key   int64     // time of the newest key frame, in milliseconds

	mu     sync.Mutex
	list   playlist
	ready  chan struct{} // closed once there is a segment, or nothing to wait for
	waited bool          // ready is closed
	closed bool
}

// part is what has been put into a segment so far. Times are in milliseconds.
type part struct {
	begun      bool
	begin, end int64
	size       int   // of the frames, in bytes
	picture    int64 // time of the newest one, also of one before this segment
	pictures   int   // how many it has
	dependent  bool  // its first picture is no key frame
	amid       bool  // nor is it one with which players begin all the same
}

// NewHLS returns one that has had no tags yet. It needs a [HLS.Close].
func NewHLS() *HLS {
	h := &HLS{ready: make(chan struct{}), most: hlsLongest + hlsRounds}
	// A player that comes back to a channel whose HLS was begun anew in the meantime must not
	// take a new segment for one that it has: a segment lasts for a second at least.
	h.next.number = uint64(time.Now().Unix())
	h.demux.to = h
	return h
}

// Date says when the tags that come next were made, for the playlist to tell. Without it they were made when they come.
func (h *HLS) Date(made time.Time) { h.dated = made }

// Write takes the next tags.
func (h *HLS) Write(batch flv.Batch) error { return h.demux.add(batch) }

// Cut ends the segment: nothing comes for now.
func (h *HLS) Cut() error { return h.cut(h.part.end, hlsCut) }

// End ends the last segment and the playlist. What there is can still be fetched.
func (h *HLS) End() error {
	err := h.Cut()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list.ended = true
	h.answer()
	return err
}

// Interval is how long players wait at most before they read the playlist again (RFC 8216,
// 6.3.4).
func (h *HLS) Interval() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list.target
}

// Close forgets everything, and ends the requests that wait.
func (h *HLS) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed, h.list = true, playlist{}
	h.answer()
}

// answer lets requests go on. It is called with mu held.
func (h *HLS) answer() {
	if !h.waited {
		close(h.ready)
	}
	h.waited = true
}

// Wait returns once there is a segment, or there will be none, or ctx has ended.
func (h *HLS) Wait(ctx context.Context) {
	select {
	case <-h.ready:
	case <-ctx.Done():
	}
}

// ServeHTTP answers for index.m3u8 and what that names, by the last part of the path. It waits
// until there is a segment, or the request's context ends.
func (h *HLS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Wait(r.Context())
	if r.Context().Err() != nil {
		return
	}
	name := path.Base(r.URL.Path)
	text, m := h.find(name)
	switch {
	case text != "":
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "no-cache")
		io.WriteString(w, text)
	case m != nil:
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Cache-Control", "max-age=60")
		http.ServeContent(w, r, name, time.Time{}, io.NewSectionReader(&file{h, m}, 0, int64(m.size)))
	default:
		http.Error(w, "There is no such part of this channel's HLS any more. index.m3u8 names those that there are.", http.StatusNotFound)
	}
}

// find returns the playlist or one of its files.
func (h *HLS) find(name string) (text string, m *resource) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return "", nil
	}
	switch name {
	case playlistName:
		return h.list.text(), nil
	case HLSMaster:
		return h.list.master(), nil
	}
	return "", h.list.file(name)
}

// file reads one of the files that the playlist names.
type file struct {
	hls *HLS
	*resource
}

// ReadAt implements [io.ReaderAt]. It ends early once the playlist has forgotten the file: nobody who
// is slow keeps what nobody else can have.
func (f *file) ReadAt(b []byte, at int64) (n int, err error) {
	f.hls.mu.Lock()
	defer f.hls.mu.Unlock()
	for _, p := range f.parts {
		skip := min(int64(len(p)), at)
		at -= skip
		if n += copy(b[n:], p[skip:]); n == len(b) {
			return n, nil
		}
	}
	return n, io.EOF
}

func (h *HLS) name() string { return "HLS" }

func (h *HLS) soundWaits() uint32 { return mp4SoundWaits }

func (h *HLS) patience() uint32 { return mp4Patience }

func (h *HLS) carries(t *track) bool { return outputOf("hls").has(t.name) }

// open begins a segment of other tracks.
func (h *HLS) open(video, audio *track) error {
	if err := h.Cut(); err != nil {
		return err
	}
	again := h.next.init != nil
	if err := h.boxes.open(video, audio); err != nil {
		return err
	}
	init := &initialization{number: h.next.number, boxes: newResource(h.boxes.take())}
	for _, t := range []*track{video, audio} {
		if t != nil {
			init.codecs += "," + codecText(t)
		}
	}
	init.codecs = strings.TrimPrefix(init.codecs, ",")
	if video != nil {
		init.width, init.height = sizeOfPictures(video)
	}
	h.next.init = init
	h.next.breaks = again
	return nil
}

func (h *HLS) write(t *track, f frame) error {
	at := f.at * 1000 / t.rate
	if ends, target := h.full(t, f, at); ends {
		if err := h.cut(at, target); err != nil {
			return err
		}
	}
	p := &h.part
	if !p.begun {
		p.begun, p.begin, p.end = true, at, at
		if h.next.began = h.dated; h.dated.IsZero() {
			h.next.began = time.Now()
		}
	}
	if t == h.boxes.video {
		if f.key {
			h.key = at
		}
		p.dependent = p.dependent || p.pictures == 0 && !f.key
		f.key = f.key || p.pictures == 0 && at-h.key >= hlsKeyless
		p.amid = p.amid || p.pictures == 0 && !f.key
		p.picture = at
		p.pictures++
	}
	p.end = max(p.end, at+lasts(t, f))
	f.data = held(f.data)
	p.size += sizeOf(f.data)
	return h.boxes.write(t, f)
}

// lasts is how long a frame is, in milliseconds.
func lasts(t *track, f frame) int64 { return f.length() * 1000 / t.rate }

// full reports whether the segment ends before a frame, and the least target if it is the first, in milliseconds.
func (h *HLS) full(t *track, f frame, at int64) (ends bool, target int64) {
	p, long, next := h.part, at-h.part.begin, lasts(t, f)
	if t == h.boxes.video && p.pictures > 0 {
		next = max(next, at-p.picture) // it will probably be as long as the one before
	}
	switch {
	case !p.begun:
		return false, 0
	case p.size+sizeOf(f.data) > hlsSegmentBytes:
		return true, 0
	case t == h.boxes.video && f.key && (long >= hlsSegment || p.pictures > 0 && long+at-h.key > h.most):
		return true, 0
	case t == h.boxes.audio && long >= hlsSegment && (h.boxes.video == nil || at-p.picture >= hlsPictureless):
		return true, 0
	}
	return long+next > h.most || !h.made && long >= hlsFirst, hlsLongest
}

// cut ends the segment at a time. The first one makes the target, which players must not see change (RFC 8216,
// 6.2.1). Both are in milliseconds.
func (h *HLS) cut(at, target int64) error {
	p := h.part
	if !p.begun {
		return nil
	}
	if err := h.boxes.flush(); err != nil {
		return err
	}
	h.part = part{picture: p.picture}
	if at > p.begin+h.most { // nothing came for long
		at, target = p.end, max(target, hlsCut)
	}
	long := max(at-p.begin, 1)
	s := h.next
	s.pictures, s.dependent, s.amid = p.pictures, p.dependent, p.amid
	s.lasts = time.Duration(long) * time.Millisecond
	s.media = newResource(packed(h.boxes.take()))
	if !h.made {
		seconds := (max(long-hlsUneven, target, 1) + 999) / 1000
		h.most = min(1000*seconds, hlsLongest) + hlsRounds
	}
	h.next, h.made = segment{number: s.number + 1, init: s.init}, true
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.list.target = time.Duration(h.most-hlsRounds) * time.Millisecond
		h.list.add(s)
	}
	h.answer()
	return nil
}

// CheckHLS reports why what begins with that batch cannot be had as HLS, as far as it tells.
func CheckHLS(b flv.Batch) error {
	h := NewHLS()
	defer h.Close()
	return h.Write(b)
}

// held is a frame as a segment keeps it: shared with the ring if it fills what it shares, or else a
// copy. A short one might keep a chunk for a few bytes in it.
func held(data [][]byte) [][]byte {
	const shared, slice = 64 << 10, 4 << 10
	if n := sizeOf(data); n >= shared && n/len(data) >= slice {
		return slices.Clone(data)
	}
	return [][]byte{bytes.Join(data, nil)}
}

// packed joins short parts that follow each other: a segment may have millions of frames of a byte
// each, and a slice of its own takes several times that.
func packed(parts net.Buffers) (all net.Buffers) {
	const short = 4 << 10
	for len(parts) > 0 {
		n := 0
		for n < len(parts) && len(parts[n]) < short {
			n++
		}
		if n > 1 {
			all = append(all, bytes.Join(parts[:n], nil))
		} else {
			n = 1
			all = append(all, parts[0])
		}
		parts = parts[n:]
	}
	return all
}
