package relay_test

import (
	"time"

	"relay/cli/station"
	"relay/playback/api"
	"relay/relay"
)

// What a viewer sees is decided beside the API, of what a station makes of a node's status: rooms that this one
// does not know, but for its tests.
func init() {
	relay.SituationOf = func(st relay.Status, ok bool, encoder *bool, now time.Time) api.Situation {
		var e *station.Encoder
		if encoder != nil {
			e = &station.Encoder{Live: *encoder}
		}
		return api.SituationOf(station.FactsFrom(st, ok, e), now)
	}
}
