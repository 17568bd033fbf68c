package relay

import (
	"testing"
	"time"

	"relay/relay/stream"
)

// feed plays what a node sees: a source that makes a chunk every 40 ms and a beat
// every second, over a way that each case bends.
type feed struct {
	at    time.Time     // of the root's zero, by the node's clock
	now   time.Duration // by the root's clock
	lag   lag
	epoch stream.Epoch
	blind bool // the root's clock is not known

	// What has arrived by now, as functions of the root's time.
	chunk func(now time.Duration) (made time.Duration) // the newest chunk here was made then; < 0 if there is none
	head  func(at time.Duration) uint64                // the root's newest chunk
	beat  func(now time.Duration) (ms time.Duration)   // of the newest beat here; < 0 if there is none
}

const chunkEvery = 40 * time.Millisecond

// steady is the root's newest chunk if it makes them without a pause.
func steady(at time.Duration) uint64 { return uint64(at / chunkEvery) }

// after is a way that takes so long.
func after(d time.Duration) func(time.Duration) time.Duration {
	return func(now time.Duration) time.Duration { return now - d }
}

// never is a way on which nothing comes.
func never(time.Duration) time.Duration { return -1 }

// until bends a way at a moment.
func until(t time.Duration, first, then func(time.Duration) time.Duration) func(time.Duration) time.Duration {
	return func(now time.Duration) time.Duration {
		if now < t {
			return first(now)
		}
		return then(now)
	}
}

// held is a way on which nothing has come since then.
func held(t time.Duration, way func(time.Duration) time.Duration) func(time.Duration) time.Duration {
	return until(t, way, func(time.Duration) time.Duration { return way(t) })
}

// slow is a way of that share of the stream's rate from t on.
func slow(t time.Duration, share float64, way func(time.Duration) time.Duration) func(time.Duration) time.Duration {
	return until(t, way, func(now time.Duration) time.Duration {
		return way(t) + time.Duration(float64(now-t)*share)
	})
}

func newFeed() *feed {
	return &feed{
		at:    time.Unix(1e9, 0),
		epoch: stream.Epoch{Ms: 5, Rand: 1},
		chunk: after(20 * time.Millisecond),
		beat:  after(20 * time.Millisecond),
		head:  steady,
	}
}

func (f *feed) observe() observation {
	s := observation{Clock: f.now, ClockKnown: !f.blind}
	if t := f.chunk(f.now); t >= 0 && f.head(t) > 0 {
		seq := f.head(t)
		made := t // the moment at which the root's head became seq
		for made > 0 && f.head(made-time.Millisecond) == seq {
			made -= time.Millisecond
		}
		s.Head = stream.Position{Epoch: f.epoch, Seq: seq}
		s.HeadMs = uint64(made.Milliseconds())
	}
	if t := f.beat(f.now); t >= 0 {
		t = t.Truncate(stream.BeatInterval)
		s.BeatEpoch, s.BeatHead, s.BeatMs = f.epoch, f.head(t), uint64(t.Milliseconds())
	}
	return s
}

// run goes on until then, and returns the lag and whether it is known.
func (f *feed) run(to time.Duration) (d time.Duration, known bool) {
	for ; f.now < to; f.now += lagInterval {
		d, known = f.lag.measure(f.at.Add(f.now), f.observe())
	}
	return d, known
}

// wants fails unless the lag at that time is in the range.
func (f *feed) wants(t *testing.T, at, least, most time.Duration) {
	t.Helper()
	d, known := f.run(at)
	if !known || d < least || d > most {
		t.Errorf("at %v: lag %v, known %v; want %v to %v", at, d, known, least, most)
	}
}

const (
	noLag = 200 * time.Millisecond // a hop, a chunk, a measurement
	msec  = time.Millisecond
	sec   = time.Second
)

