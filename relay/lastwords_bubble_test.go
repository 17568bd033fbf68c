package relay

import (
	"testing"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

// A child says why it goes and closes the connection at once, at any moment between two heartbeats: what the
// node writes to it meanwhile fails, while those words are under way.
func TestTheLastWordsOfAChildThatHasGoneAreHeard(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		for i := range 10 {
			conn := w.dialAt(t, w.root.place, alpn)
			hello := wire.Append(nil, wire.Hello{Channel: w.root.ID(), Join: tree.Join{Slots: 1}})
			if _, err := conn.Write(wire.Append(hello, tree.Pull{})); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second + time.Duration(i)*5*time.Millisecond)
			if _, err := conn.Write(wire.Append(nil, tree.Bye{Reason: tree.ReasonMoved})); err != nil {
				t.Fatal(err)
			}
			conn.NetConn().Close()
			time.Sleep(time.Second)
			w.root.mu.Lock()
			left, ok := w.root.heard[len(w.root.heard)-1].(ChildLeft)
			w.root.mu.Unlock()
			if !ok || left.End.Reason != tree.ReasonMoved {
				t.Errorf("child %d has left: %t, %v", i, ok, left.End)
			}
		}
	})
}
