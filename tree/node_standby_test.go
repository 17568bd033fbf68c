package tree

import (
	"slices"
	"testing"
	"time"
)

// standby gives the node links to places of its parent's choice, in this order.
func (r *rig) standby(up Link, is ...int) []Link {
	r.t.Helper()
	r.give(Received{up, Backups{places(is...), 0}})
	var ls []Link
	for _, i := range is {
		d, ok := r.dial(2*standbyPace, r.beats(up, Heartbeat{}))
		if !ok || number(d.Place) != i {
			r.t.Fatalf("dialled %+v, want node %d", d, i)
		}
		r.answer(d)
		ls = append(ls, d.Link)
	}
	return ls
}

// answer lets the place dialled welcome the node as a guest.
func (r *rig) answer(d Dial) {
	r.t.Helper()
	if j, ok := sent[Join](r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})); !ok || !j.Standby {
		r.t.Fatalf("asked for %+v", j)
	}
	r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 3}, Path: []Place{place(100), d.Place}}})
}

// fed are the links that the stream is asked for over.
func fed(as []Action) []Link {
	var ls []Link
	for _, f := range every[Feed](as) {
		ls = append(ls, f.Link)
	}
	return ls
}

// gossip tells of places that a node could keep a standby link to.
func gossip(is ...int) Candidates {
	ev := hints(is...)
	for i := range ev.Of {
		ev.Of[i].Depth, ev.Of[i].Slots = 1, 4
	}
	return ev
}

func standing(r *rig) []int { return numbers(r.Info().Standbys) }

