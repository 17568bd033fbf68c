package pcpin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/stream"
)

const (
	// maxTag bounds one tag's body, in bytes, as it does over RTMP.
	maxTag = 10 << 20
	// maxKept is how much memory is kept for the next tag when one is out, in bytes.
	maxKept = 1 << 20
	// resumable is how far back in the stream another host's packets may begin without being
	// another stream: PeerCasts keep 64 packets of at most 16 KiB, and some more. In bytes.
	resumable = 4 << 20
	// sparse is how far positions may step ahead where they are not dense, in bytes: a packet
	// of 100 ms holds a dozen chunks of ours, of which each stands for stream.MaxChunk.
	sparse = 32 * stream.MaxChunk
	// mostBegun is how many streams may begin anew on one connection: a broadcaster whose
	// encoder comes back makes one. A ring of relays makes them for ever, of one packet each.
	mostBegun = 16
	// maxRecent is how many tags are known again, of 100 or so in a second: as long as a
	// PeerCast's packets reach back, and some more.
	maxRecent = 2048
	// startless is how many packets are waited for one at which a reader may start. After
	// them any will do that looks like the beginning of a tag: PeerCastStation marks each
	// packet of a stream of sound.
	startless = 128
)

// fileHeader begins an FLV file, with its version.
const fileHeader = "FLV\x01"

// splice makes tags of a stream's packets: of those of one host after the other, so that nothing
// is torn where they meet. Its zero value is ready. It belongs to one goroutine.
//
// It goes by positions where they say something, and by the framing of tags in any case: a tag
// that is incomplete, or does not end as tags do, is not handed on.
type splice struct {
	head    []byte    // the newest; nil before the first
	configs []flv.Tag // that it holds
	due     bool      // they have not been handed on
	audible bool      // it has no picture, so that one may start anywhere

	next    uint32 // the position behind what was taken
	known   bool   // next is known
	fresh   bool   // the connection is new, and has brought no data
	headed  bool   // a head has come since the newest data
	changed bool   // and it is another one than before
	behind  bool   // the newest packet ends before next: all of it had come before, and more
	dense   bool   // a packet has followed another, where a tag had ended
	holey   bool   // positions are not dense: they step ahead where nothing is missing

	synced  bool   // part begins where a tag begins
	proving bool   // that has to be shown yet
	stepped bool   // a step ahead in the positions is what has to be shown to be none
	part    []byte // of the tag that is not complete
	waited  int    // packets since it was not synced

	seed    maphash.Seed
	recent  []uint64 // hashes of the newest tags that were handed on, the newest in front of at
	at      int
	overlap bool // the connection is new: what it brings first may have come already

	begun int    // streams on this connection that began anew
	lost  uint64 // times that something was missing, or was no tag
}

func newSplice() *splice { return &splice{seed: maphash.MakeSeed()} }

// handler takes what comes of packets. An error of its own is returned as it is.
type handler interface {
	write(t flv.Tag) error
	restart() // what follows is another stream
}

// connected says that the next packets are another connection's.
func (s *splice) connected() {
	s.fresh, s.headed, s.changed, s.begun, s.behind = true, false, false, 0, false
	s.overlap = len(s.recent) > 0
	if s.holey { // a node of ours goes on with whole tags, behind the position that it is asked for
		s.next -= uint32(len(s.part))
		s.part = s.part[:0]
	}
}

// stalled says that a host has brought nothing new for long. If what it sends lies behind
// what has come, and does not lead up to it, then it is another stream, which looks the same and
// has begun anew.
func (s *splice) stalled() {
	if s.behind {
		s.known = false
	}
}

// renew says that what comes is for another session, which has none of the configurations.
func (s *splice) renew() { s.due = s.head != nil }

// takeHead takes what a reader needs before the data. It is an error if that is no FLV, or no
// whole tags.
func (s *splice) takeHead(b []byte) error {
	s.headed = true
	if s.head != nil && bytes.Equal(b, s.head) {
		return nil
	}
	r, configs, picture := flv.NewReader(bytes.NewReader(b)), []flv.Tag(nil), false
	for {
		t, err := r.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && len(b) > 0 {
			break // yt cuts heads at 16 KiB; the data has what is missing
		}
		if err != nil {
			return err
		}
		if flv.Classify(t).Config {
			configs = append(configs, t)
			picture = picture || t.Type() == flv.Video
		}
	}
	s.changed = s.head != nil
	s.head, s.configs, s.due = bytes.Clone(b), configs, true
	s.audible = !picture && len(configs) > 0 && configs[len(configs)-1].Type() == flv.Audio
	return nil
}

// takeData takes the next packet of data, and reports whether it brought something new.
func (s *splice) takeData(p *pcp.Packet, to handler) (fresh bool, err error) {
	if s.head == nil || len(p.Data) == 0 {
		return false, nil
	}
	data, start := p.Data, p.Cont == 0
	if s.known {
		switch d := int64(int32(p.Pos - s.next)); {
		case d < 0 && s.another(-d):
			if s.begun++; s.begun > mostBegun {
				return false, ErrRepeats
			}
			s.begin(to)
		case d < 0 && -d >= int64(len(data)):
			s.behind = -d > int64(len(data))
			return false, nil
		case d < 0 && s.holey: // how much of it has come, the tags tell
			s.part, s.proving = s.part[:0], true
		case d < 0:
			data, start = data[-d:], false
		case d == 0:
			s.dense = s.dense || s.synced && len(s.part) == 0
		case start && (d > sparse || len(s.part) > 0 || !s.chunky(p.Pos)):
			s.lose()
		default:
			s.step(p.Pos, uint32(d))
		}
	}
	s.next, s.known = p.Pos+uint32(len(p.Data)), true
	s.fresh, s.headed, s.changed, s.behind = false, false, false, false
	if !s.synced && !s.sync(start, data) {
		return true, nil
	}
	return true, s.cut(data, to)
}

