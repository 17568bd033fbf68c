package tree

import (
	"testing"
	"time"
)

// A parent's word of the root's clock counts as far as what the root has signed bears it out.
func TestTheClockIsAtLeastWhatTheRootHasSigned(t *testing.T) {
	const at = 100 * time.Second // on the node's own clock
	for name, c := range map[string]struct {
		told, signed, want time.Duration // 0 for not known
	}{
		"nothing is known":            {0, 0, 0},
		"only a parent's word":        {30 * time.Second, 0, 30 * time.Second},
		"only what is signed":         {0, 30 * time.Second, 30 * time.Second},
		"a word that is a little on":  {30*time.Second + 20*time.Millisecond, 30 * time.Second, 30*time.Second + 20*time.Millisecond},
		"a word that is behind":       {20 * time.Second, 30 * time.Second, 30 * time.Second},
		"a word that is far ahead":    {time.Hour, 30 * time.Second, 30*time.Second + maxLead},
		"no signature counts anymore": {20 * time.Second, 0, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var k clock
			k.bound(at-time.Second, 40*time.Second) // an earlier one, which is replaced
			k.bound(at, c.signed)
			if c.told > 0 {
				k.sample(time.Unix(1, 0), at, Heartbeat{Clock: uint64(c.told.Microseconds()), Echo: uint64(at.Microseconds())})
			}
			got, ok := k.reads(at)
			if ok != (c.told > 0 || c.signed > 0) || ok && got != c.want {
				t.Errorf("it reads %v, %t; want %v", got, ok, c.want)
			}
		})
	}
}
