package relay

import (
	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// beside is what the other side has said in frames that go beside the tree's messages, because
// older nodes do not know them. It belongs to the link's reader.
type beside struct {
	marks    tree.Marks     // of the next list of places
	callable *wire.Callable // the newest; nil if none has come
	rooms    *wire.Rooms    // likewise
	openings []tree.Opening // likewise
}

// take keeps such a frame. It reports false of any other.
func (b *beside) take(f wire.Frame) bool {
	switch f := f.(type) {
	case wire.Through:
		b.marks = f.Places
	case wire.Callable:
		b.callable = &f
	case wire.Rooms:
		b.rooms = &f
	case wire.Openings:
		b.openings = f.Of
	default:
		return false
	}
	return true
}

// complete returns a message with what was said beside it.
func (b *beside) complete(m tree.Message) tree.Message {
	switch m := m.(type) {
	case tree.Refer:
		m.Called, b.marks = b.marks, 0
		return m
	case tree.Bye:
		m.Called, b.marks = b.marks, 0
		return m
	case tree.Backups:
		m.Called, b.marks = b.marks, 0
		return m
	case tree.Report:
		if c := b.callable; c != nil {
			m.Callable, m.Called = c.Is, tree.CalledRoom{Known: true, Room: c.Room}
		}
		m.Openings = b.openings
		return m
	case tree.Heartbeat:
		if r := b.rooms; r != nil {
			m.BestCalled, m.Called = tree.CalledRoom{Known: true, Room: r.Best}, tree.CalledRoom{Known: true, Room: r.Room}
		}
		return m
	}
	return m
}

// said is what this side has told beside the tree's messages. It belongs to the channel's goroutine.
type said struct {
	callable *wire.Callable
	rooms    *wire.Rooms
	openings []tree.Opening
	about    *stream.About   // a child
	name     nameplate.Plate // of this node, likewise
}

// before are the frames that have to go ahead of a message, to a node of relay/5 or an older one.
func (s *said) before(m tree.Message, knows5 bool) (fs []wire.Frame) {
	var marks tree.Marks
	switch m := m.(type) {
	case tree.Refer:
		marks = m.Called
	case tree.Bye:
		marks = m.Called
	case tree.Backups:
		marks = m.Called
	case tree.Report:
		if f := (wire.Callable{Is: m.Callable, Room: m.Called.Or(m.Room)}); s.callable == nil || *s.callable != f {
			s.callable = &f
			fs = append(fs, f)
		}
		if knows5 && !tree.SameOpenings(s.openings, m.Openings) {
			s.openings = m.Openings
			fs = append(fs, wire.Openings{Of: m.Openings})
		}
	case tree.Heartbeat:
		if f := (wire.Rooms{Best: m.BestCalled.Or(m.Best), Room: m.Called.Or(m.Room)}); s.rooms == nil || *s.rooms != f {
			s.rooms = &f
			fs = append(fs, f)
		}
	}
	if marks != 0 {
		fs = append(fs, wire.Through{Places: marks})
	}
	return fs
}
