package relay

import (
	"crypto/ed25519"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/stream"
)

// joining is a node with two parents, of which the second has less history than the node.
type joining struct {
	t         *testing.T
	key       ed25519.PrivateKey
	in        intake
	ring      *stream.Ring
	chunks    []*stream.Chunk // by number; every second is a key chunk, from the first on
	old, next *uplink
	delivered int           // times that the next was seen to deliver
	pace      time.Duration // from one chunk to the next
	source    *stream.Writer
}

func newJoining(t *testing.T, chunks int) *joining { return newJoiningAt(t, chunks, 0) }

func newJoiningAt(t *testing.T, chunks int, pace time.Duration) *joining {
	key, now := newKey(t), time.Now()
	j := &joining{t: t, key: key, ring: stream.NewRing(stream.Limits{}), pace: pace}
	j.in = newIntake(stream.IDOf(key), j.ring, now)
	j.chunks = j.stream(stream.NextEpoch(stream.Epoch{}, now, 1), chunks, "tag")
	j.old = &uplink{intake: &j.in, sweeper: &sweeper{}, stolen: func(error) {}}
	j.next = &uplink{intake: &j.in, sweeper: &sweeper{}, stolen: func(error) {}, delivered: func() { j.delivered++ }, repeats: rate.NewLimiter(repeatRate, repeatBurst)}
	for _, is := range []*atomic.Bool{&j.old.feeding, &j.old.proved, &j.old.told} { // it has delivered long since
		is.Store(true)
	}
	j.next.feeding.Store(true)
	return j
}

// stream is what the channel's source sends in an epoch, by number, and has the node know the header.
func (j *joining) stream(e stream.Epoch, chunks int, tag string) []*stream.Chunk {
	j.t.Helper()
	source := stream.NewRing(stream.Limits{})
	w := stream.NewWriter(source, j.key, e, time.Now())
	if err := w.SetHeader([]byte("header")); err != nil {
		j.t.Fatal(err)
	}
	j.ring.SetHeader(source.Header())
	all := []*stream.Chunk{nil}
	for i := range chunks {
		f := stream.EndsChunk
		if i%2 == 0 {
			f |= stream.StartHere
		}
		if err := w.WriteTag([]byte(tag), f); err != nil {
			j.t.Fatal(err)
		}
		time.Sleep(j.pace)
		all = append(all, source.At(source.Head()))
	}
	j.source = w
	return all
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
	if j.next.proved.Load() && !j.next.told.Swap(true) { // as the channel's goroutine does
		j.next.delivered()
	}
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
		j.has(40, 0, 1)
		j.gives(j.old, 29, 42)
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
		j.has(40, 12, 1)
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

// A source that starts again numbers its chunks anew.
func TestWhatWaitsIsOfItsOwnEpochAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoining(t, 60)
		j.gives(j.old, 1, 16)
		j.gives(j.next, 29, 50)
		before := j.chunks
		time.Sleep(time.Second)
		j.chunks = j.stream(stream.NextEpoch(before[1].Epoch(), time.Now(), 2), 60, "tag")
		j.gives(j.old, 31, 31) // a node begins at any key chunk
		if got := j.ring.Head(); got != j.chunks[31].Position() {
			t.Errorf("the node is at %v", got)
		}
		if len(j.in.hole.kept) > 0 || j.in.hole.bytes != 0 {
			t.Errorf("%d chunks of the run before wait, %d bytes", len(j.in.hole.kept), j.in.hole.bytes)
		}
		j.gives(j.old, 32, 60)
		if got := j.ring.Head(); got != j.chunks[60].Position() {
			t.Errorf("the node is at %v", got)
		}
	})
}

// Two chunks for one position are found out wherever the first of them is.
func TestADoubleIsFoundAmongWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoining(t, 40)
		j.gives(j.old, 1, 16)
		j.gives(j.next, 29, 29)
		other := j.stream(j.chunks[1].Epoch(), 40, "another")
		if err := j.next.take(other[29]); !errors.As(err, new(*StolenError)) {
			t.Errorf("another chunk 29: %v", err)
		}
	})
}

