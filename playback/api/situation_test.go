package api

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestSituationIsToldByTheFacts(t *testing.T) {
	now := time.Now()
	ago := func(s float64) time.Time { return now.Add(-time.Duration(s * float64(time.Second))) }
	s := time.Second
	peer := &Peer{}
	for _, c := range []struct {
		name  string
		f     Facts
		want  SituationName
		since float64 // s ago; -1 for not told
	}{
		// Before there was a way to the source.
		{"nobody has answered", Facts{Turned: ago(1)}, Looking, 1},
		{"nor after 90 minutes", Facts{Turned: ago(5400), Answers: Answers{Silent: ago(2), Absent: ago(3)}}, Looking, 5400},
		{"nodes are full", Facts{Turned: ago(9), Answers: Answers{Full: ago(1), Silent: ago(1)}}, Full, 9},
		{"they were, and do not answer now", Facts{Turned: ago(90), Answers: Answers{Full: ago(20), Silent: ago(1)}}, Looking, 90},
		{"the secret is wrong", Facts{Turned: ago(9), Answers: Answers{Unknown: ago(1)}}, Unknown, 9},
		{"another version", Facts{Turned: ago(9), Answers: Answers{Other: ago(1)}}, Refused, 9},
		{"a recording", Facts{Turned: ago(9), Answers: Answers{Past: ago(1)}}, Recording, 9},
		{"the source is away", Facts{Turned: ago(9), Answers: Answers{Orphan: ago(1), Silent: ago(1)}}, SourceAway, 9},
		{"some know the channel, others do not", Facts{Turned: ago(9), Answers: Answers{Orphan: ago(1), Unknown: ago(1)}}, SourceAway, 9},
		{"one is full, others are cut off", Facts{Turned: ago(9), Answers: Answers{Orphan: ago(1), Full: ago(1)}}, Full, 9},
		{"no network for a moment", Facts{Turned: ago(2), Answers: Answers{NoWay: ago(1)}}, Looking, 2},
		{"no network", Facts{Turned: ago(9), Answers: Answers{NoWay: ago(1)}}, Disconnected, 9},
		{"no IPv6", Facts{Turned: ago(9), Answers: Answers{NoWay: ago(1), Silent: ago(2)}}, Looking, 9},

		// There is a way, and nothing has come.
		{"no encoder has ever sent", Facts{Attached: true, Turned: ago(7), Depth: 2}, Waits, 7},
		{"nor at the source", Facts{Attached: true, Root: true, Idle: true, Turned: ago(7)}, Waits, 7},
		{"the first picture is on its way", Facts{Attached: true, Begun: true, Turned: ago(1), Depth: 1}, Starting, 1},
		{"it is no longer to be had", Facts{Attached: true, Begun: true, Turned: ago(9), Depth: 1}, Paused, 9},
		{"the way is lost before anything came", Facts{Begun: true, Turned: ago(1), Depth: 1}, Reconnects, 1},

		// Something has come.
		{"media come", Facts{Attached: true, Turned: ago(60), Came: ago(0.1), Quiet: s / 5}, OnAir, -1},
		{"when they were made is not known", Facts{Attached: true, Turned: ago(60), Came: ago(0.1)}, OnAir, -1},
		{"the encoder is gone, at the source", Facts{Attached: true, Root: true, Idle: true, Turned: ago(60), Came: ago(0.1), Quiet: s}, Paused, 1},
		{"it is there and sends nothing", Facts{Attached: true, Root: true, Turned: ago(60), Came: ago(6), Quiet: 6 * s}, Stuck, 6},
		{"the encoder is gone, elsewhere", Facts{Attached: true, Turned: ago(60), Depth: 1, Came: ago(6), Quiet: 7 * s}, Paused, 7},
		{"another's past", Facts{Attached: true, Turned: ago(1), Depth: 1, Came: ago(0.1), Quiet: 20 * s}, Paused, 20},
		{"long ago", Facts{Attached: true, Turned: ago(90), Depth: 1, Came: ago(61), Quiet: 61 * s}, Over, 61},
		{"long ago, by this node's clock alone", Facts{Attached: true, Turned: ago(90), Depth: 1, Came: ago(61)}, Over, 61},

		{"others' way is there again, and what they missed has yet to come", Facts{Attached: true, Missing: true, Begun: true, Turned: ago(1), Came: ago(100), Quiet: 100 * s}, Reconnects, 1},
		{"there was nothing to miss", Facts{Attached: true, Begun: true, Turned: ago(1), Came: ago(100), Quiet: 100 * s}, Over, 100},

		// The way is lost again.
		{"the parent is lost", Facts{Turned: ago(1), Depth: 2, Came: ago(1)}, Reconnects, 1},
		{"it is lost, and the first who is asked is cut off", Facts{Turned: ago(1), Depth: 2, Came: ago(1), Answers: Answers{Orphan: ago(0)}}, Reconnects, 1},
		{"the parent is cut off itself for a moment", Facts{Parent: peer, Turned: ago(1), Depth: 2, Came: ago(1)}, Reconnects, 1},
		{"the parent is cut off itself", Facts{Parent: peer, Turned: ago(6), Depth: 2, Came: ago(6), Quiet: 6 * s}, SourceAway, 6},
		{"all who are asked are cut off", Facts{Turned: ago(6), Depth: 2, Came: ago(6), Quiet: 6 * s, Answers: Answers{Orphan: ago(1)}}, SourceAway, 6},
		{"all who were asked were cut off, and nobody was asked again", Facts{Turned: ago(40), Depth: 2, Came: ago(40), Quiet: 40 * s, Answers: Answers{Orphan: ago(35), Absent: ago(1)}}, SourceAway, 40},
		{"those who were asked were cut off before it had a way", Facts{Turned: ago(6), Depth: 2, Came: ago(6), Quiet: 6 * s, Answers: Answers{Orphan: ago(40)}}, Reconnects, 6},
		{"the source says that it leaves", Facts{Turned: ago(0.1), Depth: 1, Came: ago(0.2), Quiet: s, Answers: Answers{SourceLeft: true}}, SourceAway, 0.1},
		{"the source is killed, and there is nobody else", Facts{Turned: ago(6), Depth: 1, Came: ago(6), Quiet: 6 * s, Answers: Answers{Absent: ago(1)}}, SourceAway, 6},
		{"nobody answers", Facts{Turned: ago(6), Depth: 1, Came: ago(6), Quiet: 6 * s, Answers: Answers{Silent: ago(1)}}, Reconnects, 6},
		{"nobody answers for long: it may go on elsewhere", Facts{Turned: ago(90), Depth: 1, Came: ago(90), Quiet: 90 * s, Answers: Answers{Silent: ago(1)}}, Reconnects, 90},
		{"nor is there a network", Facts{Turned: ago(90), Depth: 1, Came: ago(90), Quiet: 90 * s, Answers: Answers{NoWay: ago(1)}}, Disconnected, 90},
		{"a parent is killed, others may live", Facts{Turned: ago(6), Depth: 2, Came: ago(6), Quiet: 6 * s, Answers: Answers{Absent: ago(1)}}, Reconnects, 6},
		{"no relay runs any more at any of the addresses", Facts{Turned: ago(90), Depth: 2, Came: ago(90), Quiet: 90 * s, Answers: Answers{Absent: ago(1)}}, Over, 90},
		{"the source is away for long", Facts{Parent: peer, Turned: ago(90), Depth: 2, Came: ago(90), Quiet: 90 * s}, Over, 90},
		{"others have no room", Facts{Turned: ago(90), Depth: 2, Came: ago(90), Quiet: 90 * s, Answers: Answers{Full: ago(1), Absent: ago(1)}}, Full, 90},
		{"closed here", Facts{Closed: true, Attached: true, Came: ago(1)}, ClosedHere, -1},
		{"closed here, long after", Facts{Closed: true, Came: ago(61), Quiet: 61 * s}, Over, 61},
	} {
		got := SituationOf(c.f, now)
		if got.Name != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Name, c.want)
		}
		if since := ago(c.since).UTC().Truncate(time.Second); c.since >= 0 && !got.Since.Equal(since) || c.since < 0 && !got.Since.IsZero() {
			t.Errorf("%s: since %v, %v s ago is right", c.name, got.Since, c.since)
		}
	}
}

