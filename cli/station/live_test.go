package station

import (
	"testing"
	"time"

	"relay/playback/api"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/stream"
	"relay/tree"
)

// The status, discovery and readiness agree on when a silent channel stops being live. The webhook
// and the metrics share the rule of readiness.
func TestAllAgreeOnWhatIsLive(t *testing.T) {
	now := time.Now()
	for silent := time.Duration(0); silent <= 7*time.Second; silent += 500 * time.Millisecond {
		f := FactsFrom(relay.Status{
			Tree:  tree.Info{Attached: true, Depth: 1},
			Ring:  stream.Stats{Head: stream.Position{Seq: 9}, Came: now.Add(-silent)},
			Quiet: silent + time.Second, // the path takes a second
		}, true, nil)
		status := api.StateOf(f, now) == api.Live
		found := discoveryState(f, now) == discovery.Live
		ready := api.Fresh(f.Came, now)
		if want := silent < 5*time.Second; status != want || found != want || ready != want {
			t.Errorf("silent for %v: the status says %v, discovery %v, readiness %v", silent, status, found, ready)
		}
	}
}

func TestOfTheParentStrangersAreToldNoMoreThanItsTag(t *testing.T) {
	parent := tree.ID{1, 2, 3}
	f := FactsFrom(relay.Status{Tree: tree.Info{Attached: true, Parent: tree.Place{ID: parent}}}, true, nil)
	if f.Parent == nil || f.Parent.ID != parent.String() || f.ParentTag != parent.Tag() {
		t.Errorf("%+v, tag %q", f.Parent, f.ParentTag)
	}
	if f := FactsFrom(relay.Status{}, true, nil); f.Parent != nil || f.ParentTag != "" {
		t.Errorf("without a parent: %+v, tag %q", f.Parent, f.ParentTag)
	}
}

func TestStateForThoseWhoLookForAChannel(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		f    api.Facts
		want discovery.State
	}{
		{api.Facts{Attached: true, Came: now}, discovery.Live},
		{api.Facts{Attached: true}, discovery.Waiting},
		{api.Facts{Came: now}, discovery.Lost},
		{api.Facts{Root: true, Attached: true, Idle: true}, discovery.Waiting},
		{api.Facts{Root: true, Attached: true, Idle: true, Came: now}, discovery.Waiting},
		{api.Facts{Root: true, Attached: true, Came: now.Add(-time.Hour), Quiet: time.Hour}, discovery.Waiting},
	} {
		if got := discoveryState(c.f, now); got != c.want {
			t.Errorf("%+v: %v, want %v", c.f, got, c.want)
		}
	}
}
