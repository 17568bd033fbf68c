package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"relay/relay/stream"
)

// Limits bound an archive. A zero field takes its default.
type Limits struct {
	Age   time.Duration // before the newest chunk, by the source's clock; default 2 h. The oldest segment may be older
	Bytes int64         // on disk; default 32 GB
}

const (
	defaultAge   = 2 * time.Hour
	defaultBytes = 32_000_000_000

	suffix   = ".relay"
	lockName = "lock"
	fileMode = 0o600
	dirMode  = 0o700

	// gather is how long what comes is gathered before it is written: a program that is killed loses that.
	gather = 250 * time.Millisecond
	// gatherMost is how many bytes are gathered at most.
	gatherMost = 1 << 20

	// A segment is a part of the archive's age and bytes, so that it takes little more than it may and
	// gives back a little at a time, within what is neither a crowd of files nor long to walk through.
	segmentParts     = 60
	minSegmentAge    = 10 * time.Second
	minSegmentBytes  = 256 << 10
	mostSegmentBytes = 64 << 20
	// stretch is by how much a segment may be longer, to end where a reader may start.
	stretch = 2
)

// ErrInUse says that another program keeps the same channel in the same folder.
var ErrInUse = errors.New("another relay keeps this channel there already")

// Archive is what is kept of one channel. It is safe for concurrent use.
type Archive struct {
	dir    string
	id     stream.ChannelID
	limits Limits
	lock   *flock.Flock

	mu       sync.Mutex
	segments []*segment // the oldest first; each has a chunk, but for the one that is being written
	bytes    int64      // of all their files
	absent   map[stream.Position]bool

	// The rest belongs to Run.
	file    *os.File       // of the newest segment, nil if none is being written
	rotated time.Time      // when it was begun
	written *stream.Header // in that segment, the newest
	pending []byte         // not written yet
	noted   []noted        // what is in pending
}

// noted is a frame in pending.
type noted struct {
	chunk *stream.Chunk // nil for a header
	off   int64
}

// Open opens the archive of a channel in a folder, which is made if there is none. Files in it that
// are no segments of the channel are left alone. The archive has to be closed.
func Open(dir string, id stream.ChannelID, l Limits) (*Archive, error) {
	a := &Archive{dir: dir, id: id, limits: Limits{cmp.Or(l.Age, defaultAge), cmp.Or(l.Bytes, defaultBytes)}}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	a.lock = flock.New(filepath.Join(dir, lockName), flock.SetPermissions(fileMode))
	switch ok, err := a.lock.TryLock(); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, ErrInUse
	}
	if err := a.load(); err != nil {
		a.lock.Unlock()
		return nil, err
	}
	if err := a.drop(0); err != nil {
		a.lock.Unlock()
		return nil, err
	}
	return a, nil
}

// OpenOld opens what was kept before for reading alone: a segment, or a folder of them. It need not be closed.
func OpenOld(path string) (*Archive, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	a := &Archive{dir: path}
	if fi.IsDir() {
		files, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, f := range files { // the first one says whose they are
			if path := filepath.Join(a.dir, f.Name()); filepath.Ext(path) == suffix && a.idOf(path) == nil {
				return a, a.load()
			}
		}
		return nil, ErrFormat
	}
	if err := a.idOf(path); err != nil {
		return nil, err
	}
	s, err := openSegment(path, a.id)
	if err != nil {
		return nil, err
	}
	if s.first != (mark{}) {
		a.segments = []*segment{s}
		a.bytes = s.total
	}
	return a, nil
}

// idOf takes over whose a segment is.
func (a *Archive) idOf(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	a.id, err = readPreface(f)
	return err
}

// ID is the channel's.
func (a *Archive) ID() stream.ChannelID { return a.id }