// another reports whether a packet that lies so far back is of another stream. A host that was
// come to may send again what the one before had sent. One and the same does not go back,
// unless its stream begins anew, with a head in front.
func (s *splice) another(back int64) bool {
	if s.fresh {
		return s.changed || back > resumable
	}
	return s.headed
}

// begin forgets the stream before.
func (s *splice) begin(to handler) {
	s.unsync()
	s.recent, s.at, s.overlap = s.recent[:0], 0, false
	s.dense, s.holey, s.due = false, false, true
	to.restart()
}

// step takes a step ahead in the positions, which not all who send make for something that is
// missing: a node of ours has a chunk's place in the position (pcp.Position). Then the framing
// tells. In a dense stream something is missing.
func (s *splice) step(pos, by uint32) {
	if !s.synced {
		return
	}
	if s.chunky(pos); by > sparse || s.dense && !s.holey && len(s.part) == 0 {
		s.lose()
		return
	}
	s.proving, s.stepped = true, len(s.part) > 0
}

// chunky reports whether positions are those of chunks, as far as can be said at a step to one.
func (s *splice) chunky(pos uint32) bool {
	s.holey = s.holey || pos%stream.MaxChunk == 0
	return s.holey
}

func (s *splice) lose() {
	if s.synced {
		s.lost++
	}
	s.unsync()
}

func (s *splice) unsync() { s.synced, s.part, s.waited = false, s.part[:0], 0 }

// sync reports whether a packet that is out of sync begins with a tag.
func (s *splice) sync(start bool, data []byte) bool {
	s.waited++
	if !start && !s.audible && s.waited <= startless {
		return false
	}
	if len(data) >= flv.TagHeaderLen && !begins(data) && !bytes.HasPrefix(data, []byte(fileHeader)) {
		return false
	}
	s.synced, s.proving, s.stepped = true, true, false
	return true
}

// begins reports whether a tag can begin with b: a type that there is, a length that is bounded,
// and the stream ID 0.
func begins(b []byte) bool {
	if len(b) < flv.TagHeaderLen {
		return false
	}
	switch flv.Type(b[0]) {
	case flv.Audio, flv.Video, flv.Script:
	default:
		return false
	}
	return flv.BodyLen(b) <= maxTag && b[8]|b[9]|b[10] == 0
}

// cut cuts tags out of data, behind what is left of the packet before.
func (s *splice) cut(data []byte, to handler) error {
	s.part = append(s.part, data...)
	rest := s.part
	for {
		t, more, ok := s.first(rest)
		if !ok {
			s.lose()
			return nil
		}
		if t == nil && len(more) == len(rest) {
			break
		}
		if rest = more; t == nil {
			continue
		}
		if err := s.pass(t, to); err != nil {
			return err
		}
	}
	switch {
	case len(rest) == len(s.part): // a long tag
	case len(rest) == 0 && cap(s.part) > maxKept:
		s.part = nil
	default:
		s.part = append(s.part[:0], rest...)
	}
	return nil
}

// again reports whether a tag is the next of those that a new connection brings again. Positions do
// not tell everything: where they are those of chunks, the same tags may lie in other packets.
func (s *splice) again(t flv.Tag) bool {
	sum := maphash.Bytes(s.seed, t)
	if s.overlap = s.overlap && slices.Contains(s.recent, sum); s.overlap {
		return true
	}
	if len(s.recent) < maxRecent {
		s.recent = append(s.recent, sum)
		return false
	}
	s.recent[s.at] = sum
	s.at = (s.at + 1) % maxRecent
	return false
}

// pass hands a tag on, behind the configurations that are due.
func (s *splice) pass(t flv.Tag, to handler) error {
	if s.again(t) {
		return nil
	}
	if s.due {
		s.due = false
		for _, c := range s.configs {
			if err := to.write(bytes.Clone(c)); err != nil {
				return err
			}
		}
	}
	return to.write(t)
}

// first returns the tag that b begins with, and what follows; no tag, and b, if that is not
// complete. It reports false if it is none.
func (s *splice) first(b []byte) (t flv.Tag, rest []byte, ok bool) {
	if joined := b[:min(len(b), len(fileHeader))]; len(b) > 0 && bytes.HasPrefix([]byte(fileHeader), joined) {
		if len(b) < flv.FileHeaderLen {
			return nil, b, true
		}
		return nil, b[flv.FileHeaderLen:], true
	}
	if len(b) < flv.TagHeaderLen {
		return nil, b, true
	}
	if !begins(b) {
		return nil, nil, false
	}
	n := flv.BodyLen(b)
	size := flv.TagHeaderLen + n + flv.TagTrailerLen
	if len(b) < size {
		return nil, b, true
	}
	t = flv.Tag(b[:size:size])
	if s.proving {
		if !ends(t) {
			return nil, nil, false
		}
		s.holey = s.holey || s.stepped
		s.proving, s.stepped = false, false
	}
	copy(t[flv.TagHeaderLen+n:], flv.Trailer(n))
	return t, b[size:], true
}

// ends reports whether a tag's back pointer is what it should be, or what careless writers put
// there.
func ends(t flv.Tag) bool {
	n := uint32(len(t.Body()))
	back := binary.BigEndian.Uint32(t[len(t)-flv.TagTrailerLen:])
	return back == n+flv.TagHeaderLen || back == n || back == 0
}
