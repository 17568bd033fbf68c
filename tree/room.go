package tree

import "math/bits"

// Classes is how many classes of nodes there are, by the slots that they give: 0, 1, 2 to
// 3, 4 to 7, 8 to 15, and more. A node takes the place of a node of a lower class only, so
// that a difference of a slot or two moves nobody.
const Classes = 6

// classOf returns the class of a node that gives so many slots.
func classOf(slots int) int { return min(bits.Len(uint(max(0, slots))), Classes-1) }

// Room says for each class how many links down the nearest node is that would take a
// joiner of that class, into a free slot or in place of a child of a lower class. 0 is the
// node itself, and NoRoom says that there is no such node. The number never grows from one
// class to the next.
type Room [Classes]uint8

// NoRoom is a Room's value where nobody would take a joiner.
const NoRoom = 255

// noRoom has no room for anyone.
var noRoom = Room{NoRoom, NoRoom, NoRoom, NoRoom, NoRoom, NoRoom}

// below returns r as it counts for the parent, which is one link further up.
func (r Room) below() Room {
	for i, d := range r {
		if d < NoRoom-1 {
			r[i] = d + 1
		} else {
			r[i] = NoRoom
		}
	}
	return r
}

// or returns the nearer of the two for each class.
func (r Room) or(s Room) Room {
	for i := range r {
		r[i] = min(r[i], s[i])
	}
	return r
}
