package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
)

const (
	// theftKept is how long a node tells those who ask for a channel that its key is used by two, and
	// theftsMost for how many channels: the oldest is forgotten.
	theftKept  = time.Hour
	theftsMost = 64
	// theftTold is how long a node that ends goes on telling them: a node that has just lost its parent
	// asks all whom it knows again after 3 s at most.
	theftTold = 3 * time.Second
)

// theft is what is left of a channel whose key is used by two.
type theft struct {
	pass  pass
	proof wire.Double
}

// thefts are the channels that have ended so. Nodes ask for them that were between two parents when
// the proof went round, and newcomers.
type thefts struct {
	mu sync.Mutex
	of map[stream.ChannelID]notedTheft
}

type notedTheft struct {
	theft
	at time.Time
}

func (t *thefts) note(now time.Time, id stream.ChannelID, of theft) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = make(map[stream.ChannelID]notedTheft)
	}
	t.of[id] = notedTheft{of, now}
	if len(t.of) <= theftsMost {
		return
	}
	oldest := id
	for other, o := range t.of {
		if o.at.Before(t.of[oldest].at) {
			oldest = other
		}
	}
	delete(t.of, oldest)
}

// get returns what is left of a channel, if it has ended so.
func (t *thefts) get(now time.Time, id stream.ChannelID) (theft, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, ok := t.of[id]
	if ok && now.Sub(o.at) >= theftKept {
		delete(t.of, id)
		return theft{}, false
	}
	return o.theft, ok
}

// left is how long others have to be told, should the node end now.
func (t *thefts) left(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var most time.Duration
	for _, o := range t.of {
		most = max(most, o.at.Add(theftTold).Sub(now))
	}
	return most
}

// outlast returns a context that ends when all are told who have to be, once ctx has ended. end ends it at once.
func (t *thefts) outlast(ctx context.Context) (told context.Context, end context.CancelFunc) {
	told, end = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if d := t.left(time.Now()); d > 0 {
			time.AfterFunc(d, end)
			return
		}
		end()
	})
	return told, end
}

// answerTheft tells a stranger who has named a channel that its key is used by two, if that is why it
// is not carried, and reports whether it does. Of a private channel only those are told who show that
// they have its secret; that there is nothing to tell takes the same time.
func (n *Node) answerTheft(conn *tls.Conn, id stream.ChannelID, shown wire.Frame) (told bool, err error) {
	t, ok := n.thefts.get(time.Now(), id)
	p := n.nobody
	if ok && t.pass.private {
		p = t.pass
	}
	if shown == nil {
		shown = wire.Prove{}
	}
	if proved := p.proves(shown, conn, seal.Client); !ok || t.pass.private && !proved || !knows3(conn) {
		return false, nil
	}
	b, err := t.pass.appendProof(nil, conn, seal.Server)
	if err != nil {
		return true, err
	}
	if _, err := conn.Write(b); err != nil {
		return true, fmt.Errorf("tell of a theft: %w", err)
	}
	return true, t.tell(conn)
}

// tell tells a node, which has shown what it has to, and ends the connection.
func (t theft) tell(conn *tls.Conn) error {
	if _, err := conn.Write(wire.Append(nil, t.proof)); err != nil {
		return fmt.Errorf("tell of a theft: %w", err)
	}
	return conn.Close()
}
