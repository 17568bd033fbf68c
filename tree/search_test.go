package tree

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func newTestSearch(w want) (*search, time.Time) {
	s, now := newSearch(rand.New(rand.NewPCG(1, 2))), time.Unix(1000, 0)
	s.setWant(now, w)
	s.begin(now)
	return &s, now
}

// dial adds an attempt that is only dialled.
func (s *search) dial(now time.Time, l Link) *attempt {
	a := &attempt{link: l, place: place(int(l)), started: now}
	s.add(a)
	s.hedge(now, false)
	return a
}

func links(as []*attempt) []Link {
	var ls []Link
	for _, a := range as {
		ls = append(ls, a.link)
	}
	return ls
}

func TestOnlyAnotherWayOfLookingDropsTheAttempts(t *testing.T) {
	for _, test := range []struct {
		from, to want
		dropped  bool // and another round may begin
	}{
		{wantOther, wantAny, false}, // those asked would do for this, too
		{wantAny, wantOther, true},
		{wantAny, wantNothing, true},
		{wantNearer, wantFaster, true},
		{wantNearer, wantAny, true},
		{wantFaster, wantAny, true},
		{wantFaster, wantNearer, true},
	} {
		s, now := newTestSearch(test.from)
		s.dial(now, 3)
		s.dial(now, 1)
		var want []Link
		if test.dropped {
			want = []Link{1, 3}
		}
		if got := links(s.setWant(now, test.to)); !slices.Equal(got, want) || len(s.attempts) != 2-len(want) {
			t.Errorf("%v to %v: dropped %v, want %v", test.from, test.to, got, want)
		}
		if begun := s.begin(now); begun != test.dropped {
			t.Errorf("%v to %v: another round begins: %v", test.from, test.to, begun)
		}
	}
}

func TestAMoreUrgentWantEndsThePause(t *testing.T) {
	s, now := newTestSearch(wantOther)
	for range 10 {
		s.end(now)
	}
	if s.begin(now) {
		t.Fatal("there is no pause")
	}
	s.setWant(now, wantAny)
	if !s.begin(now) {
		t.Error("no round begins")
	}
}

func TestTheNextPlaceIsAskedAfterAWhileOrWhenOneFails(t *testing.T) {
	for _, c := range []struct {
		want  want
		ready bool // the one before was asked over a link that was ready
		after time.Duration
	}{
		{wantAny, false, hurryAfter},
		{wantAny, true, hedgeAfter},
		{wantOther, false, hedgeAfter},
		{wantFaster, false, hedgeAfter},
		{wantNearer, false, hedgeAfter},
	} {
		s, now := newTestSearch(c.want)
		if !s.mayAsk(now) {
			t.Fatal("nobody may be asked")
		}
		a := s.dial(now, 1)
		s.dial(now, 3)
		s.hedge(now, c.ready)
		if s.mayAsk(now.Add(c.after-1)) || !s.mayAsk(now.Add(c.after)) {
			t.Errorf("%v: the next is not asked after %v", c.want, c.after)
		}
		if got := s.deadline(); !got.Equal(now.Add(c.after)) {
			t.Errorf("%v: the deadline comes after %v", c.want, got.Sub(now))
		}
		s.failed(now, a)
		if !s.mayAsk(now) {
			t.Errorf("%v: the next is not asked when one has failed", c.want)
		}
	}
}

func TestThreePlacesAreAskedAtATimeAndEightDialled(t *testing.T) {
	s, now := newTestSearch(wantAny)
	for i := range maxDials {
		want := i < maxAttempts
		if got := s.hasRoom(now); got != want {
			t.Errorf("%d are asked: room for another: %v", i, got)
		}
		s.dial(now, Link(2*i+1))
	}
	if s.attempts.open(now) != maxDials || s.attempts.open(now.Add(dialGrace)) != 0 {
		t.Errorf("%d are open, and %d after the grace", s.attempts.open(now), s.attempts.open(now.Add(dialGrace)))
	}
	if s.hasRoom(now.Add(hungAfter - 1)) {
		t.Error("a ninth is dialled though none hangs")
	}
	if now = now.Add(hungAfter); !s.hasRoom(now) || s.attempts.hung(now).link != 1 {
		t.Error("a dial that hangs does not give way")
	}
	for _, a := range s.attempts.sorted()[:maxAttempts] {
		a.addr = a.place // they answer
	}
	if s.attempts.open(now) != maxAttempts || s.hasRoom(now) || s.attempts.hung(now).link != 7 {
		t.Errorf("%d are open", s.attempts.open(now))
	}
}

// A link that was ready is answered within a round trip by whoever means it.
func TestALinkThatWasReadyAndIsSilentKeepsNobodyFromBeingAsked(t *testing.T) {
	s, now := newTestSearch(wantOther)
	for i := range maxAttempts {
		b := standby{link: Link(2*i + 1), place: place(i), addr: place(i), ready: true}
		s.add(b.attempt(now))
	}
	if s.hasRoom(now.Add(hungAfter - 1)) {
		t.Error("a fourth is asked before they had time")
	}
	if now = now.Add(hungAfter); !s.hasRoom(now) {
		t.Error("nobody else is asked")
	}
	for _, a := range s.attempts.sorted() {
		a.welcome = &Welcome{} // they answer: the label may not be new enough yet
	}
	if s.hasRoom(now) {
		t.Error("a fourth is asked beside three that have answered")
	}
}

