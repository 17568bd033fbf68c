package doctor

import (
	"fmt"
	"maps"
	"slices"

	"relay/cli/term"
)

// checkRefused says what the relay here turns away while it is looked at.
func (m machine) checkRefused() []Finding {
	f := findings{topic: "The relay that runs here"}
	if m.running == nil || m.later == nil {
		return nil
	}
	for _, listener := range slices.Sorted(maps.Keys(m.later.Refused)) {
		now := m.later.Refused[listener]
		for _, reason := range slices.Sorted(maps.Keys(now)) {
			what, next, ok := wordsFor(listener, reason)
			before := m.running.Refused[listener][reason]
			if !ok || now[reason] <= before {
				continue // nothing, or the relay was started anew
			}
			count := fmt.Sprintf("%s since it began", term.Counted(int64(now[reason]), "time"))
			f.note(next, "This has grown by %d while doctor looked: %s (%s).", now[reason]-before, what, count)
		}
	}
	return f.all
}
