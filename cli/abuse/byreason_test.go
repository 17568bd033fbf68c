package abuse

import (
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// tableOf are the inputs for a port, of which there have to be so many at least.
func tableOf(t *testing.T, ch stream.ChannelID, port hostile.Port, least int) hostile.Table {
	t.Helper()
	for _, table := range hostile.Tables(ch, "") {
		if table.Port != port {
			continue
		}
		if len(table.Inputs) < least {
			t.Errorf("there are %d inputs for %s, want %d", len(table.Inputs), port, least)
		}
		return table
	}
	t.Fatalf("there are no inputs for %s", port)
	return hostile.Table{}
}

// countsByReason tries each input at a server of its own, and looks whether it is counted for the reason that why tells,
// if it tells one.
func countsByReason(t *testing.T, table hostile.Table, serve func(*testing.T) (func() map[refusal.Reason]uint64, Target), why func(name string) refusal.Reason) {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, in := range table.Inputs {
		wg.Go(func() { // ends within patience
			counts, target := serve(t)
			o := (&attack{target: target}).try(t.Context(), table.Port, in, i)
			if w := o.wrong(); w != "" {
				t.Errorf("%s %s", in.Name, w)
			}
			want := why(in.Name)
			if want == "" {
				return
			}
			for until := time.Now().Add(patience); counts()[want] == 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(until) {
					t.Errorf("%s: counted as %v, want %s", in.Name, counts(), want)
					return
				}
			}
		})
	}
}