func TestEveryThirdPlaceIsAskedOutOfTurn(t *testing.T) {
	s, _ := newTestSearch(wantAny)
	var got []int
	for ; s.asked < 9; s.asked++ {
		if s.outOfTurn() {
			got = append(got, s.asked+1)
		}
	}
	if !slices.Equal(got, []int{3, 6, 9}) {
		t.Errorf("%v", got)
	}
}

func TestThePauseBetweenRoundsDoubles(t *testing.T) {
	for _, test := range []struct {
		want  want
		pause []time.Duration // the middle of what chance gives, ms
	}{
		{wantAny, []time.Duration{100, 200, 400, 800, 1600, 2000, 2000}},
		{wantOther, []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000}},
	} {
		for range 20 {
			s, now := newTestSearch(test.want)
			for i, ms := range test.pause {
				s.end(now)
				pause, mean := s.deadline().Sub(now), ms*time.Millisecond
				if pause < mean/2 || pause >= mean*3/2 {
					t.Fatalf("want %v, round %d: a pause of %v", test.want, i+1, pause)
				}
				if s.begin(s.retryAt.Add(-1)) || !s.begin(s.retryAt) {
					t.Fatal("the round does not begin at its time")
				}
			}
		}
	}
}

func TestSixtyPlacesAreFollowedInARound(t *testing.T) {
	s, now := newTestSearch(wantAny)
	near, far := &attempt{hops: MaxHops - 1}, &attempt{hops: MaxHops}
	if got := s.follow(far, places(1, 2)); len(got) != 0 {
		t.Errorf("%d places are followed after %d hops", len(got), MaxHops)
	}
	n := 0
	for range 20 {
		got := len(s.follow(near, make([]Place, 2*MaxRefer)))
		if got > MaxRefer {
			t.Errorf("%d places of one referral", got)
		}
		n += got
	}
	if n != maxFollowed {
		t.Errorf("%d places are followed, want %d", n, maxFollowed)
	}
	s.end(now)
	s.begin(s.retryAt)
	if len(s.follow(near, places(1))) != 1 {
		t.Error("the next round follows nobody")
	}
}

func TestAnAttemptHasFourSecondsAndAWelcomeItsHold(t *testing.T) {
	const hold = time.Second
	w := &Welcome{}
	for _, test := range []struct {
		name    string
		after   time.Duration
		welcome *Welcome
		since   time.Duration // of the welcome, after the start
		want    Reason
	}{
		{"no answer yet", attemptTime - 1, nil, 0, ReasonNone},
		{"no answer", attemptTime, nil, 0, ReasonSilent},
		{"a welcome is held", hold, w, 1, ReasonNone},
		{"a welcome was held for long enough", hold, w, 0, ReasonNotNeeded},
		{"a late welcome has no more than the attempt", attemptTime, w, attemptTime - 1, ReasonNotNeeded},
	} {
		s, now := newTestSearch(wantAny)
		a := s.dial(now, 1)
		a.welcome, a.since = test.welcome, now.Add(test.since)
		if got := s.expired(now.Add(test.after), a, hold); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestThreeWelcomesThatNeverBecomeFeasibleMeanAWrongLabel(t *testing.T) {
	for want, counts := range map[want]bool{wantNearer: false, wantFaster: true, wantOther: true, wantAny: true} {
		s, now := newTestSearch(want)
		for i := range maxInfeasible {
			if s.wrongLabel() {
				t.Errorf("want %v: wrong after %d", want, i)
			}
			a := &attempt{started: now, since: now, welcome: &Welcome{}}
			s.expired(now.Add(time.Minute), a, time.Second)
		}
		if s.wrongLabel() != counts {
			t.Errorf("want %v: wrong: %v", want, !counts)
		}
		s.startOver(now)
		if s.wrongLabel() || !s.begin(now) {
			t.Errorf("want %v: the search does not start over", want)
		}
	}
}

func TestAPlaceThatSaysNothingIsNoInfeasibleWelcome(t *testing.T) {
	s, now := newTestSearch(wantAny)
	for range 2 * maxInfeasible {
		s.expired(now.Add(time.Minute), &attempt{started: now}, time.Second)
	}
	if s.wrongLabel() {
		t.Error("silent places are taken for infeasible welcomes")
	}
}

func TestAParentEndsTheSearch(t *testing.T) {
	s, now := newTestSearch(wantAny)
	s.named = places(9)
	for i := range 3 {
		s.dial(now, Link(5-2*i))
		s.infeasible++
	}
	if got := links(s.found()); !slices.Equal(got, []Link{1, 3, 5}) {
		t.Errorf("the other attempts are %v", got)
	}
	if s.want != wantNothing || s.wrongLabel() || len(s.takeNamed()) != 0 || !s.deadline().IsZero() {
		t.Errorf("left over: %+v", *s)
	}
}

func TestNamedPlacesAreTakenOnce(t *testing.T) {
	s, _ := newTestSearch(wantAny)
	s.named = places(7, 8)
	if first, again := numbers(s.takeNamed()), s.takeNamed(); !slices.Equal(first, []int{7, 8}) || again != nil {
		t.Errorf("%v, and then %v", first, again)
	}
}
