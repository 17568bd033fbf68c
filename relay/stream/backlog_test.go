package stream

import (
	"testing"
	"time"
)

func TestBacklogIsWhatAReaderHasNotHad(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	size := len(m.small(0, 1).Frame())
	if b := r.Backlog(nil); b != (Backlog{}) {
		t.Errorf("an empty ring has %+v", b)
	}
	groups(t, m, r, 1, 25)
	at := func(seq uint64) *Chunk { return m.small(0, seq) }
	for _, tc := range []struct {
		name string
		have *Chunk
		want Backlog
	}{
		{"at the head", at(25), Backlog{}},
		{"ahead of it", at(30), Backlog{}},
		{"one behind", at(24), Backlog{1, size, time.Millisecond}},
		{"ten behind", at(15), Backlog{10, 10 * size, 10 * time.Millisecond}},
	} {
		if got := r.Backlog(tc.have); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
	if b := r.Backlog(nil); b.Chunks != 25 || b.Span != 24*time.Millisecond {
		t.Errorf("all of it is %+v", b)
	}
}

func TestBacklogAcrossEpochsIsThatOfTheNewest(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	groups(t, m, r, 1, 25)
	old := m.small(0, 20)
	m.restart()
	r.SetHeader(m.header(1, []byte("another")))
	groups(t, m, r, 1, 3)
	if b := r.Backlog(old); b.Chunks != 8 || b.Span != 3*time.Millisecond {
		t.Errorf("%+v, want 8 chunks over 3 ms of the newer epoch", b)
	}
}

func TestBacklogOfAReaderThatTheRingHasLeftBehindIsAllItHolds(t *testing.T) {
	m := newMaker(t)
	r := smallRing(m, 10)
	groups(t, m, r, 1, 25)
	if b := r.Backlog(m.small(0, 2)); b.Chunks != 10 {
		t.Errorf("%+v, want 10 chunks", b)
	}
}