func TestTwoStandbyLinksAreKeptTheFirstOfTheParentsChoice(t *testing.T) {
	for _, test := range []struct {
		name   string
		told   []int
		gossip []int
		want   []int
	}{
		{"the parent's", []int{11, 12, 13}, []int{21}, []int{11, 12}},
		{"one by the parent", []int{11}, []int{21, 22}, []int{11, 0}}, // 0: any of gossip's
		{"gossip alone", nil, []int{21, 22, 23}, []int{0, 0}},
		{"an ancestor is no use as the second", []int{11}, []int{100, 101}, []int{11}},
	} {
		r := newRig(t, Config{})
		up := r.below(3)
		r.give(Received{up, Backups{places(test.told...), 0}})
		r.give(gossip(test.gossip...))
		for range 20 {
			for _, d := range every[Dial](r.live(standbyPace, r.beats(up, Heartbeat{}))) {
				r.answer(d)
			}
		}
		got := standing(r)
		for i := range got {
			if slices.Contains(test.gossip, got[i]) {
				got[i] = 0
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestTheParentsChoiceReplacesTheNodesOwn(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(gossip(21, 22))
	speak := r.beats(up, Heartbeat{})
	for range 2 {
		d, _ := r.dial(2*standbyPace, speak)
		r.answer(d)
	}
	own := standing(r)
	r.give(Received{up, Backups{places(11, 12), 0}})
	as := r.live(2*standbyPace, speak)
	d, ok := first[Dial](as)
	if !ok || number(d.Place) != 11 || len(every[Dial](as)) != 1 || len(every[Close](as)) != 1 {
		t.Fatalf("%+v", as)
	}
	r.answer(d)
	if got := standing(r); len(got) != 2 || !slices.Contains(got, 11) || !slices.Contains(own, got[0]) && !slices.Contains(own, got[1]) {
		t.Errorf("%v, and before %v", got, own)
	}
}

func TestStandbyLinksAreDialledAQuarterOfASecondApart(t *testing.T) {
	r := newRig(t, Config{})
	var is []int
	for i := range 20 {
		is = append(is, 21+i)
	}
	up := r.below(3)
	last, n := r.now, 0
	r.give(gossip(is...))
	r.give(Received{up, Backups{places(11, 12, 13, 14), 0}})
	asked := make(map[int]time.Time)
	beat := r.beats(up, Heartbeat{})
	for range 4000 {
		as := r.pass(5 * time.Millisecond)
		if r.now.UnixMilli()%50 == 0 {
			as = append(as, beat()...)
		}
		for _, d := range every[Dial](as) {
			if gap := r.now.Sub(last); gap < standbyPace {
				t.Errorf("dialled %v after the one before", gap)
			}
			i := number(d.Place)
			if at, ok := asked[i]; ok && r.now.Sub(at) < standbyAvoid {
				t.Errorf("node %d is asked again after %v", i, r.now.Sub(at))
			}
			asked[i], last, n = r.now, r.now, n+1
			r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
			r.give(Received{d.Link, Refer{Reason: ReasonFull}})
		}
	}
	if n < 24 { // all of them, and the first of them again
		t.Errorf("%d are dialled in 20 s", n)
	}
}

func TestReportsGoOverAStandbyLinkEverySecondAndSilenceEndsIt(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	ls := r.standby(up, 11, 12)
	as := r.live(20*time.Second, r.beats(up, Heartbeat{}), r.beats(ls[0], Heartbeat{}), r.beats(ls[1], Heartbeat{}))
	for _, l := range ls {
		if n := len(sentTo[Report](as, l)); n < 18 || n > 20 {
			t.Errorf("%d reports in 20 s", n)
		}
	}
	one := []func() []Action{r.beats(up, Heartbeat{}), r.beats(ls[1], Heartbeat{})}
	if as := r.live(childSilence-heartbeatInterval, one...); len(every[Close](as)) != 0 {
		t.Errorf("%+v", every[Close](as))
	}
	if as := r.live(2*heartbeatInterval, one...); closed(as, ls[0]) != ReasonSilent || len(standing(r)) != 1 {
		t.Errorf("closed because of %v, left: %v", closed(as, ls[0]), standing(r))
	}
}

func TestAStandbyLinkIsPulledInTheCallThatEndsTheParents(t *testing.T) {
	for _, test := range []struct {
		name string
		ev   func(up Link) Event
	}{
		{"it is down", func(up Link) Event { return Down{up, ByThem(ReasonClosed)} }},
		{"it says why", func(up Link) Event { return Received{up, Bye{Reason: ReasonProtocol}} }},
		{"it is leaving", func(up Link) Event { return Received{up, Bye{Reason: ReasonLeaving}} }},
		{"it would be a loop", func(up Link) Event { return Received{up, Path{places(100, 0, 102)}} }},
	} {
		r := newRig(t, Config{})
		up := r.below(3)
		ls := r.standby(up, 11, 12)
		if got := fed(r.give(test.ev(up))); !slices.Equal(got, ls[:1]) {
			t.Errorf("%s: fed by %v, want %v", test.name, got, ls[:1])
		}
	}
}

func TestSilenceOf150MillisecondsPullsTheFirstAndAsMuchAgainTheNext(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	ls := r.standby(up, 11, 12)
	r.live(heartbeatInterval, r.beats(up, Heartbeat{}))
	if as := r.pass(3*heartbeatInterval - time.Millisecond); len(fed(as)) != 0 {
		t.Fatalf("fed by %v before it is silent", fed(as))
	}
	if got := fed(r.pass(time.Millisecond)); !slices.Equal(got, ls[:1]) {
		t.Fatalf("fed by %v, want %v", got, ls[:1])
	}
	if as := r.pass(hedgeAfter - time.Millisecond); len(fed(as)) != 0 || len(every[Dial](as)) != 0 || len(every[Close](as)) != 0 {
		t.Errorf("the first has had no time: %+v", as)
	}
	if got := fed(r.pass(time.Millisecond)); !slices.Equal(got, ls[1:]) {
		t.Errorf("fed by %v, want %v", got, ls[1:])
	}
	if _, ok := first[Dial](r.pass(hedgeAfter)); !ok {
		t.Error("nobody else is asked when both say nothing")
	}
}

func TestAFailedStandbyLinkMakesWayForTheNextAtOnce(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	ls := r.standby(up, 11, 12)
	r.give(Down{up, ByThem(ReasonClosed)})
	if got := fed(r.give(Received{ls[0], Refer{Reason: ReasonFull}})); !slices.Equal(got, ls[1:]) {
		t.Errorf("fed by %v, want %v", got, ls[1:])
	}
}

func TestAFalseAlarmDropsWhatWasPulled(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	ls := r.standby(up, 11)
	r.live(heartbeatInterval, r.beats(up, Heartbeat{}))
	if got := fed(r.pass(3 * heartbeatInterval)); !slices.Equal(got, ls) {
		t.Fatalf("fed by %v", got)
	}
	as := r.give(Heard{Link: up})
	if closed(as, ls[0]) != ReasonNotNeeded || !r.Info().Attached || number(r.Info().Parent) != 102 {
		t.Errorf("%+v", as)
	}
	if as := r.live(2*time.Second, r.beats(up, Heartbeat{})); len(every[Orphaned](as)) != 0 || len(every[Attached](as)) != 0 {
		t.Errorf("%+v", as)
	}
}

func TestADisplacedChildDoesNotCrowdItsBackup(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.standby(up, 11, 12)
	as := r.give(Received{up, Bye{ReasonDisplaced, places(31), 0}})
	as = append(as, r.live(2*time.Second, r.beats(up, Heartbeat{}))...)
	if got := fed(as); len(got) != 0 {
		t.Errorf("fed by %v", got)
	}
	if d, ok := first[Dial](as); !ok || number(d.Place) != 31 {
		t.Errorf("asked %+v first, want the one it was sent to", d)
	}
}

func TestAStandbyLinkIsCommittedToWhenItsLabelIsFeasible(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	l := r.standby(up, 11)[0]
	r.live(heartbeatInterval, r.beats(up, Heartbeat{Label: Label{H: 2}}))
	at := r.at
	r.give(Down{up, ByThem(ReasonClosed)})
	welcome := Welcome{Label: Label{Epoch{Ms: 1}, at.E, 3}, Path: places(100, 11)}
	if as := r.give(Received{l, welcome}); len(every[Attached](as)) != 0 {
		t.Fatal("committed to one that may be below it")
	}
	if as := r.give(Received{l, Heartbeat{Label: Label{Epoch{Ms: 1}, at.E - 1, 0}}}); len(every[Attached](as)) != 0 {
		t.Fatal("committed to an old label")
	}
	a, ok := first[Attached](r.give(Received{l, Heartbeat{Label: Label{Epoch{Ms: 1}, at.E + 1, 3}}}))
	if !ok || a.Link != l || a.Depth != 4 {
		t.Errorf("%+v", a)
	}
}

func TestWhenLateOnlyAFasterStandbyLinkIsPulled(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	ls := r.standby(up, 11, 12)
	r.give(Progress{Lag: 900 * time.Millisecond})
	as := r.live(2*time.Second, r.beats(up, Heartbeat{}),
		r.beats(ls[0], Heartbeat{Lag: 700}), r.beats(ls[1], Heartbeat{Lag: 100}))
	if got := fed(as); !slices.Equal(got, ls[1:]) {
		t.Errorf("fed by %v, want %v", got, ls[1:])
	}
}

func TestNoStandbyLinkLeadsToTheNodeItselfItsParentOrItsChild(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	up := r.below(3)
	r.come(2, 1, Join{}, Report{})
	r.give(Received{up, Backups{places(0, 102, 1), 0}})
	r.give(gossip(0, 102, 1))
	speak := []func() []Action{r.beats(up, Heartbeat{}), r.reports(2, Report{})}
	if d, ok := first[Dial](r.live(2*time.Second, speak...)); ok {
		t.Errorf("%+v", d)
	}
	// The node is no less careful if that shows only once the connection stands, or in the
	// welcome.
	for _, peer := range []int{0, 102, 1} {
		r.give(Received{up, Backups{[]Place{{Addrs: place(50 + peer).Addrs}}, 0}})
		d, ok := r.dial(2*standbyPace, speak...)
		if !ok {
			t.Fatal("nothing is dialled")
		}
		if why := closed(r.give(Up{d.Link, place(peer).ID, d.Place.first(), false, false}), d.Link); why != ReasonNotNeeded {
			t.Errorf("node %d: %v", peer, why)
		}
	}
	r.give(Received{up, Backups{places(11), 0}})
	d, _ := r.dial(2*standbyPace, speak...)
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, 9, 5}, Path: places(100, 0, 11)}})
	if why := closed(as, d.Link); why != ReasonLoop {
		t.Errorf("below the node itself: %v", why)
	}
}

