package tree

import (
	"slices"
	"testing"
	"time"
)

func anyPlace(Place) bool { return true }

func nobodyAbove(ID) bool { return false }

// linked are standby links to nodes, all of the parent's choice.
func linked(is ...int) *standbys {
	s := &standbys{}
	for _, i := range is {
		s.links = append(s.links, &standby{link: Link(2*i + 1), place: place(i), addr: place(i)})
	}
	return s
}

// known is gossip of nodes that a link could be kept to.
func known(is ...int) []Candidate { return gossip(is...).Of }

func TestTheParentsChoiceComesFirstThenGossips(t *testing.T) {
	for _, test := range []struct {
		name     string
		links    *standbys
		assigned []int
		gossip   []Candidate
		want     int  // node, 0 for nobody
		own      bool // the node's choice
	}{
		{"nobody is known", linked(), nil, nil, 0, false},
		{"both", linked(), []int{11, 12}, known(21), 11, false},
		{"gossip only", linked(), nil, known(21, 22), 21, true},
		{"one is linked already", linked(11), []int{11}, known(21), 21, true},
		{"two links of the parent's choice are enough", linked(11, 12), []int{13}, known(21), 0, false},
	} {
		test.links.assigned = places(test.assigned...)
		free := func(p Place) bool { return !test.links.holds(p) }
		c, ok := test.links.next(test.gossip, 3, free, nobodyAbove)
		if ok != (test.want != 0) || ok && (number(c.place) != test.want || c.own != test.own || c.instead != nil) {
			t.Errorf("%s: %+v, %v, want node %d", test.name, c, ok, test.want)
		}
	}
}

func TestGossipsPlaceIsNoDeeperGivesSlotsAndIsNotAbove(t *testing.T) {
	above := func(id ID) bool { return id == place(9).ID }
	for _, test := range []struct {
		name string
		c    Candidate
		want bool
	}{
		{"as deep", Candidate{Place: place(1), Depth: 3, Slots: 1}, true},
		{"deeper", Candidate{Place: place(1), Depth: 4, Slots: 1}, false},
		{"somewhere", Candidate{Place: place(1), Depth: -1, Slots: 1}, false},
		{"without slots", Candidate{Place: place(1), Depth: 3}, false},
		{"an ancestor", Candidate{Place: place(9), Depth: 1, Slots: 1}, false},
	} {
		if _, ok := linked().next([]Candidate{test.c}, 3, anyPlace, above); ok != test.want {
			t.Errorf("%s: %v", test.name, ok)
		}
	}
}

func TestALinkOfTheNodesOwnChoiceMakesWayForTheParentsIfBothAre(t *testing.T) {
	for own, instead := range map[int]Link{0: 0, 1: 0, 2: 1} {
		s := linked(0, 1)
		for _, b := range s.links[:own] {
			b.own = true
		}
		s.assigned = places(11)
		c, ok := s.next(nil, 3, anyPlace, nobodyAbove)
		if ok != (instead != 0) || ok && c.instead.link != instead {
			t.Errorf("%d of the node's own choice: %+v, %v", own, c, ok)
		}
	}
}

func TestTheNextIsDialledAQuarterOfASecondLater(t *testing.T) {
	s, now := linked(), time.Unix(1000, 0)
	s.dial(now, 3, choice{place: place(11)})
	s.dial(now, 5, choice{place: place(21), own: true})
	if got := s.dialAt.Sub(now); got != standbyPace {
		t.Errorf("the next is dialled after %v", got)
	}
	if a, b := s.find(3), s.find(5); a.own || a.chosen || !b.own || !b.chosen || s.tries != 1 {
		t.Errorf("%+v, %+v, %d tries", *a, *b, s.tries)
	}
}

func TestAPlaceHasFourSecondsToAnswerAndThenToSpeakWithinTheLimit(t *testing.T) {
	const limit = 5 * second
	now := time.Unix(1000, 0)
	b := &standby{started: now}
	if b.silent(now.Add(attemptTime-1), limit) || !b.silent(now.Add(attemptTime), limit) {
		t.Error("not silent after 4 s without an answer")
	}
	now = now.Add(second)
	b.welcomed(now, Welcome{})
	if b.silent(now.Add(limit-1), limit) || !b.silent(now.Add(limit), limit) {
		t.Error("not silent after the limit")
	}
	now = now.Add(second)
	b.beat(now, Heartbeat{})
	if b.silent(now.Add(limit-1), limit) || !b.silent(now.Add(limit), limit) {
		t.Error("a heartbeat does not count")
	}
}