// A place that lacks something again and again has the player wait once.
func TestALinkKeepsNobodyWaitingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJoining(t, 60)
		j.gives(j.old, 1, 16)
		j.gives(j.next, 21, 21)
		time.Sleep(holeTime)
		if !j.in.giveUp(time.Now()) {
			t.Error("it waits for longer than it should")
		}
		j.gives(j.next, 31, 31)
		j.has(31, 13, 1)
		j.gives(j.next, 41, 41)
		j.has(41, 22, 1)
	})
}

// A node that has nothing yet, and is offered what was, waits for somebody who has the present.
func TestANewcomerBeginsAtThePresent(t *testing.T) {
	const pace = 100 * time.Millisecond
	for name, test := range map[string]struct {
		pause       time.Duration // of the source, behind the last chunk
		told        bool          // the newcomer has a beat of the end
		give        func(j *joining)
		first, head uint64 // what the ring has at once,
		late        uint64 // and where it begins if nobody brings more; 0 for where it began
	}{
		"there is no more yet":              {0, true, func(j *joining) { j.gives(j.next, 119, 120) }, 119, 120, 0},
		"nobody says that there is more":    {0, false, func(j *joining) { j.gives(j.next, 1, 6) }, 1, 6, 0},
		"a parent has what was":             {0, true, func(j *joining) { j.gives(j.next, 1, 6) }, 0, 0, 5},
		"it goes on up to the present":      {0, true, func(j *joining) { j.gives(j.next, 1, 120) }, 61, 120, 0},
		"another has the present":           {0, true, func(j *joining) { j.gives(j.next, 1, 6); j.gives(j.old, 111, 120); j.gives(j.next, 7, 9) }, 111, 120, 0},
		"it came up to another's":           {0, true, func(j *joining) { j.gives(j.next, 1, 6); j.gives(j.old, 41, 90) }, 61, 90, 0},
		"the source has made nothing since": {time.Minute, true, func(j *joining) { j.gives(j.next, 119, 120) }, 119, 120, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJoiningAt(t, 120, pace)
				j.old.proved.Store(false)
				if time.Sleep(test.pause); test.told {
					j.in.beat.Store(j.source.Beat())
				}
				test.give(j)
				begins := func(want, head uint64) {
					t.Helper()
					if st := j.ring.Stats(); j.ring.Oldest().Seq != want || st.Head.Seq != head || st.Lost != 0 {
						t.Errorf("it begins at %d, is at %d, and has lost %d; want %d, %d and nothing", j.ring.Oldest().Seq, st.Head.Seq, st.Lost, want, head)
					}
				}
				begins(test.first, test.head)
				if n := len(j.in.hole.kept); n > 2 { // from one key chunk to the next
					t.Errorf("%d chunks wait", n)
				}
				time.Sleep(holeTime)
				if j.in.giveUp(time.Now()) != (test.late > 0) {
					t.Errorf("what waits was given up: %v", test.late == 0)
				}
				if test.late > 0 {
					begins(test.late, 6)
				}
				if n := len(j.in.hole.kept); n > 0 || j.in.hole.bytes != 0 {
					t.Errorf("%d chunks still wait, %d bytes", n, j.in.hole.bytes)
				}
			})
		})
	}
}

// A parent that is late for good is taken after all, though each of its groups of pictures is a new one.
func TestANewcomerDoesNotWaitForEver(t *testing.T) {
	const pace = 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		j := newJoiningAt(t, 120, pace)
		j.in.beat.Store(j.source.Beat())
		for i := range int(holeTime / pace) {
			j.gives(j.next, i+1, i+1)
			if j.in.giveUp(time.Now()) {
				t.Fatalf("given up after %v", time.Duration(i)*pace)
			}
			time.Sleep(pace)
		}
		if !j.in.giveUp(time.Now()) || j.ring.Head().Seq != 15 || j.ring.Oldest().Seq != 15 {
			t.Errorf("it begins at %d, and is at %d", j.ring.Oldest().Seq, j.ring.Head().Seq)
		}
	})
}
