package relay

import (
	"relay/relay/wire"
	"relay/tree"
)

// beside is what the other side has said in frames that go beside the tree's messages, because
// older nodes do not know them. It belongs to the link's reader.
type beside struct {
	marks    tree.Marks     // of the next list of places
	callable *wire.Callable // the newest; nil if none has come
	rooms    *wire.Rooms    // likewise
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
}

// before is the frame that has to go ahead of a message, nil for none.
func (s *said) before(m tree.Message) wire.Frame {
	var marks tree.Marks
	switch m := m.(type) {
	case tree.Refer:
		marks = m.Called
	case tree.Bye:
		marks = m.Called
	case tree.Backups:
		marks = m.Called
	case tree.Report:
		f := wire.Callable{Is: m.Callable, Room: m.Called.Or(m.Room)}
		if s.callable == nil || *s.callable != f {
			s.callable = &f
			return f
		}
	case tree.Heartbeat:
		f := wire.Rooms{Best: m.BestCalled.Or(m.Best), Room: m.Called.Or(m.Room)}
		if s.rooms == nil || *s.rooms != f {
			s.rooms = &f
			return f
		}
	}
	if marks != 0 {
		return wire.Through{Places: marks}
	}
	return nil
}
