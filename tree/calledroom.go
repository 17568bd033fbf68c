package tree

import "time"

// calledRooms is where joiners that can call would be taken at and below a node, kept so that what is
// below one child can be left out: a child is told of the room that is not its own.
type calledRooms struct {
	here          Room            // at the node itself
	first, second Room            // at the children, the two nearest for each class
	of            [Classes]*child // whose the first is
}

func (n *Node) calledRooms(now time.Time) calledRooms {
	rs := calledRooms{n.roomHere(now, true), noRoom, noRoom, [Classes]*child{}}
	for _, c := range n.children {
		if !n.roomBelow(now, c, true) {
			continue
		}
		for class, d := range c.report.room(true).below() {
			switch {
			case d < rs.first[class]:
				rs.second[class], rs.first[class], rs.of[class] = rs.first[class], d, c
			case d < rs.second[class]:
				rs.second[class] = d
			}
		}
	}
	return rs
}

func (rs calledRooms) all() Room { return rs.here.or(rs.first) }

// without leaves out what is at and below a child.
func (rs calledRooms) without(c *child) Room {
	r := rs.here
	for class := range r {
		if rs.of[class] == c {
			r[class] = min(r[class], rs.second[class])
		} else {
			r[class] = min(r[class], rs.first[class])
		}
	}
	return r
}
