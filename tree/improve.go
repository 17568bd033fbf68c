package tree

import (
	"math/rand/v2"
	"time"
)

const (
	// improveFirst is how long after a move that it did not choose a node looks for a
	// better place, up to twice that by chance. Such a move leads to where there is room,
	// and not to where the node belongs.
	improveFirst = 4 * time.Second
	// improveMin and improveMax bound the time between two looks.
	improveMin = 15 * time.Second
	improveMax = 45 * time.Second
	// optionalEvery is the least time between two moves of a node's own choice.
	optionalEvery = 30 * time.Second
	// elderAge is how long a node must have stayed before it asks for a younger one's place.
	elderAge = 4 * time.Minute
	// hurries is how many looks in a row do not wait for their turn, the first after improveFirst and
	// each of the others after twice as long, until one has led to a place. A full node shows no room
	// while one child goes for another, for EmergencyTime at most.
	hurries = 2
	// asideAges is how much older those above a place as near to the root have to be: the chance to go is
	// about one in the age.
	asideAges = 4
	// asidePart of the age of those above the node passes before it looks for such a place again. What
	// matters are ratios of ages, and they change no faster.
	asidePart = 8
	// maxTargets is how many nodes are asked directly, besides the root.
	maxTargets = 2
)

// improver decides when a node looks for a place nearer to the root.
type improver struct {
	rand *rand.Rand

	lookAt  time.Time // of the next look
	movedAt time.Time // of the newest move of the node's own choice, zero if there was none
	targets []Place   // to be asked
	on      bool      // a search for it is running
	doubts  bool      // it is because nothing proves where the node is
	aside   bool      // a place as near to the root will do, below those who have stayed much longer
	asideAt time.Time // no sooner is one looked for
	vain    bool      // the newest look led nowhere
	hurried int       // looks that have not waited for their turn, 0 if the next one does
}

// due reports whether it is time to look, and sets the time of the next look.
func (m *improver) due(now time.Time) bool {
	if m.on || now.Before(m.lookAt) {
		return false
	}
	m.lookAt = now.Add(m.pause())
	return true
}

// rested reports whether the newest move of the node's own choice was long enough ago.
func (m *improver) rested(now time.Time) bool {
	return m.movedAt.IsZero() || now.Sub(m.movedAt) >= optionalEvery
}

// begin begins a search at these places, if there are any.
func (m *improver) begin(now time.Time, targets []Place) {
	m.targets, m.on = targets, len(targets) > 0
	if !m.on && m.hurried > 0 {
		m.inVain(now)
	}
}

// end ends the search.
func (m *improver) end() { m.on = false }

// inVain has the next look come soon after one that led nowhere, if it was the first for a while, or
// has not waited for its turn itself and was not the last of them.
func (m *improver) inVain(now time.Time) {
	m.vain = true
	if m.hurried == hurries {
		m.hurried = 0
		return
	}
	m.hurry(now.Add(m.soon() << m.hurried))
	m.hurried++
}

// asideDue reports whether it is time to look for a place that is as near to the root, for a node above
// which the youngest is of that age, 0 for one that is not known.
func (m *improver) asideDue(now time.Time, age time.Duration) bool {
	if age == 0 || now.Before(m.asideAt) {
		return false
	}
	m.asideAt = now.Add(age / asidePart)
	return true
}

// moved sets the time of the next look after a move that was made for w.
func (m *improver) moved(now time.Time, w want) {
	m.on, m.vain, m.hurried, m.asideAt = false, false, 0, time.Time{}
	wait := m.pause()
	if w > wantFaster { // the node took what there was
		wait, m.hurried = m.soon(), 1
	}
	m.lookAt = now.Add(wait)
	if w == wantNearer {
		m.movedAt = now
	}
}

// hurry brings the next look forward.
func (m *improver) hurry(at time.Time) {
	if at.Before(m.lookAt) {
		m.lookAt = at
	}
}

// pause is the time from one look to the next.
func (m *improver) pause() time.Duration {
	return improveMin + time.Duration(m.rand.Int64N(int64(improveMax-improveMin)))
}

// soon is the time until a look that should not wait for its turn.
func (m *improver) soon() time.Duration {
	return improveFirst + time.Duration(m.rand.Int64N(int64(improveFirst)))
}
