package recorded

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"relay/cli/term"
	"relay/playback/api"
)

// TestEachFindingIsSaidOnce goes through what a node may find of a stream, second by second.
func TestEachFindingIsSaidOnce(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)
	none := &api.Recorded{Of: "ds2b", Name: "ds2b"}
	good := &api.Recorded{Of: "ds2b", Name: "ds2b", MadeMs: noon.UnixMilli(), Proved: 5}
	bad := &api.Recorded{Of: "ds2b", Name: "ds2b", MadeMs: noon.UnixMilli(), Proved: 5, Unproved: 1}
	other := &api.Recorded{Of: "kxq4", Name: "kxq4", MadeMs: noon.UnixMilli(), Proved: 5}
	for name, c := range map[string]struct {
		found []*api.Recorded
		says  []string
	}{
		"no recording":         {[]*api.Recorded{nil, nil}, nil},
		"as it was signed":     {[]*api.Recorded{nil, none, none, good, good}, []string{"ds2b, made on 2026-11-30, 12:00. What is played is as"}},
		"not so, later":        {[]*api.Recorded{good, bad, bad, good}, []string{"What is played is as", "Some of it was not signed"}},
		"never":                {[]*api.Recorded{bad, bad}, []string{"Some of it was not signed"}},
		"with nothing":         {[]*api.Recorded{none, none, none, none, none}, []string{"Nothing in it shows that"}},
		"proofs that are late": {[]*api.Recorded{none, none, none, none, good}, []string{"Nothing in it shows that", "What is played is as"}},
		"another one":          {[]*api.Recorded{good, other}, []string{"ds2b, made on", "kxq4, made on"}},
		"none in between":      {[]*api.Recorded{good, nil, good}, []string{"ds2b, made on", "ds2b, made on"}},
	} {
		var said bytes.Buffer
		out, told := term.New(io.Discard, &said), Told{}
		for i, r := range c.found {
			told.Tell(out, r, noon.Add(time.Duration(i)*5*time.Second))
		}
		lines := strings.Split(strings.TrimSuffix(said.String(), "\n"), "\n")
		if said.Len() == 0 {
			lines = nil
		}
		if len(lines) != len(c.says) {
			t.Errorf("%s: said %q", name, lines)
			continue
		}
		for i, want := range c.says {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: said %q, want %q", name, lines[i], want)
			}
		}
	}
}
