package membership

import (
	"context"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"

	"relay/tree"
)

// session is the node's time as a member: one memberlist, from its start to its end. Only
// Run's goroutine uses it.
type session struct {
	*Cluster
	list *memberlist.Memberlist

	joinAt    time.Time // it tries to join again then
	joinPause time.Duration
	healAt    time.Time
	avoid     map[tree.ID]time.Time // seeds that heal leaves alone until then
	signedAt  time.Time
}

// takePart is the node's time as a member. It returns when that is over.
func (c *Cluster) takePart(ctx context.Context) ended {
	t := newTransport(ctx, c)
	c.sign(time.Now())
	list, err := memberlist.Create(c.config(t))
	if err != nil {
		t.cancel()
		c.log.Warn("gossip", zap.Error(err))
		return endedFailure
	}
	c.mu.Lock()
	c.carrier, c.inbound = t, time.Now()
	c.mu.Unlock()
	now := time.Now()
	s := &session{
		Cluster: c, list: list, joinAt: now, joinPause: joinFirst, healAt: now.Add(jittered(healInterval)),
		avoid: make(map[tree.ID]time.Time), signedAt: now,
	}
	why := s.run(ctx)
	s.end(ctx, t, why)
	return why
}

// run does what a member has to do until it is none any more.
func (s *session) run(ctx context.Context) ended {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for now := time.Now(); ; {
		if why := s.look(ctx, now); why != "" {
			return why
		}
		select {
		case now = <-look.C:
		case <-ctx.Done():
		}
	}
}

// look does what is due. It returns why the session has to end, "" if it goes on.
func (s *session) look(ctx context.Context, now time.Time) ended {
	if s.view.len() == 0 && !now.Before(s.joinAt) {
		s.join(ctx, s.list)
		now = time.Now()
		s.joinAt, s.joinPause = now.Add(jittered(s.joinPause)), min(2*s.joinPause, joinMost)
	}
	if s.view.len() > 0 && !now.Before(s.healAt) {
		s.joinPause = joinFirst
		if s.over() {
			return endedOver
		}
		s.heal(ctx, now)
		s.healAt = time.Now().Add(jittered(healInterval))
	}
	if s.moved() { // before anything is signed for an address that this session does not have
		return endedMoved
	}
	if s.stale(now.Sub(s.signedAt)) {
		s.signedAt = now
		s.sign(now)
		_ = s.list.UpdateNode(time.Nanosecond) // it waits for a packet that need not be waited for
	}
	switch {
	case ctx.Err() != nil:
		return endedDone
	case s.deaf(now):
		return endedDeaf
	}
	return ""
}

// end takes leave of the other members and ends the memberlist.
func (s *session) end(ctx context.Context, t *transport, why ended) {
	words := leaveTime
	if why == endedMoved {
		words = movedTime
	}
	t.cancel() // streams and dials; packets still go out
	t.part(s.list.Members())
	_ = s.list.Leave(words)
	if why == endedMoved { // Leave returns once one member knows
		select {
		case <-time.After(words):
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	s.carrier = nil
	s.mu.Unlock()
	_ = s.list.Shutdown() // it never fails
	s.former = nil
	for _, m := range s.Sample(joinAtOnce) {
		s.former = append(s.former, m.Place)
	}
	s.view.begin()
}

// heal joins through a seed of which gossip does not tell.
func (s *session) heal(ctx context.Context, now time.Time) {
	c := s.Cluster
	for id, until := range s.avoid {
		if !now.Before(until) {
			delete(s.avoid, id)
		}
	}
	for _, p := range c.cfg.Seeds(ctx) {
		if _, failed := s.avoid[p.ID]; failed || p.ID.IsZero() || p.ID.String() == c.name || c.view.has(p.ID) {
			continue
		}
		s.avoid[p.ID] = now.Add(jittered(healAvoid)) // also if it answers, for it need not become a member
		c.joinThrough(s.list, p)
		return
	}
}