func TestFivePlacesAreTriedForAPathThatSharesOnlyTheRoot(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(gossip(21, 22, 23, 24, 25, 26, 27, 28))
	speak := []func() []Action{r.beats(up, quiet(2))}
	var at []time.Time
	for range 2 { // both are its own choice, and lead through an ancestor
		d, _ := r.dial(second, speak...)
		r.answerBy(d, 100, 101)
		speak = append(speak, r.beats(d.Link, quiet(2)))
	}
	for range 10 {
		d, ok := r.dial(time.Minute, speak...)
		if !ok {
			break
		}
		at = append(at, r.now)
		r.answerBy(d, 100, 101)
		speak = append(speak, r.beats(d.Link, quiet(2)))
	}
	if len(at) != disjointTries-2 || len(standing(r)) != 2 {
		t.Errorf("%d more are tried, and %v kept", len(at), standing(r))
	}
	r = newRig(t, Config{})
	up = r.below(3)
	r.give(gossip(21, 22, 23))
	for range 2 {
		d, _ := r.dial(second, r.beats(up, quiet(2)))
		r.answerBy(d, 100, 77)
	}
	if d, ok := r.dial(4*second, r.beats(up, quiet(2))); ok {
		t.Errorf("%+v, though both ways are others", d)
	}
}

