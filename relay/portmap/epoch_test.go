package portmap

import (
	"testing"
	"time"
)

func TestARoutersClockTellsOfALoss(t *testing.T) {
	at := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		before, after uint32
		passed        time.Duration
		lost          bool
	}{
		"as ours":                  {100, 160, time.Minute, false},
		"a packet that came late":  {100, 99, 0, false},
		"went back":                {100, 98, 0, true},
		"began again":              {90000, 3, time.Minute, true},
		"began again long ago":     {100, 200, time.Hour, true},
		"an hour, a little slower": {0, 3400, time.Hour, false},
		"an hour, a little faster": {0, 3800, time.Hour, false},
		"jumped":                   {100, 5000, time.Minute, true},
		"we slept":                 {100, 40000, time.Minute, true},
		"from the least to most":   {0, 1<<32 - 1, time.Minute, true},
	} {
		var e epoch
		if e.lost(at, c.before) {
			t.Errorf("%s: the first value is a loss", name)
		}
		if got := e.lost(at.Add(c.passed), c.after); got != c.lost {
			t.Errorf("%s: lost %v", name, got)
		}
	}
}

// Whatever a router's clock has lost by starting again between two checks, it shows, or the router was
// too young for the mapping to be trusted.
func TestARestartShowsOrTheRouterWasYoung(t *testing.T) {
	at, check := time.Unix(1e9, 0), usual.check
	for up := range uint32(20) { // s, at the mapping
		for began := range uint32(61) { // s after it
			var e epoch
			e.lost(at, up)
			young := e.young()
			if !e.lost(at.Add(check), 60-began) && !young && began > 0 {
				t.Errorf("%d s old, it starts again %d s later", up, began)
			}
		}
	}
}
