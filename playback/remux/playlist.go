package remux

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	// hlsSegments is how many segments a playlist has at least, once the stream has run for so
	// long: players buffer three.
	hlsSegments = 7
	// hlsTargets is how many times the target duration a playlist lasts at least before a
	// segment leaves it (RFC 8216, 6.2.2).
	hlsTargets = 3
	// hlsLeast segments are kept, however large they are. hlsBytes bounds all others together: 16 s
	// at 12 Mb/s.
	hlsLeast = 3
	hlsBytes = 24 << 20
	// hlsMost bounds segments that have next to no length, as those of an encoder that changes
	// its configuration with each picture.
	hlsMost = 64
)

const (
	// playlistName is the playlist's own file.
	playlistName = "index.m3u8"
	// HLSMaster is the file that names it and says what is in it (a master playlist, RFC 8216, 4.3.4): iPhones take
	// Opus and HEVC for sure only if they are told beforehand.
	HLSMaster = "master.m3u8"
)

// playlist is a media playlist (RFC 8216) and the files that it names. It belongs to one
// goroutine, but for what files has returned.
type playlist struct {
	segments  []segment     // kept, the oldest first
	spare     int           // of them are no longer in the playlist that players may just have read
	breaks    int           // discontinuities before the first one in the playlist
	size      int           // of all segments, in bytes
	target    time.Duration // whole seconds, once there is a segment
	dependent bool          // a segment did not begin with a key frame
	ended     bool
}

// segment is a part of a stream that a player gets as one file.
type segment struct {
	number uint64 // one more than that of the one before
	init   *initialization
	breaks bool // a player has to begin anew with it
	began  time.Time
	lasts  time.Duration
	media  *resource

	pictures  int
	dependent bool // its first picture is no key frame
	amid      bool // no player can begin with it
}

// initialization is what a player needs to have before the segments that refer to it.
type initialization struct {
	number uint64 // of the first of these
	boxes  *resource

	codecs        string // as CODECS has them
	width, height int    // 0 if not known
}

// resource is what a file has.
type resource struct {
	parts net.Buffers // none once it is forgotten
	size  int         // of them, in bytes
}

func newResource(parts net.Buffers) *resource { return &resource{parts, sizeOf(parts)} }

// IsHLSName reports whether a file may ever be one of a channel's HLS.
func IsHLSName(file string) bool {
	if file == playlistName || file == HLSMaster {
		return true
	}
	number, ok := strings.CutSuffix(strings.TrimPrefix(file, "init-"), ".mp4")
	_, err := strconv.ParseUint(number, 10, 64)
	return ok && err == nil
}

func (s segment) name() string        { return strconv.FormatUint(s.number, 10) + ".mp4" }
func (i initialization) name() string { return "init-" + strconv.FormatUint(i.number, 10) + ".mp4" }

// add puts a segment behind all others, and forgets old ones.
func (p *playlist) add(s segment) {
	for p.spare > 0 {
		p.drop()
	}
	p.segments = append(p.segments, s)
	p.size += s.media.size
	p.dependent = p.dependent || s.dependent
	for n := p.mayLeave(); n > 0; n = p.mayLeave() {
		for range n {
			if p.segments[p.spare].breaks {
				p.breaks++
			}
			p.spare++
		}
	}
	for len(p.segments) > hlsLeast && p.size > hlsBytes {
		p.drop()
	}
}

// mayLeave returns how many of the oldest segments of the playlist are not needed there: as many as are amid one group of
// pictures, so that it begins where players can.
func (p *playlist) mayLeave() int {
	listed := p.segments[p.spare:]
	n := 1
	for n < len(listed) && listed[n].amid {
		n++
	}
	lasts := time.Duration(0)
	for _, s := range listed[n:] {
		lasts += s.lasts
	}
	switch {
	case len(listed)-n >= hlsSegments && lasts >= hlsTargets*p.target:
		return n
	case len(listed) > hlsMost:
		return 1
	}
	return 0
}

// drop forgets the oldest segment.
func (p *playlist) drop() {
	if p.spare > 0 {
		p.spare--
	} else if p.segments[0].breaks {
		p.breaks++
	}
	p.size -= p.segments[0].media.size
	p.segments[0].media.parts = nil // also for who is reading it
	p.segments[0] = segment{}       // the memory is shared with those that follow
	p.segments = p.segments[1:]
}

// text is the playlist as a player reads it. It says that segments can be decoded by themselves, which Apple asks for, for as
// long as each of them can: key frames may move further apart than the target.
func (p *playlist) text() string {
	listed := p.segments[p.spare:]
	var b strings.Builder
	// Version 7 is that of maps and of lengths that are no whole seconds (section 7).
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%.0f\n", max(p.target, time.Second).Seconds())
	if !p.dependent {
		b.WriteString("#EXT-X-INDEPENDENT-SEGMENTS\n")
	}
	if len(listed) > 0 {
		fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", listed[0].number, p.breaks)
	}
	var init *initialization
	for _, s := range listed {
		if s.breaks {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		if s.init != init {
			init = s.init
			fmt.Fprintf(&b, "#EXT-X-MAP:URI=%q\n", init.name())
		}
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:%.3f,\n%s\n", s.began.UTC().Format("2006-01-02T15:04:05.000Z"), s.lasts.Seconds(), s.name())
	}
	if p.ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}

// master is the playlist of the playlist, "" before there is a segment. It tells the highest rates of the segments
// that are listed: what is to come may have others.
func (p *playlist) master() string {
	if len(p.segments) == 0 {
		return ""
	}
	init := p.segments[len(p.segments)-1].init
	var bandwidth, frames float64
	for _, s := range p.segments {
		bandwidth = max(bandwidth, float64(8*s.media.size)/s.lasts.Seconds())
		if s.init == init {
			frames = max(frames, float64(s.pictures)/s.lasts.Seconds())
		}
	}
	size := ""
	if init.width > 0 && init.height > 0 {
		size = fmt.Sprintf(",RESOLUTION=%dx%d", init.width, init.height)
	}
	if frames > 0 {
		size += fmt.Sprintf(",FRAME-RATE=%.3f", frames)
	}
	return fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=%.0f,CODECS=%q%s\n%s\n", math.Ceil(bandwidth), init.codecs, size, playlistName)
}

// file returns a file that the playlist names, or has named not long ago; nil if there is none.
func (p *playlist) file(name string) *resource {
	for _, s := range p.segments {
		switch name {
		case s.name():
			return s.media
		case s.init.name():
			return s.init.boxes
		}
	}
	return nil
}
