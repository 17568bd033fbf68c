package tree

import "time"

// ask lets node i ask for a slot, or for a standby link.
func (r *rig) ask(l Link, i int, j Join) []Action {
	if j.Addrs == nil {
		j.Addrs = place(i).Addrs
	}
	return r.give(Joined{l, place(i).ID, addr(i), false, false, false, j})
}

// come makes node i a child with the slots and age that j says, and lets it report.
func (r *rig) come(l Link, i int, j Join, rep Report) []Action {
	r.t.Helper()
	as := r.ask(l, i, j)
	if _, ok := sent[Welcome](as); !ok {
		r.t.Fatalf("node %d is not welcome: %+v", i, as)
	}
	as = append(as, r.give(Received{l, Pull{}})...)
	rep.Sent, rep.Slots = 1, j.Slots
	return append(as, r.give(Received{l, rep})...)
}

// live lets time pass, heartbeat by heartbeat, while others go on speaking.
func (r *rig) live(d time.Duration, speak ...func() []Action) []Action {
	var as []Action
	for end := r.now.Add(d); r.now.Before(end); {
		as = append(as, r.pass(min(heartbeatInterval, end.Sub(r.now)))...)
		for _, s := range speak {
			as = append(as, s()...)
		}
	}
	return as
}

// dial lets time pass as live does, until somebody is dialled.
func (r *rig) dial(most time.Duration, speak ...func() []Action) (Dial, bool) {
	for end := r.now.Add(most); r.now.Before(end); {
		if d, ok := first[Dial](r.live(heartbeatInterval, speak...)); ok {
			return d, true
		}
	}
	return Dial{}, false
}

// beats are the heartbeats of a parent, or of a place with a standby link to it,
// whose label follows the clock.
func (r *rig) beats(l Link, hb Heartbeat) func() []Action {
	return func() []Action {
		hb.Label.Epoch, hb.Label.E = Epoch{Ms: 1}, r.step()
		return r.give(Received{l, hb})
	}
}

// step is the root's step at this time.
func (r *rig) step() uint64 { return uint64(r.now.Sub(time.Unix(1000, 0))/LabelStep) + 2 }

// reports are those of a child or guest.
func (r *rig) reports(l Link, rep Report) func() []Action {
	rep.Sent = 1
	return func() []Action { return r.give(Received{l, rep}) }
}

// below attaches the node at the depth: to node 100 plus its parent's depth, with a path
// of the nodes from 100 on.
func (r *rig) below(depth int) Link {
	r.t.Helper()
	return r.attach(Label{Epoch{Ms: 1}, 1, uint16(depth - 1)}, upTo(depth)...)
}

// upTo is the path of a node at that depth, from 100 on.
func upTo(depth int) []int {
	var path []int
	for i := range depth {
		path = append(path, 100+i)
	}
	return path
}

// sentTo are the messages of one kind over a link.
func sentTo[M Message](as []Action, l Link) []M {
	var ms []M
	for _, a := range as {
		if s, ok := a.(Send); ok && s.Link == l {
			if m, ok := s.Msg.(M); ok {
				ms = append(ms, m)
			}
		}
	}
	return ms
}

// every are the actions of one kind.
func every[A Action](as []Action) []A {
	var of []A
	for _, a := range as {
		if a, ok := a.(A); ok {
			of = append(of, a)
		}
	}
	return of
}

// number returns i for place(i).
func number(p Place) int { return int(p.ID[0]) | int(p.ID[1])<<8 }

// closed is why a link was closed, ReasonNone if it was not.
func closed(as []Action, l Link) Reason {
	for _, c := range every[Close](as) {
		if c.Link == l {
			return c.End.Reason
		}
	}
	return ReasonNone
}

func numbers(ps []Place) []int {
	is := make([]int, 0, len(ps))
	for _, p := range ps {
		is = append(is, number(p))
	}
	return is
}

// quiet is the heartbeat of a node at that depth in a tree that has no room.
func quiet(depth int) Heartbeat {
	return Heartbeat{Label: Label{H: uint16(depth)}, Best: noRoom, Room: noRoom}
}
