package stream

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Layout of an about, in bytes from the start of its frame; integers big-endian.
//
//	 0  prelude (type 0x06, length of the rest)
//	 4  version
//	 5  flags: 1 names are hidden
//	 6  epoch: ms u64, rand u64
//	22  ms u64: the root's clock
//	30  watching u32
//	34  signature
const (
	aboutMs       = 22
	aboutWatching = 30
	aboutSig      = 34

	// AboutLen is the length of a whole about frame.
	AboutLen = aboutSig + SignatureLen
)

// hideNames is a flag of an about.
const hideNames = 1

// About is what the source says of its channel to all nodes, and signs: how many watch, and whether
// nodes may be shown by their names. A later one of an epoch takes the place of an earlier one.
type About struct {
	frame    []byte
	epoch    Epoch
	ms       uint64
	watching uint32
}

// ParseAbout parses one whole frame, prelude included, and keeps it. The signature is not checked; see
// [About.Verify].
func ParseAbout(frame []byte) (*About, error) {
	if !checkPrelude(frame, FrameAbout) || len(frame) != AboutLen || frame[chunkFlags]&^hideNames != 0 {
		return nil, fmt.Errorf("about of %d bytes: %w", len(frame), ErrFrame)
	}
	if frame[chunkVersion] != Version {
		return nil, fmt.Errorf("about version %d: %w", frame[chunkVersion], ErrVersion)
	}
	return &About{
		frame:    frame,
		epoch:    getEpoch(frame[chunkEpoch:]),
		ms:       binary.BigEndian.Uint64(frame[aboutMs:]),
		watching: binary.BigEndian.Uint32(frame[aboutWatching:]),
	}, nil
}

// About signs how many watch now, and whether nodes may be shown by their names.
func (w *Writer) About(watching uint32, hidden bool) *About {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sign.about(w.beatAt(time.Now()), watching, hidden)
}

func (s signer) about(ms uint64, watching uint32, hidden bool) *About {
	b := make([]byte, AboutLen)
	PutPrelude(b, FrameAbout, len(b)-PreludeLen)
	b[chunkVersion] = Version
	if hidden {
		b[chunkFlags] = hideNames
	}
	putEpoch(b[chunkEpoch:], s.epoch)
	binary.BigEndian.PutUint64(b[aboutMs:], ms)
	binary.BigEndian.PutUint32(b[aboutWatching:], watching)
	s.sign(domainAbout, b, aboutSig)
	return &About{frame: b, epoch: s.epoch, ms: ms, watching: watching}
}

// Epoch is the run of the source that made it.
func (a *About) Epoch() Epoch { return a.epoch }

// Ms is the root's clock when it was made: milliseconds since the epoch began.
func (a *About) Ms() uint64 { return a.ms }

// Watching is how many watch the channel.
func (a *About) Watching() uint32 { return a.watching }

// NamesHidden reports whether nodes may not be shown by their names.
func (a *About) NamesHidden() bool { return a.frame[chunkFlags]&hideNames != 0 }

// After reports whether it takes the place of another one, which may be nil.
func (a *About) After(o *About) bool {
	if o == nil {
		return true
	}
	c := a.epoch.Compare(o.epoch)
	return c > 0 || c == 0 && a.ms > o.ms
}

// Frame is the about as it goes over a link. It must not be changed.
func (a *About) Frame() []byte { return a.frame }

// Verify checks that the channel's key made it.
func (a *About) Verify(id ChannelID) error {
	return verify(domainAbout, id, a.frame[chunkVersion:aboutSig], nil, a.frame)
}