func TestAReportIsDueASecondAfterTheWelcomeAndAfterEachReport(t *testing.T) {
	now := time.Unix(1000, 0)
	b := &standby{started: now}
	if b.reportDue(now.Add(time.Minute), second) {
		t.Error("due without a welcome")
	}
	b.welcomed(now, Welcome{})
	for range 3 {
		if b.reportDue(now.Add(second-1), second) || !b.reportDue(now.Add(second), second) {
			t.Error("not due after a second")
		}
		now = now.Add(second)
		b.told = now
	}
}

func TestAStandbyHasNoRoomUntilItSaysSo(t *testing.T) {
	now := time.Unix(1000, 0)
	b := &standby{}
	b.welcomed(now, Welcome{Lag: 700, Path: places(100, 11)})
	if b.room != noRoom || b.lag != 700*time.Millisecond || len(b.path) != 2 {
		t.Errorf("after the welcome: %+v", *b)
	}
	b.beat(now, Heartbeat{Orphan: true, Room: allRoom(1), Lag: 300})
	if b.room != allRoom(1) || b.lag != 300*time.Millisecond || !b.orphan {
		t.Errorf("after the heartbeat: %+v", *b)
	}
}

func TestTheFirstLinkThatIsReadyAndFitsIsUsed(t *testing.T) {
	now := time.Unix(1000, 0)
	s := linked(0, 1)
	attached := func(b *standby) bool { return !b.orphan }
	if b := s.fitting(attached); b != nil {
		t.Errorf("%v is used before its welcome", b.link)
	}
	for _, b := range s.links {
		b.welcomed(now, Welcome{})
	}
	if b := s.fitting(attached); b == nil || b.link != 1 {
		t.Errorf("%+v is used, want the first", b)
	}
	s.links[0].beat(now, Heartbeat{Orphan: true})
	b := s.fitting(attached)
	if b == nil || b.link != 3 {
		t.Fatalf("%+v is used, want the one that is no orphan", b)
	}
	if a := b.attempt(now); a.link != 3 || !a.pulled || a.dialling() || !a.started.Equal(now) {
		t.Errorf("the attempt is %+v", *a)
	}
}

func TestASharedPathIsGivenUpAfterTenSecondsUpToFiveTimes(t *testing.T) {
	now := time.Unix(1000, 0)
	shared := func(path []Place) bool { return len(path) > 0 && number(path[0]) == 101 }
	for _, test := range []struct {
		name   string
		change func(*standbys)
		after  time.Duration
		want   bool
	}{
		{"shared", func(*standbys) {}, disjointEvery, true},
		{"too early", func(*standbys) {}, disjointEvery - 1, false},
		{"another way", func(s *standbys) { s.links[0].path = places(77) }, disjointEvery, false},
		{"no welcome yet", func(s *standbys) { s.links[0].ready = false }, disjointEvery, false},
		{"the parent's choice", func(s *standbys) { s.links[0].chosen = false }, disjointEvery, false},
		{"the last try", func(s *standbys) { s.tries = disjointTries }, disjointEvery, false},
	} {
		s := linked()
		s.dial(now, 1, choice{place: place(21), own: true})
		s.links[0].welcomed(now, Welcome{Path: places(101)})
		test.change(s)
		if got := s.sharing(now.Add(test.after), shared) != nil; got != test.want {
			t.Errorf("%s: given up: %v", test.name, got)
		}
	}
}

func TestAfterAMoveAllLinksAreTheNodesOwnAndThoseToTheParentGo(t *testing.T) {
	s, now := linked(11, 12), time.Unix(1000, 0)
	s.assigned, s.tries = places(11, 12), disjointTries
	gone := s.moved(now, place(12))
	if len(gone) != 1 || gone[0].link != 25 {
		t.Errorf("the links that lead to the new parent are %+v", gone)
	}
	if len(s.assigned) != 0 || s.tries != 0 || s.dialAt != now.Add(standbyPace) {
		t.Errorf("left over: %+v", *s)
	}
	if slices.ContainsFunc(s.links, func(b *standby) bool { return !b.own }) {
		t.Error("a link is still the parent's choice")
	}
}

func TestALinkThatTheParentChoosesNoLongerIsTheNodesOwn(t *testing.T) {
	s := linked(11, 12)
	s.assign(places(12, 13))
	if !s.find(23).own || s.find(25).own {
		t.Errorf("node 11: own: %v, node 12: own: %v", s.find(23).own, s.find(25).own)
	}
	s.assign(places(11, 12))
	if !s.find(23).own {
		t.Error("a link becomes the parent's again")
	}
}

func TestLinksCanBeRemovedWhileTheyAreRangedOver(t *testing.T) {
	s := linked(11, 12)
	seen := 0
	for _, b := range s.links {
		s.remove(b)
		seen++
	}
	if seen != 2 || len(s.links) != 0 {
		t.Errorf("%d were seen, %d are left", seen, len(s.links))
	}
}