// load finds the segments that are there.
func (a *Archive) load() error {
	files, err := os.ReadDir(a.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		switch filepath.Ext(f.Name()) {
		case suffix:
		case partSuffix: // of a program that was killed
			if a.lock != nil {
				os.Remove(filepath.Join(a.dir, f.Name()))
			}
			continue
		default:
			continue
		}
		path := filepath.Join(a.dir, f.Name())
		s, err := openSegment(path, a.id)
		switch {
		case err != nil: // what it is, nobody here can tell
			continue
		case s.first == (mark{}): // nothing was written behind its header
			if a.lock != nil {
				os.Remove(path)
			}
			continue
		}
		a.segments = append(a.segments, s)
		a.bytes += s.total
	}
	slices.SortFunc(a.segments, func(s, t *segment) int { return s.first.pos.Compare(t.first.pos) })
	return nil
}

// Close gives the folder free for others. Run must have returned.
func (a *Archive) Close() error { return a.lock.Unlock() }

// Run keeps what comes to ring, until ctx ends or the ring is closed, and then returns nil: all that is there
// by then is kept. Before that it returns why nothing more can be kept, such as a full disk. What is kept
// already can be read on.
func (a *Archive) Run(ctx context.Context, ring *stream.Ring) (err error) {
	defer func() { err = errors.Join(err, a.finish()) }()
	cursor := ring.Since(a.newest().pos)
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		it, wait, err := cursor.Poll()
		switch {
		case err != nil: // the ring is closed
			return a.flush()
		case wait == nil:
			if err := a.add(it); err != nil {
				return err
			}
			continue
		}
		if err := a.flush(); err != nil || ctx.Err() != nil {
			return err
		}
		pace.Reset(gather)
		select {
		case <-pace.C:
			select {
			case <-wait:
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
	}
}

// newest is the newest chunk's mark, zero if there is none.
func (a *Archive) newest() mark {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.segments); n > 0 {
		return a.segments[n-1].last
	}
	return mark{}
}

// add takes in a chunk that follows all that were added before.
func (a *Archive) add(it stream.Item) error {
	frame := it.Chunk.Frame()
	if frame == nil || it.Header.Frame() == nil {
		return errors.New("chunks that were opened cannot be kept")
	}
	if it.Chunk.Position().Compare(a.newest().pos) <= 0 {
		return nil // a run of the source before the one that is kept
	}
	gap := it.Jump && time.Since(a.rotated) >= minSegmentAge // else a source with a gap at each chunk makes a crowd of files
	if a.file == nil || gap || a.full(it.Chunk) {            // what is missing is so between segments
		if err := a.rotate(it.Chunk); err != nil {
			return err
		}
	}
	if it.Header != a.written {
		a.written = it.Header
		a.put(it.Header.Frame(), nil)
	}
	a.put(frame, it.Chunk)
	if len(a.pending) >= gatherMost {
		return a.flush()
	}
	return nil
}

func (a *Archive) put(frame []byte, c *stream.Chunk) {
	s := a.writing()
	a.noted = append(a.noted, noted{c, s.total + int64(len(a.pending))})
	a.pending = append(a.pending, frame...)
}

// writing is the segment of file. Only Run changes the list's end.
func (a *Archive) writing() *segment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.segments[len(a.segments)-1]
}

// full reports whether a chunk should begin a new segment.
func (a *Archive) full(c *stream.Chunk) bool {
	s := a.writing()
	size := s.total + int64(len(a.pending))
	most := min(max(a.limits.Bytes/segmentParts, minSegmentBytes), mostSegmentBytes)
	age := max(a.limits.Age/segmentParts, minSegmentAge)
	began := s.first.at
	if s.first == (mark{}) && len(a.noted) > 1 {
		began = markOf(a.noted[1].chunk).at // behind the header
	}
	at := markOf(c).at
	long := began != 0 && at > began && at-began > uint64(age.Milliseconds())
	last := began
	if s.last != (mark{}) {
		last = s.last.at
	}
	leapt := at > last && at-last > uint64(a.limits.Age.Milliseconds()) // the source's clock was set: what was before is to go
	return c.Has(stream.Key) && (size >= most || long) || size >= stretch*most || leapt
}