// answerBy lets the place dialled welcome the node, with that path from the root.
func (r *rig) answerBy(d Dial, path ...int) []Action {
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	return r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 2}, Path: append(places(path...), d.Place)}})
}

func TestANodeDoesNotChooseAStandbyBelowItsParent(t *testing.T) {
	for _, own := range []bool{true, false} {
		r := newRig(t, Config{})
		up := r.below(3)
		if own {
			r.give(gossip(21))
		} else { // a sibling, by which the parent knows what it does
			r.give(Received{up, Backups{places(21), 0}})
		}
		d, _ := r.dial(second, r.beats(up, quiet(2)))
		as := r.answerBy(d, 100, 101, 102)
		if dropped := closed(as, d.Link) == ReasonNotNeeded; dropped != own {
			t.Errorf("own choice: %v, dropped: %v", own, dropped)
		}
	}
}

func TestAnOrphansChildWaitsLongerTheDeeperItIs(t *testing.T) {
	for _, depth := range []int{2, 5, 10} {
		for _, test := range []struct {
			name   string
			orphan bool // the standby, too
			want   bool
		}{{"a link that helps", false, true}, {"a link to another orphan", true, false}} {
			r := newRig(t, Config{})
			up := r.below(depth)
			r.give(gossip(21))
			d, _ := r.dial(second, r.beats(up, quiet(depth-1)))
			r.answerBy(d, 100, 77)
			stuck, other := quiet(depth-1), quiet(2)
			stuck.Orphan, other.Orphan = true, test.orphan
			speak := []func() []Action{r.beats(up, stuck), r.beats(d.Link, other)}
			for _, s := range speak {
				s()
			}
			wait := 100*time.Millisecond + time.Duration(depth)*50*time.Millisecond
			if got := fed(r.live(wait-heartbeatInterval, speak...)); len(got) != 0 {
				t.Errorf("depth %d, %s: fed after less than %v", depth, test.name, wait)
			}
			if got := fed(r.live(2*heartbeatInterval, speak...)); (len(got) == 1) != test.want {
				t.Errorf("depth %d, %s: fed by %v", depth, test.name, got)
			}
		}
	}
}

