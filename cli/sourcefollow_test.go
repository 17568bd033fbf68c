package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"relay/cli/term"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

func TestUploadTellsNearFromFar(t *testing.T) {
	links := map[tree.Link]relay.LinkStatus{2: {Rate: 2_000_000}, 4: {Rate: 1_000_000, Near: true}, 6: {Rate: 500_000}}
	if far, near := uploadOf(links); far != 2_500_000 || near != 1_000_000 {
		t.Errorf("%d and %d bit/s, want 2500000 and 1000000", far, near)
	}
}

func TestASourceWhoseClockIsSetBackIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	begun := time.Date(2026, 7, 1, 13, 0, 0, 0, time.UTC)
	s := &source{reporter: reporter{t: term.New(&out, &out)}, begun: stream.Epoch{Ms: uint64(begun.UnixMilli())}}
	for _, now := range []time.Duration{0, time.Hour, -stream.MaxEpochAhead} {
		s.checkBegun(begun.Add(now))
	}
	if out.Len() > 0 {
		t.Errorf("it says %q", out.String())
	}
	for range 3 {
		s.checkBegun(begun.Add(-time.Hour))
	}
	if n := strings.Count(out.String(), "this machine's clock says 2026-07-01 12:00:00"); n != 1 {
		t.Errorf("it says %d times: %q", n, out.String())
	}
}
