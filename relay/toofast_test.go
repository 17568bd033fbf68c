package relay

import (
	"testing"
	"time"

	"relay/relay/stream"
)

func TestAStreamThatStaysAboveTheRateIsTooFast(t *testing.T) {
	const most = 1_000_000 // bit/s
	second := uint64(most / 8)
	type span struct {
		seconds int
		bytes   uint64 // in each of them
		behind  time.Duration
	}
	for what, c := range map[string]struct {
		spans []span
		at    int // seconds until it is too fast; 0 if it never is
	}{
		"just below":                     {[]span{{600, second, 0}}, 0},
		"a little above":                 {[]span{{600, second + second/20, 0}}, 21},
		"above after a minute":           {[]span{{60, second, 0}, {60, 2 * second, 0}}, 71},
		"up and down around it":          {[]span{{11, second, 0}, {10, 3 * second, 0}, {10, second / 2, 0}, {10, 3 * second, 0}, {10, second / 2, 0}}, 0},
		"all that a ring held, at first": {[]span{{20, 4 * second, 9 * time.Second}, {600, second, 0}}, 0},
		"always late, and above":         {[]span{{600, 4 * second, 9 * time.Second}}, 81},
		"silent, then above":             {[]span{{300, 0, 0}, {60, 2 * second, 0}}, 321},
	} {
		var s speedCheck
		now, bytes, elapsed, at := time.Unix(1e9, 0), uint64(0), 0, 0
		for _, p := range c.spans {
			for range p.seconds {
				now, bytes = now.Add(time.Second), bytes+p.bytes
				elapsed++
				if bps := s.look(now, bytes, p.behind, most); bps > 0 && at == 0 {
					at = elapsed
					if want := int(p.bytes) * 8; bps != want {
						t.Errorf("%s: %d bit/s, want %d", what, bps, want)
					}
				}
			}
		}
		if at != c.at {
			t.Errorf("%s: too fast after %d s, want %d", what, at, c.at)
		}
	}
}

func TestChannelsThatWereTooFastAreForgotten(t *testing.T) {
	var f tooFast
	now := time.Unix(1e9, 0)
	id := stream.ChannelID{1}
	f.add(now, id, true)
	has := func(now time.Time, id stream.ChannelID) bool { is, _ := f.has(now, id); return is }
	if !has(now, id) || !has(now.Add(TooFastFor-1), id) || has(now.Add(TooFastFor), id) || has(now, stream.ChannelID{2}) {
		t.Error("it is not for that long, or not that one alone")
	}
	for i := range 3 * maxTooFast {
		f.add(now, stream.ChannelID{byte(i), byte(i >> 8), 7}, false)
	}
	if len(f.until) > maxTooFast {
		t.Errorf("%d are remembered", len(f.until))
	}
	f.add(now.Add(TooFastFor), id, false)
	if len(f.until) != 1 || len(f.private) != 1 {
		t.Errorf("%d are remembered after their time", len(f.until))
	}
}