func TestAStreamThatKeepsUpHasNoLag(t *testing.T) {
	for name, head := range map[string]func(time.Duration) uint64{
		"video":                 steady,
		"audio, a chunk in 2 s": func(at time.Duration) uint64 { return uint64(at / (2 * sec)) },
		"nothing at all":        func(time.Duration) uint64 { return 0 },
		"an encoder that pauses": func(at time.Duration) uint64 {
			switch {
			case at < 5*sec:
				return steady(at)
			case at < 30*sec:
				return steady(5 * sec)
			}
			return steady(at - 25*sec)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed()
			f.head = head
			f.run(sec)
			for f.now < 40*sec {
				f.wants(t, f.now+lagInterval, 0, noLag)
			}
		})
	}
}

func TestALateStreamIsAsLateAsItsChunks(t *testing.T) {
	f := newFeed()
	f.chunk, f.beat = after(700*msec), after(700*msec)
	f.wants(t, 15*sec, 700*msec, 900*msec)
}

func TestASlowLinkShowsWithinASecondThoughBeatsAreLateToo(t *testing.T) {
	f := newFeed()
	f.chunk = slow(10*sec, 0.7, f.chunk)
	f.beat = slow(10*sec, 0.7, f.beat)
	f.wants(t, 10*sec, 0, noLag)
	f.wants(t, 11*sec, 280*msec, 480*msec)
	f.wants(t, 12*sec, 580*msec, 780*msec)
	f.wants(t, 15*sec, 1480*msec, 1680*msec)
}

func TestAParentThatWithholdsShowsWithTheNextBeat(t *testing.T) {
	f := newFeed()
	f.chunk = held(10500*msec, f.chunk)
	f.wants(t, 10900*msec, 0, noLag)
	f.wants(t, 11200*msec, 550*msec, 750*msec) // the beat of 11 s has come
	f.wants(t, 13*sec, 2350*msec, 2550*msec)
}

func TestAParentThatWithholdsBeatsTooShowsWhenOneIsOverdue(t *testing.T) {
	f := newFeed()
	f.chunk, f.beat = held(10*sec, f.chunk), held(10*sec, f.beat)
	f.wants(t, 11*sec, 0, noLag)
	f.wants(t, 12*sec, 900*msec, 1100*msec)
	f.wants(t, 15*sec, 3900*msec, 4100*msec)
}

func TestAChunkThatIsLaterThanABeatIsNotHeldAgainstItsSource(t *testing.T) {
	// One chunk after a pause of half a minute; the beat that names it came first.
	f := newFeed()
	f.head = func(at time.Duration) uint64 {
		if at < 35*sec {
			return steady(min(at, 5*sec))
		}
		return steady(5*sec) + 1
	}
	f.chunk = after(150 * msec)
	f.run(34900 * msec)
	for f.now < 36*sec {
		f.wants(t, f.now+lagInterval, 0, 700*msec)
	}
	f.wants(t, 37*sec, 0, noLag)
}

func TestLostBeatsAloneAreNoLag(t *testing.T) {
	f := newFeed()
	f.beat = held(5*sec, f.beat)
	f.wants(t, 20*sec, 0, noLag)
}

func TestAStreamThatComesBackLosesItsLag(t *testing.T) {
	f := newFeed()
	f.chunk = until(13*sec, held(10*sec, f.chunk), f.chunk)
	f.wants(t, 13*sec, 2*sec, 3*sec)
	f.wants(t, 13200*msec, 0, noLag)
}

func TestTheLagIsNotKnownWithoutTheRootsClock(t *testing.T) {
	f := newFeed()
	f.blind = true
	if d, known := f.run(5 * sec); known || d != 0 {
		t.Errorf("lag %v, known %v", d, known)
	}
	f.blind = false
	f.wants(t, 6*sec, 0, noLag)
}

func TestTheLagIsNotKnownBeforeAnythingIs(t *testing.T) {
	f := newFeed()
	f.chunk, f.beat = never, never
	if d, known := f.run(5 * sec); known || d != 0 {
		t.Errorf("lag %v, known %v", d, known)
	}
}

// joiner is a node that joins 100 s after the stream began and gets the newest
// group of pictures, 2 s long, at so many times the stream's rate.
func joiner(speed float64) *feed {
	const join = 100 * sec
	f := newFeed()
	f.now = join
	f.chunk = func(now time.Duration) time.Duration {
		return min(now-20*msec, join-2*sec+time.Duration(speed*float64(now-join)))
	}
	return f
}

