package relay

import (
	"reflect"
	"testing"
	"time"

	"relay/relay/wire"
)

// wantShown waits until these nodes and no others are shown at n, each below the
// parent that it has itself, and nothing about any of them is missing.
func (w *world) wantShown(n *inhabitant, all []*inhabitant) {
	w.t.Helper()
	begin := time.Now()
	var got Survey
	for time.Since(begin) < factsInterval*10 {
		var err error
		if got, err = n.Survey(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		want := make(map[wire.NodeTag]wire.NodeTag)
		for _, m := range all {
			in := m.status(w.t).Tree
			want[wire.TagOf(in.ID)] = wire.TagOf(in.Parent.ID)
		}
		told := got.Err == nil && reflect.DeepEqual(parents(got.View), want)
		for i, f := range got.View.Nodes {
			told = told && f.Flags == 0 && (f.DelayMs > 0) == (i > 0) && (f.Upload > 0) == (f.Children > 0)
		}
		if told {
			w.t.Logf("%d nodes are shown right after %v", len(all), time.Since(begin))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("shown is %+v", got)
}

func TestTheTreeIsShownAsItChanges(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(14, 3)
		for _, n := range w.all {
			w.wantShown(n, w.all)
		}
		gone := w.inner()
		gone.kill()
		var left []*inhabitant
		for _, n := range w.all {
			if n != gone {
				left = append(left, n)
			}
		}
		w.within(5*time.Second, "all are attached", func(n *inhabitant) bool {
			return w.attached(n) && n.status(t).Tree.Parent.ID != gone.place.ID
		}, gone)
		w.wantShown(left[0], left)
		w.wantShown(left[len(left)-1], left)
		// The source falls silent: those below it still show what they know, and say so.
		var deep *inhabitant
		for _, n := range left {
			if n.status(t).Tree.Depth > 1 && len(n.status(t).Tree.Children) > 0 {
				deep = n
			}
		}
		if deep == nil {
			t.Fatal("no viewer passes on what a viewer gave it")
		}
		time.Sleep(surveyFresh + 100*time.Millisecond)
		w.root.host.Freeze()
		begin := time.Now()
		got, err := deep.Survey(t.Context())
		if err != nil || got.Err == nil || got.By == w.root.place.ID || len(got.View.Nodes) < 2 {
			t.Errorf("without the source: %+v, %v", got, err)
		}
		if took := time.Since(begin); took > surveyAsks*surveyTime {
			t.Errorf("that took %v", took)
		}
		t.Logf("without the source: %d nodes, %v: %v", len(got.View.Nodes), time.Since(begin), got.Err)
		w.root.host.Thaw()
		time.Sleep(5 * time.Second)
	})
}
