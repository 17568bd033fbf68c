package refused

import (
	"testing"

	"relay/ingest/browser"
	"relay/ingest/pcpin"
	"relay/ingest/rtmp"
	"relay/ingest/whip"
	"relay/playback"
	"relay/playback/pcpout"
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
	for _, r := range whip.Refusals {
		all["whip"] = append(all["whip"], string(r))
	}
	for _, r := range browser.Refusals {
		all["browser"] = append(all["browser"], string(r))
	}
	for _, r := range dht.Refusals {
		all["dht"] = append(all["dht"], string(r))
	}
	for _, r := range pcpout.Refusals {
		all["peercast"] = append(all["peercast"], string(r))
	}
	for _, r := range pcpin.Refusals {
		all["peercast_pull"] = append(all["peercast_pull"], string(r))
	}
	for listener, reasons := range all {
		for _, r := range reasons {
			if what, _, ok := Words(listener, r); !ok || what == "" {
				t.Errorf("%s %s: no words", listener, r)
			}
		}
		if _, _, ok := Words(listener, "other"); ok {
			t.Errorf("%s: a reason that there is not has words", listener)
		}
	}
}