func TestANewcomerThatCatchesUpHasNoLag(t *testing.T) {
	for _, speed := range []float64{20, 2, 1.25} {
		f := joiner(speed)
		f.run(100*sec + epochSettles + lagInterval)
		for f.now < 115*sec {
			f.wants(t, f.now+lagInterval, 0, noLag+caughtUp)
		}
	}
}

func TestANewcomerThatFallsFurtherBehindHasLag(t *testing.T) {
	f := joiner(0.7)
	f.wants(t, 103*sec, 500*msec, 900*msec)
	f.wants(t, 105*sec, 1100*msec, 1500*msec)
}

func TestANewcomerThatNeverCatchesUpIsForgivenForAWhileOnly(t *testing.T) {
	f := joiner(1)
	f.wants(t, 109*sec, 0, noLag)
	f.wants(t, 111*sec, 1900*msec, 2200*msec)
}

func TestANewcomerThatGetsNothingHasLag(t *testing.T) {
	f := joiner(1)
	f.chunk = never
	f.wants(t, 101*sec, 0, 2100*msec) // since a beat that was up to 1 s old
	f.wants(t, 105*sec, 4*sec, 6100*msec)
}

func TestANewEpochStartsAtItsOwnZero(t *testing.T) {
	f := newFeed()
	f.now = 3600 * sec
	f.run(3610 * sec)

	// Chunks and beats are of the new epoch; the clock is still the old one's.
	g := newFeed()
	g.lag, g.epoch = f.lag, stream.Epoch{Ms: 6, Rand: 2}
	g.at = f.at.Add(f.now)
	clockOff := f.now
	for ; g.now < 2*sec; g.now += lagInterval {
		s := g.observe()
		if g.now < 400*msec {
			s.Clock += clockOff
		}
		if d, known := g.lag.measure(g.at.Add(g.now), s); d > noLag || known && g.now < 400*msec {
			t.Fatalf("%v into the epoch: lag %v, known %v", g.now, d, known)
		}
	}
	g.chunk = slow(10*sec, 0.7, g.chunk)
	g.wants(t, 12*sec, 580*msec, 1*sec)
}

func TestAClockFromBeforeTheEpochIsNotBelieved(t *testing.T) {
	f := newFeed()
	f.now = 100 * sec
	for ; f.now < 110*sec; f.now += lagInterval {
		s := f.observe()
		s.Clock -= 50 * sec
		if d, known := f.lag.measure(f.at.Add(f.now), s); known || d != 0 {
			t.Fatalf("lag %v, known %v", d, known)
		}
	}
}

func TestANodeThatWasStoppedItselfBlamesNobody(t *testing.T) {
	f := newFeed()
	f.run(10 * sec)
	stopped := f.now
	f.now += 5 * sec // and then it reads what waits, at four times the rate
	f.chunk = func(now time.Duration) time.Duration {
		return min(now-20*msec, stopped+4*max(0, now-stopped-5*sec)+5*sec-sec)
	}
	for f.now < 20*sec {
		if d, _ := f.run(f.now + lagInterval); d > noLag {
			t.Fatalf("at %v: lag %v", f.now, d)
		}
	}
}

func TestHostileNumbersDoNoHarm(t *testing.T) {
	const most = 1<<64 - 1
	var l lag
	s := observation{
		Clock: 1<<63 - 1, ClockKnown: true,
		Head:      stream.Position{Epoch: stream.Epoch{Ms: most, Rand: most}, Seq: 1},
		BeatEpoch: stream.Epoch{Ms: most, Rand: most}, BeatHead: most, BeatMs: most,
	}
	at := time.Unix(1e9, 0)
	for range 20 {
		at = at.Add(lagInterval)
		if d, _ := l.measure(at, s); d < 0 {
			t.Fatalf("lag %v", d)
		}
		s.HeadMs = most - s.HeadMs
	}
}