func TestChildrenHearOfALossInTheSameCall(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	up := r.below(2)
	r.come(2, 1, Join{}, Report{})
	if ms := sentTo[Heartbeat](r.give(Down{up, ByThem(ReasonClosed)}), 2); len(ms) != 1 || !ms[0].Orphan {
		t.Errorf("the link ends: %+v", ms)
	}
	r = newRig(t, Config{Slots: 1})
	up = r.below(2)
	r.come(2, 1, Join{}, Report{})
	r.live(heartbeatInterval, r.beats(up, quiet(1)))
	ms := sentTo[Heartbeat](r.pass(3*heartbeatInterval), 2)
	if len(ms) == 0 || !ms[len(ms)-1].Orphan {
		t.Errorf("silence: %+v", ms)
	}
}

func TestAStandbyLinkTakesThePlaceOfADialThatHangs(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(Received{up, Backups{places(11), 0}})
	late, ok := r.dial(2*standbyPace, r.beats(up, Heartbeat{}))
	if !ok || number(late.Place) != 11 {
		t.Fatalf("dialled %+v, want node 11", late)
	}
	r.give(hints(20, 21, 22, 23, 24, 25, 26, 27, 28, 29))
	r.give(Down{up, ByThem(ReasonClosed)})
	r.live(time.Second + 200*time.Millisecond) // nobody answers
	if n := len(r.search.attempts); n != maxDials {
		t.Fatalf("%d dials are under way, want %d", n, maxDials)
	}
	r.answer(late)
	if as := r.live(2 * hedgeAfter); !slices.Contains(fed(as), late.Link) {
		t.Error("the link is ready and is not used")
	}
	if n := len(r.search.attempts); n > maxDials {
		t.Errorf("%d attempts, want %d at most", n, maxDials)
	}
}

// TestTheOnlyWayOutOfASourceIsNoneToAvoid has a source that nobody can dial, and so one node through which
// all have the stream.
func TestTheOnlyWayOutOfASourceIsNoneToAvoid(t *testing.T) {
	r := newRig(t, Config{})
	r.below(3)
	way := func(source Place, on ...int) []Place {
		path := []Place{source}
		for _, i := range on {
			path = append(path, place(i))
		}
		return path
	}
	for _, c := range []struct {
		name string
		path []Place
		want bool
	}{
		{"the root is dialled", way(place(100), 101, 77), true},
		{"it is not", way(Place{ID: place(100).ID}, 101, 77), false},
		{"and one further down is shared", way(Place{ID: place(100).ID}, 101, 102, 77), true},
		{"nothing is", way(place(100), 77), false},
	} {
		if got := r.shares(c.path); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestAPlaceOfItsOwnChoiceThatIsNotReachedIsLeftAlone has gossip tell of two nodes, of which one is behind
// a router that drops what comes.
func TestAPlaceOfItsOwnChoiceThatIsNotReachedIsLeftAlone(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(Candidates{[]Candidate{{Place: place(11), Depth: 1, Free: 1, Slots: 1}}})
	d, ok := r.dial(time.Second, r.beats(up, Heartbeat{}))
	if !ok || number(d.Place) != 11 {
		t.Fatalf("%+v", d)
	}
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	if d, ok := r.dial(distrustTime-time.Second, r.beats(up, Heartbeat{})); ok {
		t.Errorf("%+v is dialled again soon", d)
	}
	if _, ok := r.dial(2*time.Second, r.beats(up, Heartbeat{})); !ok {
		t.Error("it is not dialled again")
	}
}

// A parent that serves on for longer than it may, if it has too many children, has room again. The node must not
// be without a backup from then on.
func TestANodeThatWasAskedToMoveAndStaysHasABackupAgain(t *testing.T) {
	r := newRig(t, Config{Slots: 4})
	up := r.below(2)
	r.give(Received{up, Bye{ReasonDisplaced, nil, 0}})
	r.live(staysAfter-heartbeatInterval, r.beats(up, quiet(1)))
	if !r.up.moving() {
		t.Fatal("it stays too early")
	}
	r.live(2*heartbeatInterval, r.beats(up, quiet(1)))
	if r.up.moving() || r.wants(r.now) != wantNothing {
		t.Fatal("it goes on looking")
	}
	r.standby(up, 11)
}
