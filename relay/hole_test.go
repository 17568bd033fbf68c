package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/stream"
)

// joining is a node with two parents, of which the second has less history than the node.
type joining struct {
	t         *testing.T
	in        intake
	ring      *stream.Ring
	chunks    []*stream.Chunk // by number; every second is a key chunk, from the first on
	old, next *uplink
	delivered int // times that the next was seen to deliver
}

func newJoining(t *testing.T, chunks int) *joining {
	key, now := newKey(t), time.Now()
	source := stream.NewRing(stream.Limits{})
	w := stream.NewWriter(source, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	j := &joining{t: t, ring: stream.NewRing(stream.Limits{}), chunks: []*stream.Chunk{nil}}
	j.ring.SetHeader(source.Header())
	j.in = newIntake(stream.IDOf(key), j.ring, now)
	for i := range chunks {
		f := stream.EndsChunk
		if i%2 == 0 {
			f |= stream.StartHere
		}
		if err := w.WriteTag([]byte("tag"), f); err != nil {
			t.Fatal(err)
		}
		j.chunks = append(j.chunks, source.At(source.Head()))
	}
	j.old = &uplink{intake: &j.in, sweeper: &sweeper{}, stolen: func(error) {}}
	j.next = &uplink{intake: &j.in, sweeper: &sweeper{}, stolen: func(error) {}, delivered: func() { j.delivered++ }, repeats: rate.NewLimiter(repeatRate, repeatBurst)}
	j.old.feeding.Store(true)
	j.next.feeding.Store(true)
	return j
}

// gives has chunks come over a link.
func (j *joining) gives(u *uplink, from, to int) {
	j.t.Helper()
	for _, c := range j.chunks[from : to+1] {
		if err := u.take(c); err != nil {
			j.t.Fatal(err)
		}
	}
}

// has checks how far the node is, what it has lost, and whether the next parent was seen to deliver.
func (j *joining) has(head, lost uint64, delivered int) {
	j.t.Helper()
	st := j.ring.Stats()
	if st.Head.Seq != head || st.Lost != lost || j.delivered != delivered {
		j.t.Errorf("at chunk %d, %d lost, delivered %d times; want %d, %d, %d", st.Head.Seq, st.Lost, j.delivered, head, lost, delivered)
	}
}

// A parent whose ring begins beyond where the node is does not deliver until another has filled the hole.
func TestWhatComesPastAHoleWaitsForWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoining(t, 60)
		j.gives(j.old, 1, 16)
		j.gives(j.next, 29, 40) // 17 to 28 are missing
		j.has(16, 0, 0)
		j.gives(j.next, 40, 40) // once more
		time.Sleep(holeTime - 1)
		if j.in.giveUp(time.Now()) {
			t.Error("given up before it was time")
		}
		j.gives(j.old, 17, 27)
		j.has(27, 0, 0)
		j.gives(j.old, 28, 28)
		j.has(40, 0, 0)
		j.gives(j.old, 29, 42)
		j.has(42, 0, 0)
		j.gives(j.next, 41, 43)
		j.has(43, 0, 1)
		if n := len(j.in.hole.kept); n > 0 || j.in.hole.bytes != 0 {
			t.Errorf("%d chunks still wait, %d bytes", n, j.in.hole.bytes)
		}
	})
}

func TestAHoleThatNobodyFillsIsJumpedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoining(t, 60)
		j.gives(j.old, 1, 16)
		j.gives(j.next, 29, 40)
		j.has(16, 0, 0)
		time.Sleep(holeTime)
		if !j.in.giveUp(time.Now()) {
			t.Error("not given up when it was time")
		}
		j.has(40, 12, 0)
		j.gives(j.next, 41, 41)
		j.has(41, 12, 1)
		j.gives(j.old, 17, 30) // too late
		j.has(41, 12, 1)
		if j.in.giveUp(time.Now()) {
			t.Error("given up twice")
		}
	})
}

// What has been served already and then jumps has lost it itself: nothing is waited for.
func TestAParentThatHasDeliveredIsNotWaitedFor(t *testing.T) {
	j := newJoining(t, 60)
	j.gives(j.next, 1, 16)
	j.has(16, 0, 1)
	j.gives(j.next, 29, 30)
	j.has(30, 12, 1)
}

func TestWhatWaitsBehindAHoleIsBounded(t *testing.T) {
	j := newJoining(t, 60)
	j.gives(j.old, 1, 16)
	j.in.hole.bytes = holeBytes - 3*len(j.chunks[29].Frame())
	j.gives(j.next, 29, 31)
	j.has(16, 0, 0)
	j.gives(j.next, 32, 32)
	j.has(32, 12, 1)
}

func TestPastAHoleOnlyAKeyChunkIsTaken(t *testing.T) {
	j := newJoining(t, 60)
	j.gives(j.old, 1, 16)
	if err := j.next.take(j.chunks[30]); endOf(err).Reason.String() != "protocol" {
		t.Errorf("a chunk where no decoder can begin: %v", err)
	}
	j.has(16, 0, 0)
}