func TestNothingSaysSinceWhenItIsLive(t *testing.T) {
	text, err := json.Marshal(SituationOf(Facts{Attached: true, Came: time.Now()}, time.Now()))
	if err != nil || string(text) != `{"name":"live"}` {
		t.Errorf("%s, %v", text, err)
	}
}

// walkSeed is that of RELAY_SEED, or another one in each run.
func walkSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("RELAY_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("RELAY_SEED=%d", seed)
	return seed
}

// Whatever the facts are, however unlikely together, what is said of them does not contradict them.
func TestNoSituationContradictsTheFacts(t *testing.T) {
	r := rand.New(rand.NewPCG(walkSeed(t), 1))
	now := time.Now()
	when := func() time.Time {
		if r.IntN(3) == 0 {
			return time.Time{}
		}
		return now.Add(-time.Duration(r.Float64() * r.Float64() * float64(100*time.Second)))
	}
	told := map[SituationName]int{}
	for range 200_000 {
		f := Facts{
			Closed: r.IntN(10) == 0, Idle: r.IntN(3) == 0, Root: r.IntN(4) == 0, Attached: r.IntN(2) == 0, Begun: r.IntN(2) == 0, Depth: r.IntN(3),
			Came: when(), Turned: when(), Answers: Answers{NoWay: when(), SourceLeft: r.IntN(8) == 0},
		}
		for _, at := range []*time.Time{&f.Answers.Silent, &f.Answers.Absent, &f.Answers.Full, &f.Answers.Orphan, &f.Answers.Unknown, &f.Answers.Past, &f.Answers.Other} {
			if r.IntN(4) == 0 {
				*at = when()
			}
		}
		f.Attached = f.Attached || f.Root
		f.Begun = f.Begun || !f.Came.IsZero()
		f.Idle = f.Idle && f.Root
		f.Missing = f.Begun && !f.Root && r.IntN(3) == 0
		if !f.Came.IsZero() && r.IntN(3) > 0 {
			f.Quiet = now.Sub(f.Came) + time.Duration(r.Float64()*r.Float64()*float64(100*time.Second))
		}
		if !f.Root && r.IntN(2) == 0 {
			f.Parent = &Peer{}
		}
		s, state := SituationOf(f, now), StateOf(f, now)
		told[s.Name]++
		wrong := func(why string) { t.Errorf("%s: %s, state %s, of %+v", why, s.Name, state, f) }
		seen := !f.Came.IsZero()
		switch {
		case !slices.Contains(Situations, s.Name):
			wrong("it is none")
		case s.Name == OnAir && (!Fresh(f.Came, now) || f.Idle || !f.Attached || f.Closed || f.Quiet-now.Sub(f.Came) >= FreshFor):
			wrong("live without fresh media")
		case (s.Name == OnAir) != (state == Live), (s.Name == Over) != (state == Ended):
			wrong("the state says something else")
		case seen == (state == Waiting):
			wrong("the state says whether there was a picture, and it is not so")
		case slices.Contains([]SituationName{Looking, Unknown, Recording, Refused, Waits, Starting}, s.Name) && seen:
			wrong("nothing is said to have come, and it has")
		case s.Name == Waits && f.Begun && !f.Root:
			wrong("nothing is said to be sent, and it was")
		case s.Name == Over && (!seen || max(f.Quiet, now.Sub(f.Came)) <= EndedAfter):
			wrong("it has not ended")
		case slices.Contains([]SituationName{Waits, Starting, Stuck}, s.Name) && !f.Attached:
			wrong("there is no way to the source")
		case slices.Contains([]SituationName{Looking, Unknown, Refused, Recording, Full, SourceAway, Disconnected}, s.Name) && f.Attached, s.Name == Reconnects && f.Attached && !f.Missing:
			wrong("there is a way to the source")
		case (s.Name == Stuck || s.Name == Paused && f.Idle) && !f.Root, s.Name == Reconnects && f.Root:
			wrong("it is another node's")
		case s.Since.After(now):
			wrong("it begins later")
		}
		if t.Failed() {
			return
		}
	}
	for _, name := range Situations {
		if told[name] == 0 {
			t.Errorf("%s never came", name)
		}
	}
}
