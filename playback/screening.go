package playback

import (
	"runtime"
	"sync"
	"time"
)

// screening is a reel with those who write it to viewers. It lasts as long as somebody watches.
type screening struct {
	reel     *reel
	sweepers []*sweeper
	next     int // which of them takes the next viewer
	viewers  int
}

// screenings are those of a channel.
type screenings struct {
	mu sync.Mutex
	of map[screeningKey]*screening
}

type screeningKey struct {
	form   string
	asSent bool
}

// enter returns the reel that a viewer watches, and the sweeper that the viewer waits in, which
// sweeps that far apart at least: all viewers of a channel have that in common. The viewer must
// exit.
func (c *Channel) enter(form Form, start Start, batch time.Duration) (*reel, *sweeper) {
	all, key := &c.screenings, screeningKey{form.Name, start == GOP}
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.of[key]
	if s == nil {
		s = &screening{reel: newReel(c.ring, form, key.asSent)}
		for range runtime.GOMAXPROCS(0) {
			s.sweepers = append(s.sweepers, newSweeper(s.reel, batch))
		}
		if all.of == nil {
			all.of = make(map[screeningKey]*screening)
		}
		all.of[key] = s
	}
	s.viewers++
	s.next++
	return s.reel, s.sweepers[s.next%len(s.sweepers)]
}

// exit is a viewer's leave. The last one's ends the screening.
func (c *Channel) exit(form Form, start Start) {
	all, key := &c.screenings, screeningKey{form.Name, start == GOP}
	all.mu.Lock()
	s := all.of[key]
	s.viewers--
	over := s.viewers == 0
	if over {
		delete(all.of, key)
	}
	all.mu.Unlock()
	if over {
		for _, w := range s.sweepers {
			w.close()
		}
	}
}

// seat returns the reel that a viewer watches, and the sweeper that it waits in, nil if the reel is its own.
// The viewer must be unseated.
func (c *Channel) seat(v *viewer) (*reel, *sweeper) {
	from := v.own
	switch {
	case v.shift != nil:
		from = v.shift
	case from == nil:
		return c.enter(v.form, v.start, v.batch)
	}
	v.start = GOP
	return newOwnReel(c.ring, v.form, from), nil
}

func (c *Channel) unseat(v *viewer) {
	if v.shift == nil && v.own == nil {
		c.exit(v.form, v.start)
	}
}
