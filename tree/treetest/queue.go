package treetest

import "relay/tree"

// kind says what an event is. Beside each kind are the fields of event that it uses.
type kind uint8

const (
	evCall    kind = iota // f
	evWake                // host, run: the node's deadline
	evMessage             // conn, end (the receiver's), msg
	evChunk               // conn, end (forged or 0), epoch, seq
	evHangUp              // conn, end
	evDown                // host, run, link, how: the host's own end has gone
	evDial                // host, run, dial: the handshake is over, or is tried again
	evMake                // host, run: the root makes a chunk
	evSent                // host, run: the uplink is free
	evGauge               // host, run: the data path tells the node how it does
)

// event is one thing that happens at one moment.
type event struct {
	kind  kind
	end   uint8
	how   tree.End
	epoch uint32
	run   int
	host  *Host
	conn  *conn
	link  tree.Link
	seq   uint64
	msg   tree.Message
	dial  *dialling
	f     func()
}

// key orders events by time, and then as they were scheduled.
type key struct {
	at    int64 // nanoseconds since the start
	order uint64
	slot  uint32
}

func (k key) before(l key) bool { return k.at < l.at || k.at == l.at && k.order < l.order }

// queue is a heap with four children per entry, which halves the depth of a binary one. Only
// the keys move in it; events stay where they are.
type queue struct {
	heap  []key
	slots []event
	free  []uint32
	order uint64
}

func (q *queue) push(at int64, ev event) {
	var slot uint32
	if n := len(q.free); n > 0 {
		slot = q.free[n-1]
		q.free = q.free[:n-1]
		q.slots[slot] = ev
	} else {
		slot = uint32(len(q.slots))
		q.slots = append(q.slots, ev)
	}
	q.order++
	k := key{at, q.order, slot}
	q.heap = append(q.heap, k)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !k.before(q.heap[up]) {
			break
		}
		q.heap[i] = q.heap[up]
		i = up
	}
	q.heap[i] = k
}

// next returns when the next event is due, and false if there is none.
func (q *queue) next() (int64, bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

func (q *queue) pop() event {
	top := q.heap[0]
	n := len(q.heap) - 1
	k := q.heap[n]
	q.heap = q.heap[:n]
	if n > 0 {
		i := 0
		for {
			c := 4*i + 1
			if c >= n {
				break
			}
			least := c
			for j := c + 1; j < min(c+4, n); j++ {
				if q.heap[j].before(q.heap[least]) {
					least = j
				}
			}
			if !q.heap[least].before(k) {
				break
			}
			q.heap[i] = q.heap[least]
			i = least
		}
		q.heap[i] = k
	}
	ev := q.slots[top.slot]
	q.slots[top.slot] = event{}
	q.free = append(q.free, top.slot)
	return ev
}