// rotate ends the segment that is being written, and begins one for a chunk.
func (a *Archive) rotate(c *stream.Chunk) error {
	if err := a.finish(); err != nil {
		return err
	}
	path := filepath.Join(a.dir, nameOf(markOf(c))+suffix)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	a.file, a.rotated, a.written = f, time.Now(), nil
	a.mu.Lock()
	a.segments = append(a.segments, &segment{path: path, total: int64(prefaceLen), size: int64(prefaceLen)})
	a.bytes += int64(prefaceLen)
	a.mu.Unlock()
	a.pending, a.noted = a.pending[:0], a.noted[:0]
	if _, err := f.Write(preface(a.id)); err != nil {
		return errors.Join(err, a.abandon())
	}
	return nil
}

// nameOf is what a segment is called that begins there, for people.
func nameOf(m mark) string {
	return fmt.Sprintf("%s-%016x-%d", timeOf(m).UTC().Format("20060102T150405.000Z"), m.pos.Epoch.Rand, m.pos.Seq)
}

// flush writes what was gathered.
func (a *Archive) flush() error {
	if len(a.pending) == 0 {
		return nil
	}
	if err := a.drop(int64(len(a.pending))); err != nil {
		return errors.Join(err, a.abandon())
	}
	s := a.writing()
	if _, err := a.file.Write(a.pending); err != nil {
		return errors.Join(err, a.abandon())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.noted {
		if n.chunk == nil {
			s.header = n.off
		} else {
			s.note(n.chunk, n.off)
		}
	}
	s.total += int64(len(a.pending))
	s.size = s.total
	a.bytes += int64(len(a.pending))
	clear(a.noted)
	a.pending, a.noted = a.pending[:0], a.noted[:0]
	return nil
}

// finish writes the index of the segment that is being written, and what comes before it.
func (a *Archive) finish() error {
	if a.file == nil {
		return nil
	}
	if err := a.flush(); err != nil {
		return err
	}
	s := a.writing()
	if s.first == (mark{}) {
		return a.abandon()
	}
	index := appendIndex(nil, s)
	_, err := a.file.Write(index)
	if err != nil {
		return errors.Join(err, a.abandon())
	}
	err = errors.Join(a.file.Sync(), a.file.Close())
	a.file = nil
	a.mu.Lock()
	defer a.mu.Unlock()
	s.total += int64(len(index))
	a.bytes += int64(len(index))
	return err
}

// abandon ends the segment that is being written where its whole frames end, without an index.
func (a *Archive) abandon() error {
	s := a.writing()
	err := errors.Join(a.file.Truncate(s.size), a.file.Close())
	a.file = nil
	a.pending, a.noted = a.pending[:0], a.noted[:0]
	if s.first != (mark{}) {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.segments = a.segments[:len(a.segments)-1]
	a.bytes -= s.total
	return errors.Join(err, os.Remove(s.path))
}

// drop removes the oldest segments over the bounds, when so many bytes more are to come. The one that is
// being written stays, and one that cannot be removed, as some systems have it while a viewer reads it, until
// the next time. If that leaves too many bytes, the error says why.
func (a *Archive) drop(more int64) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := 0; i < len(a.segments)-1; {
		s, newest := a.segments[i], a.segments[len(a.segments)-1]
		old := newest.last.at > s.last.at && newest.last.at-s.last.at > uint64(a.limits.Age.Milliseconds())
		if !old && a.bytes+more <= a.limits.Bytes {
			return nil
		}
		if e := os.Remove(s.path); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = e
			i++
			continue
		}
		a.bytes -= s.total
		a.segments = slices.Delete(a.segments, i, i+1)
	}
	if a.bytes+more <= a.limits.Bytes {
		return nil
	}
	return err
}

// Stats describes an archive at one moment.
type Stats struct {
	From, To time.Time // when the source made the oldest and the newest chunk, by its clock; zero if there is none
	Bytes    int64     // on disk
}

// Stats returns how the archive is.
func (a *Archive) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := Stats{Bytes: a.bytes}
	for _, s := range a.segments {
		if s.first == (mark{}) {
			continue
		}
		if from := timeOf(s.first); st.From.IsZero() || from.Before(st.From) { // a run may begin before one that it follows
			st.From = from
		}
		st.To = timeOf(s.last)
	}
	return st
}

// timeOf is a mark's time, before the year 10000.
func timeOf(m mark) time.Time { return time.UnixMilli(int64(min(m.at, 253402300799999))) }
