package words

import (
	"testing"

	"relay/ingest/rtmp"
	"relay/playback"
	"relay/relay/dht"
)

func TestEachRefusalIsPutIntoWords(t *testing.T) {
	all := map[string][]string{}
	for _, r := range playback.Refusals {
		all["http"] = append(all["http"], string(r))
	}
	for _, r := range rtmp.Refusals {
		all["rtmp"] = append(all["rtmp"], string(r))
	}
	for _, r := range dht.Refusals {
		all["dht"] = append(all["dht"], string(r))
	}
	for listener, reasons := range all {
		for _, r := range reasons {
			if what, _, ok := Refused(listener, r); !ok || what == "" {
				t.Errorf("%s %s: no words", listener, r)
			}
		}
		if _, _, ok := Refused(listener, "other"); ok {
			t.Errorf("%s: a reason that there is not has words", listener)
		}
	}
}
