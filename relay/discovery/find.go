package discovery

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/hostnet"
	"relay/relay/multicast"
)

const (
	// maxSockets bounds the sockets that ask, one for each address of this machine.
	maxSockets = 64
	// answerQueue is how many answers may wait while the newest are looked at.
	answerQueue = 64
)

// gaps are the pauses between one query and the next; the last one stays. The first
// are short: a packet to many is lost easily on a radio, and then nothing repeats it.
// They begin anew with an address that this machine gets meanwhile. The last is as long
// as it may take to find who comes later: 16 kB/s on each network, for a few seconds.
var gaps = []time.Duration{20 * time.Millisecond, 40 * time.Millisecond, 90 * time.Millisecond, 100 * time.Millisecond}

// Finder looks for channels. The zero value is ready.
type Finder struct {
	Port uint16 // to ask; DefaultPort if 0
	// Interfaces are the names of those to ask on; all that are up if empty.
	Interfaces []string
	Log        *zap.Logger // nil for none
}

// Found is a channel as one node told of it.
type Found struct {
	Channel
	// Addr is where the node takes links: the address that the answer came from. A
	// link-local IPv6 one has a zone, which means something on this machine alone.
	Addr netip.AddrPort
	// After is how long after the first query the answer came.
	After time.Duration
}

// Asked is an address of this machine that was asked from.
type Asked struct {
	Interface string
	From      netip.Addr // without a zone
}

// reply is what came to one of the sockets.
type reply struct {
	answer
	from netip.Addr
	at   time.Time
}

// Run asks until ctx ends, soon again at first and then ten times a second, and calls
// found with each channel in each answer: often with the same. found may be nil and must
// not block. Run returns where it has asked, sorted by interface. It fails if this
// machine's interfaces cannot be listed; that there are none to ask on is no error, for
// one may come.
func (f Finder) Run(ctx context.Context, found func(Found)) ([]Asked, error) {
	if found == nil {
		found = func(Found) {}
	}
	s := search{Finder: f, nonce: rand.Uint64(), sockets: make(map[origin]*querySocket), asked: make(map[Asked]bool), replies: make(chan reply, answerQueue)}
	if s.Port == 0 {
		s.Port = DefaultPort
	}
	if s.Log == nil {
		s.Log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.wg.Wait()
	defer s.close()
	begun := time.Now()
	changed := hostnet.Changes(ctx)
	again := time.NewTimer(0)
	defer again.Stop()
	var round uint8
	var last time.Time
	for gap := 0; ; {
		select {
		case <-ctx.Done():
			return s.askedFrom(), nil
		case <-changed:
			again.Reset(max(0, hostnet.LookLeast-time.Since(last)))
		case <-again.C:
			last = time.Now()
			more, err := s.ask(round)
			if err != nil {
				return s.askedFrom(), err
			}
			if more {
				gap = 0
			}
			if round == 0 {
				s.Log.Debug("asking for channels", zap.Int("addresses", len(s.sockets)))
			}
			again.Reset(gaps[min(gap, len(gaps)-1)])
			gap++
			round++
		case r := <-s.replies:
			for _, c := range r.channels {
				found(Found{Channel: c, Addr: netip.AddrPortFrom(r.from, r.port), After: r.at.Sub(begun)})
			}
		}
	}
}

// origin is where one socket asks from.
type origin struct {
	index int // of the interface
	from  netip.Prefix
}

// search is one run.
type search struct {
	Finder
	nonce   uint64
	sockets map[origin]*querySocket
	asked   map[Asked]bool
	replies chan reply
	wg      sync.WaitGroup // readers; they end when their sockets are closed
}

// ask sends one query from everywhere, and reports whether there is an address that was
// not asked from in the round before.
func (s *search) ask(round uint8) (more bool, err error) {
	ifs, err := multicast.Interfaces(s.Interfaces)
	if err != nil {
		return false, err
	}
	b := query{nonce: s.nonce, round: round}.append(nil)
	there := make(map[origin]bool)
	for _, i := range ifs {
		for _, p := range askable(i) {
			at := origin{i.Index, p}
			there[at] = true
			isNew := s.sockets[at] == nil
			if err := s.askFrom(i, at, b); err != nil {
				// As from an IPv6 address that is not yet known to be this machine's alone.
				s.Log.Debug("cannot ask", zap.String("interface", i.Name), zap.Stringer("from", p), zap.Error(err))
				continue
			}
			s.asked[Asked{i.Name, p.Addr()}] = true
			more = more || isNew
		}
	}
	for at, q := range s.sockets {
		if !there[at] {
			q.conn.Close()
			delete(s.sockets, at)
		}
	}
	return more, nil
}

// askedFrom lists where the search has asked from.
func (s *search) askedFrom() []Asked {
	return slices.SortedStableFunc(maps.Keys(s.asked), func(a, b Asked) int {
		return cmp.Or(cmp.Compare(a.Interface, b.Interface), a.From.Compare(b.From))
	})
}

var errAddresses = errors.New("this machine has too many addresses")

func (s *search) askFrom(i multicast.Interface, at origin, b []byte) error {
	q := s.sockets[at]
	if q == nil {
		if len(s.sockets) == maxSockets {
			return errAddresses
		}
		var err error
		if q, err = openQuerySocket(i, at.from, s.Port); err != nil {
			return err
		}
		s.sockets[at] = q
		s.wg.Go(func() { s.read(q.conn) })
	}
	if err := q.ask(b); err != nil {
		q.conn.Close() // the next query gets a new one: the interface may have been away
		delete(s.sockets, at)
		return err
	}
	return nil
}

func (s *search) close() {
	for _, q := range s.sockets {
		q.conn.Close()
	}
}

// read takes answers until the socket is closed. Those for which there is no room are
// dropped: the next query brings them again.
func (s *search) read(conn *net.UDPConn) {
	b := make([]byte, PacketSize+1) // one more shows what is too long
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(readPause) // such as word that nobody listens
			continue
		}
		a, err := parseAnswer(b[:n])
		if err != nil || a.nonce != s.nonce {
			continue
		}
		select {
		case s.replies <- reply{a, from.Addr().Unmap(), time.Now()}:
		default:
		}
	}
}

// readPause is how long nothing is read after the system refused to.
const readPause = 10 * time.Millisecond
